#pragma once

/// The timers of one loop, in three parts by nearness:
///   heap   what was set for a time that has been handed out already, and everything while few
///   run    the slot of the wheel whose time has come, sorted once, latest first
///   wheel  the rest, made when there are many
/// Setting a timer to a later time changes the timer alone: its entry stays where it is and is
/// filed anew when its old time comes. So earliest() may be early, never late. Owned by the loop,
/// under its domain; an empty queue is one pointer. It never looks at a clock.

#include "loops/timer_wheel.h"

#include <cstddef>
#include <memory>
#include <vector>

namespace tern::loops {

class TimerQueue {
  public:
    TimerQueue();
    ~TimerQueue();

    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    bool empty() const { return size() == 0; }

    std::size_t size() const;

    /// No timer expires earlier; Instant::never() if there is none.
    Instant earliest() const { return parts_ == nullptr ? Instant::never() : nearest(); }

    /// Inserts the timer or changes its time.
    void set(Timer& timer, Instant at);
    void remove(Timer& timer);

    /// Takes out and returns a timer that expires at `now` at the latest, the earliest first;
    /// nullptr if none does, and then earliest() is later than `now`.
    Timer* take_due(Instant now) { return parts_ == nullptr ? nullptr : take_first(now); }

    void clear();

  private:
    struct Parts;

    Instant nearest() const;
    Timer* take_first(Instant now);
    void insert(Timer& timer, Instant at);
    bool refill(Instant now);
    void start_wheel();

    std::unique_ptr<Parts> parts_;  ///< made with the first timer
};

}  // namespace tern::loops
