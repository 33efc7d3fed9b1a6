#pragma once

/// One-shot and periodic timers of a loop, embedded in their owner.
/// All calls need the loop's domain (inside a turn or with a LoopEntry). Setting, moving and
/// stopping cost the same for one timer and for a million (timer_queue.h); moving to a later time
/// costs least. No system call, no lock. A timer never fires early; a stopped one never fires. It
/// belongs to one loop for life; when that loop stops, its timers fall silent.

#include "locking/check.h"
#include "loops/callback.h"
#include "loops/time.h"

#include <cstdint>

namespace tern::loops {

class Loop;

/// Embedded in its owner, immovable, of one loop for life; times in microseconds. Every call needs
/// the domain of that loop; setting and stopping abort without it. In a loop that has stopped,
/// setting does nothing.
class Timer {
  public:
    Timer(Loop& loop, Function function, void* context)
        : function_(function), context_(context), loop_(loop) {}

    Timer(Loop& loop, Callback callback) : Timer(loop, callback.function, callback.context) {}

    ~Timer() {
        if (active()) stop();
    }

    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Fires once at `when`, at once if that has passed. Replaces what was set before.
    void at(Instant when, locking::Here where = locking::Here::now());
    /// Fires once after `delay` from now.
    void in(Duration delay, locking::Here where = locking::Here::now());
    /// Fires every `period`, first after one period; each time up to `jitter` earlier, at random.
    /// Periods missed because the loop was late are not made up for. Aborts unless the period is
    /// above zero and the jitter between zero and the period.
    void every(Duration period, Duration jitter, locking::Here where = locking::Here::now());

    void every(Duration period, locking::Here where = locking::Here::now()) {
        every(period, Duration(), where);
    }

    void stop(locking::Here where = locking::Here::now());

    bool active() const { return slot_ != inactive_slot; }

    /// When it fires next; Instant::never() if inactive.
    Instant expiry() const { return expiry_; }

    /// Time left, at least zero; Duration::infinite() if inactive.
    Duration remaining() const;

    Loop& loop() const { return loop_; }

  private:
    friend class TimerHeap;
    friend class TimerQueue;
    friend class TimerWheel;
    friend class Loop;
    // Where its entry stands: the heap, the run, or a slot of the wheel.
    static constexpr std::uint16_t heap_slot = 0;
    static constexpr std::uint16_t run_slot = 1;
    static constexpr std::uint16_t first_wheel_slot = 2;
    static constexpr std::uint16_t inactive_slot = UINT16_MAX;

    void arm(Instant when);

    /// To a later time: its entry stays, and is filed anew when the old time comes. False if it has
    /// no entry that early.
    bool postpone(Instant when) {
        if (slot_ == inactive_slot || when < filed_) return false;
        expiry_ = when;
        return true;
    }

    /// Asks for the two lines of the cache that it lies in.
    static void prefetch(const Timer* timer) {
        if (timer == nullptr) return;
        __builtin_prefetch(&timer->filed_, 1);
        __builtin_prefetch(&timer->period_, 1);
    }

    // What moving its entry touches comes first, so one line is enough for that; then what firing
    // needs.
    Instant filed_;  ///< the time of its entry, never after expiry_
    std::uint32_t index_ = 0;
    std::uint16_t slot_ = inactive_slot;
    Instant expiry_ = Instant::never();
    Function function_;
    void* context_;
    Duration period_;
    Loop& loop_;
    Duration jitter_;
};

}  // namespace tern::loops
