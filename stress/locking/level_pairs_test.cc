// For all pairs of levels: what compiles is exactly what the order allows.

#include "locking/guarded.h"
#include "locking/rcu.h"
#include "locking/shared_guarded.h"
#include "stress/locking/levels.h"

#include <type_traits>

#include <catch2/catch.hpp>

namespace tern::stress {
namespace {

using locking::Domain;
using locking::GroupLock;
using locking::Guard;
using locking::Guarded;
using locking::Held;
using locking::Nothing;
using locking::PairLock;
using locking::Position;
using locking::Proof;
using locking::ReadGuard;
using locking::ReleaseScope;
using locking::SharedDomain;
using locking::SharedGuarded;
using locking::ThreadEntry;
using locking::TransitLock;
using locking::TryGuard;
using locking::WriteGuard;

struct Use {
    template <class... A>
    void operator()(A&&...) const {}
};

template <class From, class To>
concept Locks = requires(Position<From>& from, Domain<To>& to) {
    to.lock(from);
};

template <class From, class To>
concept Opens = requires(Position<From>& from, Guarded<int, To>& to) {
    to.with(from, Use{});
};

template <class From, class To>
concept Reads = requires(Position<From>& from, SharedDomain<To>& to) {
    to.read(from);
};

template <class From, class To>
concept Writes = requires(Position<From>& from, SharedDomain<To>& to) {
    to.write(from);
};

template <class From, class To>
concept OpensShared = requires(Position<From>& from, SharedGuarded<int, To>& to) {
    to.read(from, Use{});
    to.write(from, Use{});
};
template <class From, class To>
concept Pairs = std::is_constructible_v < PairLock<To>,
        Position<From>
&, Domain<To>&, Domain<To>& > ;
template <class From, class To>
concept Groups = std::is_constructible_v < GroupLock<To>,
        Position<From>
&, std::span < Domain<To>* >> ;

/// Every way to lock agrees with the ranks.
template <class From, class To>
constexpr bool as_ranked() {
    constexpr bool allowed = From::rank < To::rank;
    return Locks<From, To> == allowed && Opens<From, To> == allowed && Reads<From, To> == allowed &&
           Writes<From, To> == allowed && OpensShared<From, To> == allowed &&
           Pairs<From, To> == allowed && Groups<From, To> == allowed;
}

template <std::size_t... N>
constexpr std::size_t count_right(std::index_sequence<N...>) {
    constexpr std::size_t all = level_count;
    std::size_t right = (std::size_t{0} + ... + as_ranked<Step<N / all>, Step<N % all>>());
    right += (std::size_t{0} + ... + (N < all && as_ranked<Nothing, Step<N % all>>()));
    right += (std::size_t{0} + ... + (N < all && as_ranked<Step<N % all>, Leaf>()));
    right += (std::size_t{0} + ... + (N < all && as_ranked<Leaf, Step<N % all>>()));
    return right + as_ranked<Leaf, Leaf>() + as_ranked<Nothing, Leaf>();
}

constexpr std::size_t right = count_right(std::make_index_sequence<level_count * level_count>());
static_assert(right == level_count * level_count + 3 * level_count + 2);

TEST_CASE("AT-LOCK-3 what compiles is what the ranks allow, for all pairs", "[AT-LOCK-3]") {
    CHECK(right == level_count * level_count + 3 * level_count + 2);
}

/// A guard is bound to its scope, so that no path can leave twice what was entered once.
template <class G>
constexpr bool stays = !std::is_copy_constructible_v<G> && !std::is_move_constructible_v<G> &&
                       !std::is_copy_assignable_v<G> && !std::is_move_assignable_v<G>;

static_assert(stays<Guard<Leaf>> && stays<TryGuard<Leaf>> && stays<PairLock<Leaf>> &&
              stays<GroupLock<Leaf>> && stays<ReleaseScope<Leaf>> && stays<TransitLock> &&
              stays<ReadGuard<Leaf>> && stays<WriteGuard<Leaf>> && stays<ThreadEntry> &&
              stays<locking::rcu::ReadSection>);
static_assert(!std::is_default_constructible_v<Held<Leaf>> &&
              !std::is_default_constructible_v<Position<Leaf>> &&
              !std::is_default_constructible_v<Proof<Leaf>>);

TEST_CASE("AT-LOCK-6 guards and tokens can neither be moved, copied nor made up", "[AT-LOCK-6]") {
    CHECK(stays<Guard<Leaf>>);
}

}  // namespace
}  // namespace tern::stress
