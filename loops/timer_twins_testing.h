#pragma once

/// A timer queue beside a sorted map that does the same the slow way; whatever differs aborts. For
/// the unit test and the fuzzer, which own it. The timers belong to a loop only because timers
/// must. It sets no time by itself.

#include "locking/check.h"
#include "loops/test_support.h"
#include "loops/timer_queue.h"

#include <map>
#include <memory>
#include <vector>

namespace tern::loops::test {

struct TimerTwins {
    explicit TimerTwins(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            timers.push_back(std::make_unique<Timer>(loop.loop, nullptr, nullptr));
    }

    ~TimerTwins() { queue.clear(); }

    void set(Timer& timer, Instant at) {
        queue.set(timer, at);
        forget(timer);
        model.emplace(at, &timer);
    }

    void remove(Timer& timer) {
        if (!timer.active()) return;
        queue.remove(timer);
        forget(timer);
    }

    void forget(const Timer& timer) {
        std::erase_if(model, [&timer](const auto& each) { return each.second == &timer; });
    }

    /// Takes all that is due and compares; both give the same times in the same order.
    void expire(Instant now) {
        while (Timer* const timer = queue.take_due(now)) {
            TERN_ASSERT(!model.empty() && timer->expiry() == model.begin()->first, "order");
            TERN_ASSERT(!timer->active(), "a timer that was taken is active");
            forget(*timer);
        }
        check();
        TERN_ASSERT(model.empty() || model.begin()->first > now, "a due timer was left");
        TERN_ASSERT(queue.earliest() > now, "earliest is due");
    }

    void check() const {
        TERN_ASSERT(queue.size() == model.size(), "size");
        TERN_ASSERT(model.empty() || queue.earliest() <= model.begin()->first, "earliest is late");
        TERN_ASSERT(model.empty() == queue.earliest().is_never(), "empty and never differ");
    }

    Sim sim;
    TestLoop loop{*sim.group, "a"};
    std::vector<std::unique_ptr<Timer>> timers;
    TimerQueue queue;
    std::multimap<Instant, Timer*> model;
};

}  // namespace tern::loops::test
