#include "loops/timer.h"

#include "loops/loop.h"
#include "loops/settle.h"

#include <algorithm>

namespace tern::loops {

void TimerHeap::place(std::size_t index, Entry entry) {
    entries_[index] = entry;
    entry.timer->index_ = static_cast<std::uint32_t>(index);
}

void TimerHeap::sift_up(std::size_t index, Entry entry) {
    while (index > 0) {
        const std::size_t parent = (index - 1) / 2;
        if (!(entry.at < entries_[parent].at)) break;
        place(index, entries_[parent]);
        index = parent;
    }
    place(index, entry);
}

void TimerHeap::sift_down(std::size_t index, Entry entry) {
    for (;;) {
        std::size_t child = index * 2 + 1;
        if (child >= entries_.size()) break;
        if (child + 1 < entries_.size() && entries_[child + 1].at < entries_[child].at) ++child;
        if (!(entries_[child].at < entry.at)) break;
        place(index, entries_[child]);
        index = child;
    }
    place(index, entry);
}

void TimerHeap::set(Timer& timer, Instant at) {
    const Entry entry{at, &timer};
    if (timer.index_ == Timer::inactive) {
        entries_.push_back(entry);
        sift_up(entries_.size() - 1, entry);
    } else if (at < entries_[timer.index_].at) {
        sift_up(timer.index_, entry);
    } else {
        sift_down(timer.index_, entry);
    }
}

void TimerHeap::remove(Timer& timer) {
    const std::size_t index = timer.index_;
    timer.index_ = Timer::inactive;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (index == entries_.size()) return;
    if (index > 0 && last.at < entries_[(index - 1) / 2].at) {
        sift_up(index, last);
    } else {
        sift_down(index, last);
    }
}

void TimerHeap::clear() {
    for (const Entry& entry : entries_) {
        entry.timer->index_ = Timer::inactive;
        entry.timer->expiry_ = Instant::never();
    }
    entries_.clear();
}

void Timer::arm(Instant when) {
    loop_.domain_.assert_held();
    if (loop_.silent_) return;
    expiry_ = when;
    loop_.timers_.set(*this, when);
    loop_.timer_set(when);
}

void Timer::at(Instant when) {
    period_ = Duration();
    arm(when);
}

void Timer::in(Duration delay) {
    period_ = Duration();
    arm(loop_.now() + std::max(delay, Duration()));
}

void Timer::every(Duration period, Duration jitter) {
    TERN_ASSERT(period > Duration() && jitter >= Duration() && jitter <= period,
                "timer period and jitter");
    period_ = period;
    jitter_ = jitter;
    arm(loop_.now() + loop_.jittered(period, jitter));
}

void Timer::stop() {
    if (!active()) return;
    loop_.domain_.assert_held();
    loop_.timers_.remove(*this);
    expiry_ = Instant::never();
}

Duration Timer::remaining() const {
    if (!active()) return Duration::infinite();
    return std::max(expiry_ - loop_.now(), Duration());
}

void Settle::kick(Duration min, Duration max) {
    const Instant now = timer_.loop().now();
    if (!timer_.active()) first_ = now;
    timer_.at(std::max(std::min(now + min, first_ + std::max(min, max)), now));
}

}  // namespace tern::loops
