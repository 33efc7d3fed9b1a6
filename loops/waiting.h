#pragma once

/// Pure decisions about waiting: how long a thread may look for work before it sleeps, when it asks
/// to be woken, and whether a run lets more work come before it looks again. Owned by one worker,
/// or one run, each; no clock, no thread: measurements are fed in, and tests feed made-up ones.

#include "loops/time.h"

#include <algorithm>
#include <cstdint>

namespace tern::loops {

/// How much a thread may look for work before it sleeps: a twentieth of the time, and nothing for a
/// while after somebody else needed the processor: twenty times as long as he had it.
class SpinBudget {
  public:
    bool allows(Instant now);

    /// Looked that long in vain; what led to work is free.
    void spent(Duration span) { left_us_ -= span.microseconds(); }

    /// The processor was taken away, or given up, for that long.
    void preempted(Instant now, Duration span) {
        barred_until_ = now + std::min(span * share, bar_max);
    }

  private:
    static constexpr std::int64_t share = 20;         ///< one part in so many
    static constexpr std::int64_t left_us_max = 500;  ///< saved up
    static constexpr Duration bar_max = Duration::from_milliseconds(100);

    std::int64_t left_us_ = 0;
    Instant filled_at_;
    Instant barred_until_;
};

/// How much too early a thread asks the kernel to wake it for a timer, because the kernel is always
/// late by some time; learnt from how late it was. Takes the lower end of that, so that the thread
/// is seldom early, and then by little.
class WakeLead {
  public:
    Duration lead() const { return Duration::from_microseconds(sixteenths_ / 16); }

    /// A wait ended that long after its end, with nothing but time to end it.
    void learn(Duration late);

  private:
    static constexpr std::int64_t late_us_max = 100;

    std::int64_t sixteenths_ = 0;
};

/// Whether a run waits a moment before it takes what others send to its loop. If that trickles in
/// while it runs, few events at each look, sender and runner take the lines of memory from each
/// other for each of them; so after some looks more may come first, a microsecond long. Who is sent
/// one event at a time never waits, nor does who has fallen behind. Network cards do the same and
/// call it interrupt moderation. A value of one run.
class Moderation {
  public:
    /// So many have been taken at once.
    void took(std::uint32_t events) {
        ++takes_;
        last_ = events;
    }

    bool waits() const { return takes_ >= takes_unmoderated && last_ < few; }

    static constexpr unsigned pauses = 40;  ///< of the processor; about a microsecond

  private:
    static constexpr std::uint32_t takes_unmoderated = 3;
    static constexpr std::uint32_t few = 256;

    std::uint32_t takes_ = 0;
    std::uint32_t last_ = 0;
};

}  // namespace tern::loops
