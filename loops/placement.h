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
