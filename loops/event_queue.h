#pragma once

/// The events waiting in one loop: many senders, one consumer who holds the loop's domain.
/// Two parts, far enough apart that senders and consumer do not write to one cache line: the
/// *inbox*, a stack that senders push on with one compare-and-swap, beside the loop's state word;
/// and the *queue* of the consumer, who takes the whole stack and turns it round into a doubly
/// linked list from which events can be taken back. Owned by the cell. Events of one sender
/// run in the order sent. They never allocate and wake nobody; the sender does.

#include "loops/event.h"

#include <atomic>

namespace tern::loops {

/// What senders see. Any thread may call.
class EventInbox {
  public:
    EventInbox() = default;

    EventInbox(const EventInbox&) = delete;
    EventInbox& operator=(const EventInbox&) = delete;

    /// The event is claimed already. False if closed.
    bool push(Links& event) noexcept;

    bool empty() const noexcept { return newest_.load(std::memory_order_seq_cst) == nullptr; }

    bool closed() const noexcept { return newest_.load(std::memory_order_relaxed) == end(); }

    /// Opens it anew for another loop; the caller alone knows the cell.
    void open() noexcept { newest_.store(nullptr, std::memory_order_relaxed); }

    /// The rest is for the holder of the domain. Takes all, newest first; nullptr if closed.
    Links* take() noexcept;
    /// Refuses further pushes if there is nothing; false otherwise.
    bool try_close() noexcept;
    /// Refuses further pushes and takes all, newest first.
    Links* close() noexcept;

  private:
    /// Stands in a closed inbox; no event.
    static Links* end() noexcept { return &end_; }

    static Links end_;
    std::atomic<Links*> newest_{nullptr};
};

/// What the holder of the domain sees; the inbox is always that of its loop.
class EventQueue {
  public:
    EventQueue() { list_.next = list_.previous = &list_; }

    EventQueue(const EventQueue&) = delete;
    EventQueue& operator=(const EventQueue&) = delete;

    bool empty() const noexcept { return list_.next == &list_; }

    void append(EventInbox& inbox, Links& event) noexcept;
    /// The first one of some, which may be sent again from then on.
    Callback pop() noexcept;
    /// Brings what was pushed into the list; returns how many.
    std::uint32_t gather(EventInbox& inbox) noexcept;
    void unlink(Links& event) noexcept;
    /// Refuses further pushes; what is queued stays until it is popped.
    void close(EventInbox& inbox) noexcept;

  private:
    std::uint32_t append_all(Links* newest) noexcept;

    Links list_;
};

// ------------------------------------------------------------------------------------------------

inline bool EventInbox::push(Links& event) noexcept {
    Links* head = newest_.load(std::memory_order_relaxed);
    do {
        if (head == end()) [[unlikely]]
            return false;
        event.next = head;
    } while (!newest_.compare_exchange_weak(head, &event, std::memory_order_seq_cst,
                                            std::memory_order_relaxed));
    return true;
}

}  // namespace tern::loops
