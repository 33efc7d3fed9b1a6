#pragma once

/// Virtual time: it passes only when told to.
/// For tests and simulation; SimRuntime moves it to the next timer when nothing else is left to do.
/// Owned by the test. Reading is safe from any thread, moving belongs to one.

#include "loops/time.h"

#include <atomic>

namespace tern::loops {

/// Stands still until advanced; never goes back. One thread.
class SimClock final : public Clock {
  public:
    /// Starts one second after zero (zero means "no time yet") on 2026-01-01 00:00:00 UTC.
    SimClock() = default;

    Instant now() const override {
        return Instant::from_microseconds(now_us_.load(std::memory_order_relaxed));
    }

    WallTime wall_now() const override {
        return WallTime::from_microseconds(wall_offset_us + now().microseconds());
    }

    void advance(Duration span) { advance_to(now() + span); }

    /// Never moves backwards.
    void advance_to(Instant when) {
        if (when > now()) now_us_.store(when.microseconds(), std::memory_order_relaxed);
    }

  private:
    static constexpr std::int64_t wall_offset_us = 1'767'225'599'000'000;
    std::atomic<std::int64_t> now_us_{1'000'000};
};

}  // namespace tern::loops
