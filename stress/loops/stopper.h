#pragma once

/// The end of a storm: stops all loops and quits when the last has stopped, and whatever else was
/// under way has ended. Owned by the test, used in the main loop alone; it keeps the loops, which
/// are the test's, no longer than that. Never waits.

#include "loops/test_support.h"

#include <cstddef>
#include <deque>

namespace tern::stress {

/// One per runtime; stop() once.
struct Stopper {
    explicit Stopper(loops::Runtime& runtime_) : runtime(runtime_) {}

    void stop(std::deque<loops::test::TestLoop>& all, std::size_t others = 0) {
        left = all.size() + others;
        for (loops::test::TestLoop& loop : all)
            loop.loop.stop(runtime.main_loop(), events.emplace_back(stopped, this));
    }

    bool stopping() const { return left != 0; }

    void one_ended() {
        if (--left == 0) runtime.quit();
    }

    static void stopped(void* self, loops::Turn&) { static_cast<Stopper*>(self)->one_ended(); }

    loops::Runtime& runtime;
    std::size_t left = 0;
    std::deque<loops::Event> events;
};

}  // namespace tern::stress
