#include "loops/loop_io.h"

#include "loops/group_state.h"
#include "loops/loop.h"
#include "loops/watch_slot.h"

#include <array>
#include <cerrno>
#include <span>
#include <utility>

namespace tern::loops {

/// Calls `visit(Watcher&)` for each that stands in a poller, or is on its way into one, until it
/// returns false.
template <class F>
void LoopIo::for_watched(F&& visit) {
    for (Links* at = watchers.next; at != &watchers; at = at->next) {
        auto& watcher = *static_cast<Watcher*>(at);
        if (watcher.slot_ != nullptr && !visit(watcher)) return;
    }
}

Poller& LoopIo::poller() const {
    return own_ != nullptr ? *own_ : worker_->poller();
}

int LoopIo::add(Watcher& watcher, Interest interest) {
    WatchSlot& slot = loop_.runtime().state_->slots.take(loop_.cell_, &watcher);
    int error = poller().add(watcher.fd_, interest, slot.token());
    if (error == EEXIST && own_ == nullptr) {
        // Another loop of this thread may watch it as well.
        leave(worker_->poller());
        if (!enter_own(*worker_)) enter(worker_->poller(), Clash::refuse);
        error = poller().add(watcher.fd_, interest, slot.token());
    }
    if (error != 0) {
        slot.kill();
        return error;
    }
    watcher.slot_ = &slot;
    watcher.registered_ = interest;
    return 0;
}

int LoopIo::change(Watcher& watcher, Interest interest) {
    const int error = poller().change(watcher.fd_, interest, watcher.slot_->token());
    if (error == 0) watcher.registered_ = interest;
    return error;
}

void LoopIo::remove(Watcher& watcher) {
    poller().remove(watcher.fd_);
    watcher.slot_->kill();
    watcher.slot_ = nullptr;
}

/// It will be told at the next run.
void LoopIo::refuse(Watcher& watcher) {
    watcher.slot_->kill();
    watcher.slot_ = nullptr;
    watcher.failed_ = failures = true;
}

bool LoopIo::has_many() {
    std::size_t count = 0;
    for_watched([&count](Watcher&) { return ++count <= few; });
    return count > few;
}

void LoopIo::leave(Poller& from) {
    for_watched([&from](Watcher& watcher) {
        from.remove(watcher.fd_);
        watcher.slot_->renew();
        return true;
    });
}

/// All that have left. False if it gave up, and then none has entered.
bool LoopIo::enter(Poller& to, Clash clash) {
    const Watcher* stopped_at = nullptr;
    for_watched([&](Watcher& watcher) {
        const int error = to.add(watcher.fd_, watcher.registered_, watcher.slot_->token());
        if (error == EEXIST && clash == Clash::give_up) {
            stopped_at = &watcher;
        } else if (error != 0) {
            refuse(watcher);
        }
        return stopped_at == nullptr;
    });
    if (stopped_at == nullptr) return true;
    for_watched([&](Watcher& watcher) {
        if (&watcher == stopped_at) return false;
        to.remove(watcher.fd_);
        return true;
    });
    return false;
}

/// All that have left, into a poller of the loop's own that stands in the thread's; false if the
/// system has none.
bool LoopIo::enter_own(Worker& here) {
    if (own_ == nullptr) {
        RuntimeState& state = *loop_.runtime().state_;
        own_ = state.pollers.make(PollerUse::loop);
        if (own_ == nullptr) return false;
        own_slot_ = &state.slots.take(loop_.cell_, nullptr);
        enter(*own_, Clash::refuse);
    }
    const int error = here.poller().add(own_->descriptor(), Interest::readable, own_slot_->token());
    TERN_ASSERT(error == 0, "cannot watch loop ", loop_.name(), ", errno ", error);
    return true;
}

void LoopIo::settle(Worker& here) {
    if (worker_ == &here) return;
    Worker* const before = std::exchange(worker_, &here);
    if (before == nullptr) {
        for (Links* at = watchers.next; at != &watchers; at = at->next)
            static_cast<Watcher*>(at)->update();
    } else if (own_ != nullptr) {
        before->poller().remove(own_->descriptor());
        own_slot_->renew();
        enter_own(here);
    } else {
        leave(before->poller());
        if (!has_many() && enter(here.poller(), Clash::give_up)) return;
        if (!enter_own(here)) enter(here.poller(), Clash::refuse);
    }
}

void LoopIo::ask_own_poller() {
    if (own_ == nullptr) return;
    std::array<Poller::Report, 64> reports;
    const std::size_t count = own_->wait(reports, Duration());
    WatchSlots& slots = loop_.runtime().state_->slots;
    for (const Poller::Report& report : std::span(reports).first(count))
        slots.report(report);
}

void LoopIo::retire() {
    for_watched([this](Watcher& watcher) {
        if (own_ == nullptr) worker_->poller().remove(watcher.fd_);
        watcher.slot_->kill();
        watcher.slot_ = nullptr;
        return true;
    });
    if (own_ != nullptr) {
        worker_->poller().remove(own_->descriptor());
        own_slot_->kill();
        own_.reset();
    }
    worker_ = nullptr;
}

}  // namespace tern::loops
