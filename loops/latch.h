#pragma once

/// Waits for the last of many: holds are taken and given back in any thread; when the latch has
/// been closed and the last hold is gone, its event is sent, once. Used for "finish this when
/// nothing stands in the way any more". Owned by whoever waits; it must live until the event has
/// come.

#include "locking/check.h"
#include "loops/event.h"

#include <atomic>
#include <cstdint>
#include <utility>

namespace tern::loops {

/// A count of holds and a promise of one event to the loop `tell`; both are borrowed.
class Latch {
  public:
    /// One reason to wait. Movable, given back in any thread, by its end at the latest.
    class Hold {
      public:
        Hold() = default;

        explicit Hold(Latch& latch) : latch_(&latch) {
            latch.count_.fetch_add(1, std::memory_order_relaxed);
        }

        ~Hold() { release(); }

        Hold(Hold&& other) noexcept : latch_(std::exchange(other.latch_, nullptr)) {}

        Hold& operator=(Hold&& other) noexcept {
            if (this != &other) {
                release();
                latch_ = std::exchange(other.latch_, nullptr);
            }
            return *this;
        }

        bool held() const { return latch_ != nullptr; }

        void release() {
            if (Latch* const latch = std::exchange(latch_, nullptr)) latch->drop();
        }

      private:
        Latch* latch_ = nullptr;
    };

    /// `done` is sent to `tell`.
    Latch(Loop& tell, Event& done) : tell_(tell), done_(done) {}

    ~Latch() {
        TERN_ASSERT(count_.load(std::memory_order_acquire) == (closed_ ? 0 : 1),
                    "latch destroyed while held");
    }

    Latch(const Latch&) = delete;
    Latch& operator=(const Latch&) = delete;

    /// Only before close(), or by a thread that has a hold.
    Hold hold() { return Hold(*this); }

    /// Lets the event be sent as soon as no hold is left. Once.
    void close() {
        TERN_ASSERT(!closed_, "latch closed twice");
        closed_ = true;
        drop();
    }

    /// Holds now; for reports.
    std::uint32_t holds() const {
        return count_.load(std::memory_order_relaxed) - (closed_ ? 0 : 1);
    }

  private:
    void drop() {
        // After the last decrement the owner may destroy this object as soon as the event ran.
        Loop& tell = tell_;
        Event& done = done_;
        if (count_.fetch_sub(1, std::memory_order_acq_rel) == 1) done.send(tell);
    }

    Loop& tell_;
    Event& done_;
    std::atomic<std::uint32_t> count_{1};
    bool closed_ = false;
};

}  // namespace tern::loops
