#pragma once

/// The order in which locks may be taken, as types.
/// A level is a tag type with a rank and a name. A thread takes domains in strictly ascending rank,
/// so a cycle of waiting threads cannot form. Programs list their levels once with LockOrder, a
/// reason beside each. Nothing here is kept at run time but the rank inside each domain.

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tern::locking {

/// Place in the order; 0 is outside of everything, programs use 1 to first_leaf_rank - 1. Higher
/// ranks are taken later (further inside).
using LockRank = std::uint16_t;

/// From this rank on live the leaves of the toolkit itself (page depots and the like). Only leaves
/// may be taken inside an RCU read section. A leaf never calls out to its user while held.
inline constexpr LockRank first_leaf_rank = 60000;

/// A type that names a level: it has a rank and a name, both known at compile time. It is a tag, of
/// which no object is needed.
template <class L>
concept Level = requires {
    { L::rank } -> std::convertible_to<LockRank>;
    { L::name } -> std::convertible_to<std::string_view>;
};

/// What a thread holds when it starts.
struct Nothing {
    static constexpr LockRank rank = 0;
    static constexpr std::string_view name = "nothing";
};

/// A domain of level Inner may be taken while one of level Outer is the innermost held.
template <class Outer, class Inner>
concept OuterTo = Level<Outer> && Level<Inner> &&(Outer::rank < Inner::rank);

/// The whole order of a program, outermost first; compiles only if the ranks ascend strictly.
template <Level... L>
struct LockOrder {
    static constexpr std::size_t levels = sizeof...(L);
    static constexpr LockRank ranks[levels] = {L::rank...};
    static constexpr std::string_view names[levels] = {L::name...};

    static constexpr bool ascending() {
        LockRank previous = Nothing::rank;
        for (LockRank rank : ranks) {
            if (rank <= previous) return false;
            previous = rank;
        }
        return true;
    }

    /// Name of the level with this rank; empty if there is none.
    static constexpr std::string_view name_of(LockRank rank) {
        for (std::size_t i = 0; i < levels; ++i) {
            if (ranks[i] == rank) return names[i];
        }
        return {};
    }

    static_assert(ascending(), "levels of a lock order must ascend strictly");
};

}  // namespace tern::locking
