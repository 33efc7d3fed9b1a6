// Handlers of two loops that count in one place without a domain: what a checker of races must
// find. Hidden, since it is wrong; built for Helgrind only.
#include "loops/test_support.h"

#include <atomic>
#include <deque>

#include <catch2/catch.hpp>

namespace tern::stress {

using loops::Event;
using loops::GroupKind;
using loops::Turn;
using loops::test::Action;
using loops::test::Real;
using loops::test::TestLoop;

TEST_CASE("two loops count in one place", "[.][planted]") {
    Real real(1);
    loops::ThreadGroup& express =
        real.runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 1});
    TestLoop here(real.group, "here");
    TestLoop there(express, "there");
    // Both handlers run at the same time, and nothing orders one before the other.
    std::atomic<int> inside{0};
    std::uint64_t runs = 0;
    std::uint64_t left = 2;
    Action count_action{[&](Turn&) {
        inside.fetch_add(1, std::memory_order_relaxed);
        while (inside.load(std::memory_order_relaxed) < 2) {
        }
        ++runs;
    }};
    Event count_here(count_action.callback());
    Event count_there(count_action.callback());
    Action stopped_action{[&](Turn&) {
        if (--left == 0) real.runtime.quit();
    }};
    Event here_stopped(stopped_action.callback());
    Event there_stopped(stopped_action.callback());
    real.run([&](Turn&) {
        count_here.send(here.loop);
        count_there.send(there.loop);
        here.loop.stop(real.runtime.main_loop(), here_stopped);
        there.loop.stop(real.runtime.main_loop(), there_stopped);
    });
    CHECK(runs > 0);
}

}  // namespace tern::stress
