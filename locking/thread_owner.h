#pragma once

/// "Only this thread may call me": the check for objects that have no lock at all.
/// Embedded in such an object; bound to the thread that made it until handed over. It guards
/// nothing by itself, it aborts when the wrong thread comes. Handing over needs a happens-before
/// edge that the caller provides (a mailbox, a domain).

#include "locking/check.h"
#include "locking/thread_state.h"

#include <atomic>

namespace tern::locking {

/// One word. Bound to the thread that made it; a check by any other one aborts.
class ThreadOwner {
  public:
    ThreadOwner() : owner_(&thread_state) {}

    ThreadOwner(const ThreadOwner&) = delete;
    ThreadOwner& operator=(const ThreadOwner&) = delete;

    bool is_this_thread() const { return owner_.load(std::memory_order_relaxed) == &thread_state; }

    /// Aborts in any other thread.
    void check(Here where = Here::now()) const {
        if (!is_this_thread()) [[unlikely]] {
            fatal(where, {"called by a thread that does not own the object"});
        }
    }

    /// The owner lets go; some thread may take over next.
    void release(Here where = Here::now()) {
        check(where);
        owner_.store(nullptr, std::memory_order_release);
    }

    /// The calling thread becomes the owner; aborts if there is one.
    void take_over(Here where = Here::now()) {
        const ThreadState* nobody = nullptr;
        if (!owner_.compare_exchange_strong(nobody, &thread_state, std::memory_order_acquire))
            [[unlikely]] {
            fatal(where, {"taken over while another thread owns the object"});
        }
    }

  private:
    std::atomic<const ThreadState*> owner_;
};

}  // namespace tern::locking
