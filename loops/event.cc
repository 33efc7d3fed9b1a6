#include "loops/event.h"

#include "loops/cell.h"
#include "loops/loop.h"

#include <thread>

namespace tern::loops {

Sent Event::send(Loop& loop, locking::Here where) noexcept {
    if (Loop* const before = target_.exchange(&loop, std::memory_order_acq_rel)) {
        if (before != &loop) [[unlikely]]
            misuse_second_loop(*this, *before, loop, where);
        return Sent::already;
    }
    // Once pushed, the event may run, and the loop may stop and be gone; its cell stays.
    LoopCell& cell = loop.cell_;
    if (running_loop == &loop && !loop.silent()) {
        cell.events.append(cell.inbox, *this);  // the run that goes on will find it
        return Sent::queued;
    }
    if (!cell.inbox.push(*this)) {
        target_.store(nullptr, std::memory_order_release);
        return Sent::stopped;
    }
    wake(cell);
    return Sent::queued;
}

bool Event::cancel(locking::Here where) noexcept {
    for (;;) {
        Loop* loop = target_.load(std::memory_order_acquire);
        if (loop == nullptr) return false;
        loop->assert_held("event destroyed or cancelled while queued", where);
        LoopCell& cell = loop->cell_;
        cell.events.gather(cell.inbox);
        if (previous != nullptr) {
            cell.events.unlink(*this);
            target_.store(nullptr, std::memory_order_release);
            return true;
        }
        std::this_thread::yield();  // a sender stands between claiming and pushing
    }
}

}  // namespace tern::loops
