#pragma once

/// Sets of integers, pairs, communities, addresses and the like as sorted intervals.
/// They exist because filters match against long literal lists for every route: a test is one
/// binary search, over 32-bit numbers where the element type allows. Prefix sets are
/// net::PrefixSet. Built once by the configuration that owns them, then only read, from any domain;
/// they never change afterwards.

#include <compare>
#include <cstdint>
#include <vector>

namespace tern::filter {

/// An element of any type as a number with the order of that type.
struct SetKey {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend constexpr auto operator<=>(const SetKey&, const SetKey&) = default;
};

struct SetInterval {
    SetKey low;
    SetKey high;  // inclusive

    friend bool operator==(const SetInterval&, const SetInterval&) = default;
};

class IntervalSet {
  public:
    /// Sorts, merges overlapping intervals. Adjacent ones stay apart and print as written.
    explicit IntervalSet(std::vector<SetInterval> intervals);

    [[nodiscard]] bool contains(SetKey key) const;

    /// For element types of 32 bits (int, pair, quad, enum).
    [[nodiscard]] bool contains32(std::uint32_t key) const;

    [[nodiscard]] bool empty() const { return wide_.empty(); }

    [[nodiscard]] const std::vector<SetInterval>& intervals() const { return wide_; }

    friend bool operator==(const IntervalSet& a, const IntervalSet& b) {
        return a.wide_ == b.wide_;
    }

  private:
    struct Interval32 {
        std::uint32_t low;
        std::uint32_t high;
    };

    std::vector<SetInterval> wide_;
    std::vector<Interval32> narrow_;  // the same, if all keys fit into 32 bits
    bool all_narrow_ = true;
};

}  // namespace tern::filter
