#pragma once

/// Ordered messages to a loop, bounded: posting to a full box is refused, never waits for room.
/// Owned by the receiver and used under its loop's domain, except post(), which any thread may
/// call. Messages lie side by side in the order posted; the loop takes all of them at once, so that
/// those who post and the one who receives write to the same lines of memory once for each batch
/// instead of once for each message, and only the first message of a batch has to send an event.

#include "locking/check.h"
#include "locking/futex_mutex.h"
#include "loops/event.h"
#include "loops/loop.h"

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

namespace tern::loops {

/// At most the number of messages given to the constructor wait, and as many that were taken are
/// being received; they are moved in, under a lock of the box, and out. What is left at the end is
/// destroyed with the box, under the loop's domain and with nobody posting. The loop is borrowed.
/// Only the constructor allocates.
template <class T>
class Mailbox {
    static_assert(std::is_nothrow_move_constructible_v<T>, "messages are moved under a lock");

  public:
    /// Called in the loop, once for each message, which is destroyed when it returns; so it may not
    /// destroy the box.
    using Receive = void (*)(void* context, Turn& turn, T& message);

    Mailbox(Loop& loop, std::size_t capacity, Receive receive, void* context)
        : loop_(loop),
          receive_(receive),
          context_(context),
          capacity_(capacity),
          event_(arrived, this) {
        TERN_ASSERT(capacity > 0, "mailbox without room");
        taken_.reserve(capacity);
        posted_.reserve(capacity);
    }

    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    /// Any thread; waits for no more than another post. False if the box is full; the message is
    /// then left as it was. What is posted to a loop that has stopped stays in the box.
    [[nodiscard]] bool post(T&& message);

    bool empty() const {
        const locking::FutexLock lock(mutex_);
        return next_ == taken_.size() && posted_.empty();
    }

    /// Drops what has arrived; it is not received.
    void clear() {
        event_.cancel();  // first: who posts from now on sends it again
        take();
        taken_.clear();
    }

  private:
    static void arrived(void* context, Turn& turn) { static_cast<Mailbox*>(context)->drain(turn); }

    /// What the last run left, then what has come since. Whoever posts after that sends the event.
    void drain(Turn& turn) {
        if (!receive_taken(turn)) return;
        take();
        receive_taken(turn);
    }

    /// False if the loop has to do something else first.
    bool receive_taken(Turn& turn) {
        while (next_ < taken_.size()) {
            T message = std::move(taken_[next_++]);
            receive_(context_, turn, message);
            if (turn.spent(arrived)) {
                event_.send(loop_);
                return false;
            }
        }
        return true;
    }

    void take() {
        taken_.clear();
        next_ = 0;
        const locking::FutexLock lock(mutex_);
        taken_.swap(posted_);
    }

    // What both sides read.
    Loop& loop_;
    const Receive receive_;
    void* const context_;
    const std::size_t capacity_;

    // The receiver's, written with each message.
    alignas(64) std::vector<T> taken_;
    std::size_t next_ = 0;  ///< of these

    // Written with each post.
    alignas(64) mutable locking::FutexMutex mutex_;
    std::vector<T> posted_ TERN_GUARDED_BY(mutex_);
    Event event_;
};

// ------------------------------------------------------------------------------------------------

template <class T>
bool Mailbox<T>::post(T&& message) {
    bool first = false;
    {
        const locking::FutexLock lock(mutex_);
        if (posted_.size() == capacity_) return false;
        first = posted_.empty();
        posted_.push_back(std::move(message));
    }
    if (first) event_.send(loop_);
    return true;
}

}  // namespace tern::loops
