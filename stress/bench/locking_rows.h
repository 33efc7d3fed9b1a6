#pragma once

/// The rows of locking, a function for each file of them; locking_bench.cc puts them into one
/// suite. Levels and the size of a call stand here because all rows share them. Used by the
/// benchmark alone, from its only thread.

#include "locking/lock_rank.h"
#include "stress/bench/suite.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tern::bench {

/// L1 to L4, L6, L7, L9: one thread, nobody else wants the lock.
void add_mutex_rows(Suite& suite);
/// L5: who finds planted mistakes of order.
void add_order_rows(Suite& suite);
/// L8: what a report costs.
void add_report_rows(Suite& suite);
/// L10: several threads want one lock.
void add_contention_rows(Suite& suite);
/// L12 and L13: read sections and reader/writer locks.
void add_reader_rows(Suite& suite);

template <std::size_t N>
struct Depth {
    static constexpr locking::LockRank rank = 100 * (N + 1);
    static constexpr std::string_view name = "depth";
};

inline constexpr std::uint64_t pairs = 1'000'000;

}  // namespace tern::bench
