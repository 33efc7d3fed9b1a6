#pragma once

/// Ten levels and a leaf for the stress forms of locking, as a list that can be walked at compile
/// time. An order of its own, known to no program; tests alone include it. The ranks leave room
/// between them.

#include "locking/lock_rank.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace tern::stress {

inline constexpr std::size_t level_count = 10;

inline constexpr std::array<std::string_view, level_count> level_names = {
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};

template <std::size_t N>
struct Step {
    static constexpr locking::LockRank rank = 100 * (N + 1);
    static constexpr std::string_view name = level_names[N];
};

struct Leaf {
    static constexpr locking::LockRank rank = locking::first_leaf_rank + 7;
    static constexpr std::string_view name = "leaf";
};

}  // namespace tern::stress
