#pragma once

/// The events waiting in one loop: many senders, one consumer who holds the loop's domain.
/// Senders push on a stack with one compare-and-swap; the consumer takes the whole stack and turns
/// it round into a doubly linked list from which events can be taken back. Owned by its loop.
/// Events of one sender run in the order sent. It never allocates and wakes nobody; the sender
/// does.

#include "loops/event.h"

#include <atomic>

namespace tern::loops {

class EventQueue {
  public:
    EventQueue() { list_.next = list_.previous = &list_; }

    EventQueue(const EventQueue&) = delete;
    EventQueue& operator=(const EventQueue&) = delete;

    /// Any thread; the event's target is set already. False if closed.
    bool push(Links& event) noexcept;

    /// The rest is for the holder of the domain.
    void append(Links& event) noexcept;
    Event* pop() noexcept;

    bool empty() const noexcept {
        return list_.next == &list_ && incoming_.load(std::memory_order_seq_cst) == nullptr;
    }

    /// Refuses further pushes if nothing is queued now; false otherwise.
    bool try_close() noexcept;
    /// Brings what was pushed into the list.
    void gather() noexcept;
    void unlink(Links& event) noexcept;
    /// Refuses further pushes and lets go of all that is queued.
    void close() noexcept;

    bool closed() const noexcept { return incoming_.load(std::memory_order_relaxed) == &list_; }

  private:
    std::atomic<Links*> incoming_{nullptr};  ///< newest first; &list_ when closed
    Links list_;
};

}  // namespace tern::loops
