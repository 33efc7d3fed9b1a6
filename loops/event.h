#pragma once

/// A run-once request to call a function in a loop, embedded in its owner: events, not threads,
/// carry work between loops. Any thread may send, without waiting and without allocation; sending
/// again before it has run changes nothing (coalescing), and the run sees what was done before that
/// send; sending from its own handler is honoured.
/// The owner destroys or cancels it under the domain of the loop it was sent to. An event is in one
/// loop at a time: sending it elsewhere while queued aborts.

#include "locking/check.h"
#include "loops/callback.h"

#include <atomic>

namespace tern::loops {

class Loop;

/// What became of a send. No queue is ever full: an event brings its own place in it.
enum class Sent : std::uint8_t {
    queued,   ///< will run once
    already,  ///< was queued in that loop before and has not run yet
    stopped,  ///< the loop has stopped; the event will not run
};

/// Embedded in its owner, immovable, five words. Sending is for any thread; taking back and
/// destroying need the domain of the loop it is queued in.
class Event : private Links {
  public:
    Event(Function function, void* context) : function_(function), context_(context) {}

    explicit Event(Callback callback) : Event(callback.function, callback.context) {}

    ~Event() {
        if (target_.load(std::memory_order_acquire) != nullptr) cancel();
    }

    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    /// Any thread, any domains held. Costs no system call unless a thread has to be woken: the
    /// loop's, or an idle one of its group if that is stuck in a long run.
    Sent send(Loop& loop, locking::Here where = locking::Here::now()) noexcept;

    /// Takes it back; false if it was not queued. Needs the domain of the loop it is queued in.
    bool cancel(locking::Here where = locking::Here::now()) noexcept;

    bool queued() const noexcept { return target_.load(std::memory_order_acquire) != nullptr; }

  private:
    friend class EventQueue;
    friend class WatchSlot;

    /// From here on it may be sent again. What was done before a send that found it queued is seen:
    /// both sides swap, so one of them reads what the other has written.
    Callback let_go() noexcept {
        // Read first: whoever sends it next has the line then.
        const Callback callback{function_, context_};
        target_.exchange(nullptr, std::memory_order_acq_rel);
        return callback;
    }

    std::atomic<Loop*> target_{nullptr};  ///< where it is queued
    Function function_;
    void* context_;
};

}  // namespace tern::loops
