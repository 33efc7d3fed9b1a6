#pragma once

/// Levels for the tests of the toolkit: an order of its own, known to no program.
/// Included by tests only. The ranks leave room so that tests can tell "one too low" apart from
/// "equal". Never used by library code.

#include "locking/lock_rank.h"

namespace tern::locking::testing {

struct Outer {
    static constexpr LockRank rank = 100;
    static constexpr std::string_view name = "outer";
};

struct Middle {
    static constexpr LockRank rank = 200;
    static constexpr std::string_view name = "middle";
};

struct Inner {
    static constexpr LockRank rank = 300;
    static constexpr std::string_view name = "inner";
};

struct Leaf {
    static constexpr LockRank rank = first_leaf_rank + 1;
    static constexpr std::string_view name = "leaf";
};

using Order = LockOrder<Outer, Middle, Inner, Leaf>;

}  // namespace tern::locking::testing
