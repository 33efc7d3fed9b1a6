#include "loops/event_queue.h"

namespace tern::loops {

constinit Links EventInbox::end_;

Links* EventInbox::take() noexcept {
    Links* const newest = newest_.load(std::memory_order_seq_cst);
    if (newest == nullptr || newest == end()) return nullptr;
    return newest_.exchange(nullptr, std::memory_order_seq_cst);
}

bool EventInbox::try_close() noexcept {
    Links* expected = nullptr;
    return newest_.compare_exchange_strong(expected, end(), std::memory_order_seq_cst);
}

Links* EventInbox::close() noexcept {
    Links* const newest = newest_.exchange(end(), std::memory_order_seq_cst);
    return newest == end() ? nullptr : newest;
}

void EventQueue::append(EventInbox& inbox, Links& event) noexcept {
    if (!inbox.empty()) gather(inbox);
    event.next = &list_;
    event.previous = list_.previous;
    list_.previous->next = &event;
    list_.previous = &event;
}

std::uint32_t EventQueue::gather(EventInbox& inbox) noexcept {
    return append_all(inbox.take());
}

std::uint32_t EventQueue::append_all(Links* newest) noexcept {
    if (newest == nullptr) return 0;
    std::uint32_t count = 0;
    // The newest goes to the end; each older one before it.
    Links* after = &list_;
    Links* const before = list_.previous;
    while (newest != nullptr) {
        Links* const older = newest->next;
        newest->next = after;
        after->previous = newest;
        after = newest;
        newest = older;
        ++count;
    }
    before->next = after;
    after->previous = before;
    return count;
}

Callback EventQueue::pop() noexcept {
    auto& first = *static_cast<Event*>(list_.next);
    unlink(first);
    // The next one, which may lie in two lines, and the one behind it, while this one runs.
    Links& second = *list_.next;
    __builtin_prefetch(&second + 1);
    __builtin_prefetch(second.next, 1);
    return first.let_go();
}

void EventQueue::unlink(Links& event) noexcept {
    event.previous->next = event.next;
    event.next->previous = event.previous;
    event.next = event.previous = nullptr;
}

void EventQueue::close(EventInbox& inbox) noexcept {
    append_all(inbox.close());
}

}  // namespace tern::loops
