#pragma once

/// Ordered messages to a loop, bounded: posting to a full box is refused, never blocks.
/// Owned by the receiver and used under its loop's domain, except post(), which any thread may
/// call. Values are moved in and out; one event wakes the loop for any number of messages. Order:
/// all messages in the order in which their posts took effect.

#include "locking/check.h"
#include "loops/event.h"
#include "loops/loop.h"

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace tern::loops {

/// At most the number of messages given to the constructor; they are moved in and out, and what is
/// left at the end is destroyed with the box, under the loop's domain and with nobody posting. The
/// loop is borrowed. Only the constructor allocates.
template <class T>
class Mailbox {
  public:
    /// Called in the loop, once for each message, which is destroyed when it returns; so it may not
    /// destroy the box.
    using Receive = void (*)(void* context, Turn& turn, T& message);

    /// `capacity` is a power of two, at least 2.
    Mailbox(Loop& loop, std::size_t capacity, Receive receive, void* context)
        : loop_(loop),
          cells_(std::make_unique<Cell[]>(capacity)),
          mask_(capacity - 1),
          receive_(receive),
          context_(context),
          event_(arrived, this) {
        TERN_ASSERT(capacity >= 2 && (capacity & mask_) == 0, "mailbox of ", capacity);
        for (std::size_t i = 0; i < capacity; ++i)
            cells_[i].sequence.store(i);
    }

    ~Mailbox() {
        while (T* message = front())
            pop(message);
    }

    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    /// Any thread; never waits. False if the box is full; the message is then left as it was. What
    /// is posted to a loop that has stopped stays in the box.
    [[nodiscard]] bool post(T&& message);

    bool empty() const { return front() == nullptr; }

    /// Drops what has arrived; it is not received.
    void clear() {
        while (T* message = front())
            pop(message);
        event_.cancel();
    }

  private:
    struct Cell {
        std::atomic<std::size_t> sequence;
        alignas(T) std::byte storage[sizeof(T)];
    };

    static void arrived(void* context, Turn& turn) { static_cast<Mailbox*>(context)->drain(turn); }

    void drain(Turn& turn) {
        while (T* message = front()) {
            receive_(context_, turn, *message);
            pop(message);
            if (turn.spent(arrived)) {
                event_.send(loop_);
                return;
            }
        }
    }

    T* front() const {
        Cell& cell = cells_[head_ & mask_];
        if (cell.sequence.load(std::memory_order_acquire) != head_ + 1) return nullptr;
        return std::launder(reinterpret_cast<T*>(cell.storage));
    }

    void pop(T* message) {
        message->~T();
        cells_[head_ & mask_].sequence.store(head_ + mask_ + 1, std::memory_order_release);
        ++head_;
    }

    Loop& loop_;
    std::unique_ptr<Cell[]> cells_;
    std::size_t mask_;
    Receive receive_;
    void* context_;
    std::size_t head_ = 0;  // receiver only
    // What senders write, in a line of its own.
    alignas(64) std::atomic<std::size_t> tail_{0};  // next ticket
    Event event_;
};

// ------------------------------------------------------------------------------------------------

template <class T>
bool Mailbox<T>::post(T&& message) {
    std::size_t ticket = tail_.load(std::memory_order_relaxed);
    for (;;) {
        Cell& cell = cells_[ticket & mask_];
        const std::size_t sequence = cell.sequence.load(std::memory_order_acquire);
        if (sequence == ticket) {
            if (!tail_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed))
                continue;
            new (cell.storage) T(std::move(message));
            cell.sequence.store(ticket + 1, std::memory_order_release);
            event_.send(loop_);
            return true;
        }
        if (static_cast<std::ptrdiff_t>(sequence - ticket) < 0) return false;
        ticket = tail_.load(std::memory_order_relaxed);
    }
}

}  // namespace tern::loops
