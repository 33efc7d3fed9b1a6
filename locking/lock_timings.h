#pragma once

/// How long domains are waited for and held, as histograms.
/// Made by whoever wants to know and attached with Domain::measure(); it must outlive the domain or
/// be detached. Several domains may share one, as those of a level do. Of the holds every 128th is
/// timed and every one that had to wait; of the waits all. Any thread may read at any time. It
/// never allocates.

#include "locking/check.h"
#include "locking/ticks.h"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace tern::locking {

/// Counts of durations by powers of two, in ticks (`ticks.h`). Any thread may add and read; who
/// reads beside writers gets a recent picture.
class TickHistogram {
  public:
    void add(std::uint64_t ticks) noexcept {
        counts_[bucket(ticks)].fetch_add(1, std::memory_order_relaxed);
    }

    std::uint64_t count() const noexcept {
        std::uint64_t sum = 0;
        for (const auto& count : counts_)
            sum += count.load(std::memory_order_relaxed);
        return sum;
    }

    /// The upper bound of the bucket in which the given share of all durations ends; 0 if empty.
    std::uint64_t quantile(double share) const noexcept {
        const double wanted = share * static_cast<double>(count());
        double seen = 0;
        std::uint64_t bound = 0;
        for (std::size_t i = 0; i < buckets; ++i) {
            const std::uint64_t here = counts_[i].load(std::memory_order_relaxed);
            if (here == 0) continue;
            seen += static_cast<double>(here);
            bound = std::uint64_t{1} << i;
            if (seen >= wanted) break;
        }
        return bound;
    }

  private:
    static constexpr std::size_t buckets = 48;  ///< the last one begins at hours

    static std::size_t bucket(std::uint64_t ticks) {
        const auto width = static_cast<std::size_t>(std::bit_width(ticks));
        return width < buckets ? width : buckets - 1;
    }

    std::array<std::atomic<std::uint64_t>, buckets> counts_{};
};

/// Borrowed by the domains it measures. Written by their holders, read by anyone; 48 buckets each
/// for holds and waits.
class LockTimings {
  public:
    /// How many durations were timed, and what half and 99 % of them did not exceed.
    struct Summary {
        std::uint64_t timed = 0;
        std::uint64_t p50_ns = 0;  ///< upper bounds, a power of two of ticks
        std::uint64_t p99_ns = 0;
    };

    /// The longest hold timed so far and where it was taken; 0 ns if there is none. For a moment
    /// the place may still be that of the one before.
    struct LongestHold {
        std::uint64_t ns = 0;
        Here taken;
    };

    Summary waits() const noexcept { return summary(waits_); }

    Summary holds() const noexcept { return summary(holds_); }

    LongestHold longest_hold() const noexcept {
        return {in_ns(longest_.load(std::memory_order_acquire), scale_.ns_per_tick()),
                {file_.load(std::memory_order_relaxed), line_.load(std::memory_order_relaxed)}};
    }

    void add_wait(std::uint64_t ticks) noexcept { waits_.add(ticks); }

    void add_hold(std::uint64_t ticks, Here taken) noexcept {
        holds_.add(ticks);
        std::uint64_t seen = longest_.load(std::memory_order_relaxed);
        while (ticks > seen) {
            if (!longest_.compare_exchange_weak(seen, ticks, std::memory_order_release)) continue;
            file_.store(taken.file, std::memory_order_relaxed);
            line_.store(taken.line, std::memory_order_relaxed);
            return;
        }
    }

  private:
    static std::uint64_t in_ns(std::uint64_t ticks, double ns_per_tick) {
        return static_cast<std::uint64_t>(static_cast<double>(ticks) * ns_per_tick);
    }

    Summary summary(const TickHistogram& of) const noexcept {
        const double scale = scale_.ns_per_tick();  // it gets better with time
        return {of.count(), in_ns(of.quantile(0.5), scale), in_ns(of.quantile(0.99), scale)};
    }

    TickScale scale_;
    TickHistogram waits_;
    TickHistogram holds_;
    std::atomic<std::uint64_t> longest_{0};
    std::atomic<const char*> file_{""};
    std::atomic<int> line_{0};
};

}  // namespace tern::locking
