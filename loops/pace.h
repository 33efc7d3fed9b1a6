#pragma once

/// A thread's sense of time: the clock is read every few microseconds only, and the processor's
/// counter, which costs half as much, after handlers, the more rarely the shorter they are.
/// Internal to loops/; one per worker, used by its thread alone; virtual clocks are always read.
/// It decides nothing: how long a run may last is the turn's business.

#include "locking/ticks.h"
#include "loops/time.h"

#include <cstdint>

namespace tern::loops {

class Pace {
  public:
    Pace(const Clock& clock, bool machine_clock) : clock_(clock), counts_(machine_clock) {
        calibrate_at_ = refresh() + calibrated_span_;
    }

    /// As of the last look at the clock, some microseconds ago at most while handlers run.
    Instant now() const { return now_; }

    /// Reads the clock.
    Instant refresh();

    /// Goes on from a time somebody else has read; simulation does.
    void set(Instant now) { now_ = now; }

    /// A run begins: its first handler is timed by itself.
    void begin() { stride_ = unchecked_ = 1; }

    /// After each handler: whether it is time to look. Look, then.
    bool step() { return --unchecked_ == 0; }

    /// Looks at the counter, and at the clock if some microseconds are gone. Returns what the
    /// handlers since the last look took, in nanoseconds.
    std::uint64_t look();

    /// The same at the end of a run, unless nothing ran since the last look.
    void finish() {
        if (unchecked_ != stride_) look();
    }

    /// Nanoseconds of thread time up to the last look; differences count.
    std::uint64_t spent_ns() const { return spent_ns_; }

  private:
    void calibrate();

    // The clock is read again after that.
    static constexpr std::uint64_t ns_between_reads = 7000;
    // Handlers shorter than that need not be timed one by one.
    static constexpr std::uint64_t short_handler_ns = 1500;
    static constexpr std::uint32_t stride_max = 32;
    static constexpr unsigned scale_bits = 20;

    const Clock& clock_;
    const bool counts_;  ///< the counter stands in for the clock
    Instant now_;
    std::uint64_t ticks_ = 0;          ///< at the last look
    std::uint64_t since_read_ns_ = 0;  ///< from the last look at the clock to the last look
    std::uint64_t spent_ns_ = 0;
    std::uint32_t stride_ = 1;     ///< handlers between two looks
    std::uint32_t unchecked_ = 1;  ///< of these, still to come
    locking::TickScale scale_;
    Duration calibrated_span_ = microseconds(100);  ///< the next time after as long again
    Instant calibrate_at_ = Instant::never();
    std::uint64_t ns_per_tick_ = std::uint64_t{1} << (scale_bits - 1);  ///< times 2^scale_bits
};

}  // namespace tern::loops
