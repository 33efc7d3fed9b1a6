#pragma once

/// Pure decisions about load: when a thread is busy, how long a loop may run, what moves where.
/// Owned by nobody, no clock, no thread: a worker feeds measurements in and acts on the answers,
/// and tests feed made-up ones. It never looks at a loop, only at numbers.

#include "loops/time.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace tern::loops {

/// The rule "a turn that need not wait counts as busy", with hysteresis both ways.
class BusyMeter {
  public:
    BusyMeter(unsigned enter, unsigned leave, Duration force_idle)
        : enter_(enter), leave_(leave), force_idle_(force_idle) {}

    /// `wait` is the time the thread could wait for the kernel after a turn; returns busy().
    bool feed(Duration wait);

    bool busy() const { return busy_; }

  private:
    unsigned enter_;
    unsigned leave_;
    Duration force_idle_;
    unsigned count_ = 0;  ///< turns that speak against the present state, saturating at zero
    bool busy_ = false;
};

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

/// What time_slice() keeps to; see GroupLimits.
struct SliceLimits {
    Duration max_latency;
    Duration min_slice;
    Duration max_slice;
};

/// How long each of `loops` may run if `elapsed` of the round is gone already.
Duration time_slice(const SliceLimits& limits, Duration elapsed, std::size_t loops);

/// Load of a thread or a loop in thousandths of one processor.
using Load = std::uint32_t;

inline constexpr Load imbalance_max = 200;      ///< differences up to that are left alone
inline constexpr unsigned imbalance_ticks = 3;  ///< and have to last that long

/// To whom a thread should give a loop.
struct MovePlan {
    std::size_t to = 0;   ///< index of the thread that should get a loop
    Load difference = 0;  ///< between the two threads
};

/// Whether the thread `from` is the most loaded and should give a loop away now.
std::optional<MovePlan> plan_move(std::span<const Load> threads, std::size_t from);

/// The loop whose move best halves the difference; none if each would make it worse.
std::optional<std::size_t> choose_loop(std::span<const Load> loops, Load difference);

/// How many of `mine` runnable loops a busy thread gives away, if the other one has `other` besides
/// the one it runs. Differences that a single run makes are left alone.
std::size_t plan_even(std::size_t mine, std::size_t other);

/// How many of `mine` runnable loops a busy thread gives away, if the idlest one has `least` and
/// `injected` are on their way to it: what is about to be taken must not be given twice.
std::size_t plan_drop(std::size_t mine, std::size_t least, std::size_t injected);

/// What counts about a thread when a new loop is placed.
struct ThreadLoad {
    std::size_t loops = 0;
    Load load = 0;
};

/// Where a new loop goes: fewest loops; the less loaded one among equals.
std::size_t choose_thread(std::span<const ThreadLoad> threads);

}  // namespace tern::loops
