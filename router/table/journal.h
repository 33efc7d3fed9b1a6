#pragma once
/// The table's change log: prefix ids in the order in which their best route (or any route)
/// changed. Readers keep their own sequence number and ask the table for the present state of each
/// id, so an item is four bytes and a prefix that changed twice is simply looked at twice. The log
/// is bounded: what the slowest reader has not read when the bound is reached falls off, and that
/// reader feeds anew. Owned by a Table and reached only under its domain. It never blocks the
/// importer.

#include "router/net/prefix_index.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace tern::table {

class Journal {
  public:
    using Sequence = std::uint64_t;

    struct Item {
        net::PrefixId prefix;
        bool best_changed;  ///< false: only readers of all routes need to look
    };

    explicit Journal(std::size_t limit) : limit_(limit) {}

    /// First sequence number still in the log, and the one the next item will get.
    [[nodiscard]] Sequence begin() const { return begin_; }

    [[nodiscard]] Sequence end() const { return end_; }

    [[nodiscard]] std::size_t memory() const { return ring_.capacity() * sizeof(std::uint32_t); }

    void push(net::PrefixId prefix, bool best_changed) {
        if (end_ - begin_ == ring_.size()) make_room();
        const auto number = static_cast<std::uint32_t>(prefix) << 1;
        ring_[end_ & (ring_.size() - 1)] = number | (best_changed ? 1U : 0U);
        ++end_;
    }

    [[nodiscard]] Item at(Sequence sequence) const {
        const std::uint32_t word = ring_[sequence & (ring_.size() - 1)];
        return {net::PrefixId{word >> 1}, (word & 1U) != 0};
    }

    /// Everything before `sequence` has been read by all.
    void trim(Sequence sequence) {
        begin_ = std::clamp(sequence, begin_, end_);
        if (begin_ == end_ && ring_.size() > smallest) {
            ring_.assign(smallest, 0);
            ring_.shrink_to_fit();
        }
    }

    void set_limit(std::size_t limit) { limit_ = limit; }

  private:
    static constexpr std::size_t smallest = 4096;

    void make_room() {
        if (ring_.size() >= std::max(limit_, smallest)) {
            begin_ += ring_.size() / 4;  // the oldest quarter falls off
            return;
        }
        std::vector<std::uint32_t> larger(std::max(smallest, ring_.size() * 2));
        for (Sequence i = begin_; i != end_; ++i) {
            larger[i & (larger.size() - 1)] = ring_[i & (ring_.size() - 1)];
        }
        ring_ = std::move(larger);
    }

    std::vector<std::uint32_t> ring_;
    Sequence begin_ = 0;
    Sequence end_ = 0;
    std::size_t limit_;
};

}  // namespace tern::table
