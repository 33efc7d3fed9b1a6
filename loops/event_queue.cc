#include "loops/event_queue.h"

namespace tern::loops {

bool EventQueue::push(Links& event) noexcept {
    Links* head = incoming_.load(std::memory_order_relaxed);
    do {
        if (head == &list_) return false;
        event.next = head;
    } while (!incoming_.compare_exchange_weak(head, &event, std::memory_order_seq_cst,
                                              std::memory_order_relaxed));
    return true;
}

void EventQueue::append(Links& event) noexcept {
    if (incoming_.load(std::memory_order_relaxed) != nullptr) gather();
    event.next = &list_;
    event.previous = list_.previous;
    list_.previous->next = &event;
    list_.previous = &event;
}

void EventQueue::gather() noexcept {
    if (incoming_.load(std::memory_order_seq_cst) == nullptr || closed()) return;
    Links* newest = incoming_.exchange(nullptr, std::memory_order_seq_cst);
    // The newest goes to the end; each older one before it.
    Links* after = &list_;
    Links* const before = list_.previous;
    while (newest != nullptr) {
        Links* const older = newest->next;
        newest->next = after;
        after->previous = newest;
        after = newest;
        newest = older;
    }
    before->next = after;
    after->previous = before;
}

Event* EventQueue::pop() noexcept {
    if (list_.next == &list_) {
        gather();
        if (list_.next == &list_) return nullptr;
    }
    Links& first = *list_.next;
    unlink(first);
    return static_cast<Event*>(&first);
}

bool EventQueue::try_close() noexcept {
    if (list_.next != &list_) return false;
    Links* expected = nullptr;
    return incoming_.compare_exchange_strong(expected, &list_, std::memory_order_seq_cst);
}

void EventQueue::unlink(Links& event) noexcept {
    event.previous->next = event.next;
    event.next->previous = event.previous;
    event.next = event.previous = nullptr;
}

void EventQueue::close() noexcept {
    gather();
    Links* rest = incoming_.exchange(&list_, std::memory_order_seq_cst);
    if (rest == &list_) rest = nullptr;
    while (rest != nullptr) {
        Links* const next = rest->next;
        rest->next = nullptr;
        static_cast<Event*>(rest)->target_.store(nullptr, std::memory_order_release);
        rest = next;
    }
    while (list_.next != &list_) {
        Links& event = *list_.next;
        unlink(event);
        static_cast<Event*>(&event)->target_.store(nullptr, std::memory_order_release);
    }
}

}  // namespace tern::loops
