#pragma once

/// Runs a function in another loop and reports back in one's own.
/// The caller embeds the call beside its arguments and results: `work` runs in the other loop with
/// its domain held, `done` in the home loop afterwards. Between start() and `done` both belong to
/// the call: do not touch or destroy them (assert: not in flight). If the other loop has stopped,
/// `done` comes all the same and completed() says false. It never allocates and never waits.

#include "locking/check.h"
#include "loops/event.h"
#include "loops/loop.h"

#include <atomic>

namespace tern::loops {

/// Embedded in the caller, in flight once at a time; the two loops are borrowed.
class RemoteCall {
  public:
    RemoteCall(Loop& home, Callback work, Callback done)
        : home_(home), work_(work), done_(done), there_(arrived, this), back_(returned, this) {}

    ~RemoteCall() { TERN_ASSERT(!in_flight(), "remote call destroyed in flight"); }

    RemoteCall(const RemoteCall&) = delete;
    RemoteCall& operator=(const RemoteCall&) = delete;

    /// Under the home loop's domain; not while in flight.
    void start(Loop& there) {
        TERN_ASSERT(!in_flight(), "remote call started twice");
        in_flight_.store(true, std::memory_order_relaxed);
        completed_ = false;
        if (there_.send(there) == Sent::stopped) back_.send(home_);
    }

    bool in_flight() const { return in_flight_.load(std::memory_order_acquire); }

    /// In `done`: whether the work ran.
    bool completed() const { return completed_; }

  private:
    static void arrived(void* context, Turn& turn) {
        auto& self = *static_cast<RemoteCall*>(context);
        self.work_.function(self.work_.context, turn);
        self.completed_ = true;
        self.back_.send(self.home_);
    }

    static void returned(void* context, Turn& turn) {
        auto& self = *static_cast<RemoteCall*>(context);
        self.in_flight_.store(false, std::memory_order_release);
        self.done_.function(self.done_.context, turn);
    }

    Loop& home_;
    Callback work_;
    Callback done_;
    Event there_;
    Event back_;
    std::atomic<bool> in_flight_{false};
    bool completed_ = false;
};

}  // namespace tern::loops
