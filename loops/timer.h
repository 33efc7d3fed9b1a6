#pragma once

/// One-shot and periodic timers of a loop, embedded in their owner.
/// All calls need the loop's domain (inside a turn or with a LoopEntry). Set and stop cost O(log n)
/// in the loop's heap; no system call, no lock. A timer never fires early; a stopped one never
/// fires. It belongs to one loop for life; when that loop stops, its timers fall silent.

#include "loops/callback.h"
#include "loops/time.h"

#include <cstdint>
#include <vector>

namespace tern::loops {

class Loop;

class Timer {
  public:
    Timer(Loop& loop, Function function, void* context)
        : loop_(loop), function_(function), context_(context) {}

    Timer(Loop& loop, Callback callback) : Timer(loop, callback.function, callback.context) {}

    ~Timer() {
        if (active()) stop();
    }

    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// Fires once at `when`, at once if that has passed. Replaces what was set before.
    void at(Instant when);
    /// Fires once after `delay` from now.
    void in(Duration delay);
    /// Fires every `period`, first after one period; each time up to `jitter` earlier, at random.
    /// Periods missed because the loop was late are not made up for.
    void every(Duration period, Duration jitter);

    void every(Duration period) { every(period, Duration()); }

    void stop();

    bool active() const { return index_ != inactive; }

    /// When it fires next; Instant::never() if inactive.
    Instant expiry() const { return expiry_; }

    /// Time left, at least zero; Duration::infinite() if inactive.
    Duration remaining() const;

    Loop& loop() const { return loop_; }

  private:
    friend class TimerHeap;
    friend class Loop;
    static constexpr std::uint32_t inactive = UINT32_MAX;

    void arm(Instant when);

    Loop& loop_;
    Function function_;
    void* context_;
    Instant expiry_ = Instant::never();
    Duration period_;
    Duration jitter_;
    std::uint32_t index_ = inactive;
};

/// Binary heap of timers, earliest first; each timer knows its place.
class TimerHeap {
  public:
    bool empty() const { return entries_.empty(); }

    std::size_t size() const { return entries_.size(); }

    Instant earliest() const { return entries_.empty() ? Instant::never() : entries_[0].at; }

    Timer* first() const { return entries_.empty() ? nullptr : entries_[0].timer; }

    /// Inserts the timer or changes its time.
    void set(Timer& timer, Instant at);
    void remove(Timer& timer);
    void clear();

  private:
    struct Entry {
        Instant at;
        Timer* timer;
    };

    void place(std::size_t index, Entry entry);
    void sift_up(std::size_t index, Entry entry);
    void sift_down(std::size_t index, Entry entry);

    std::vector<Entry> entries_;
};

}  // namespace tern::loops
