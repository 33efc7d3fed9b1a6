// Each misuse aborts with a message that names the object, its loop, the threads and the place.
#include "alloc/pool.h"
#include "locking/death_test.h"
#include "loops/group_state.h"
#include "loops/test_support.h"

#include <memory>
#include <optional>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::loops {

using locking::Death;
using locking::death_of;
using test::Action;
using test::Real;
using test::Sim;
using test::TestLoop;

namespace {

/// Runs `body` in a handler of `loop` until nothing is left to do.
void run_in(Sim& sim, Loop& loop, std::function<void(Turn&)> body) {
    Action action{std::move(body)};
    Event event(action.callback());
    event.send(loop);
    sim.sim.settle();
}

void nothing(void*, Turn&) {}

}  // namespace

TEST_CASE("sending an event to a second loop names both loops") {
    Sim sim;
    TestLoop first(*sim.group, "first");
    TestLoop second(*sim.group, "second");
    Event event(nothing, nullptr);
    const Death death = death_of([&] {
        event.send(first.loop);
        event.send(second.loop);
    });
    CHECK(death.says("sent to a second loop while queued in one",
                     "queued in loop first is ready to run on thread worker-",
                     "sent to loop second", "this is thread", "loops/misuse_test.cc:"));
}

TEST_CASE("destroying a queued event from another loop names both loops") {
    Sim sim;
    TestLoop owner(*sim.group, "owner");
    TestLoop foreign(*sim.group, "foreign");
    const Death death = death_of([&] {
        run_in(sim, foreign.loop, [&](Turn&) {
            Event event(nothing, nullptr);
            event.send(owner.loop);
        });
    });
    CHECK(death.says("event destroyed or cancelled while queued without domain owner of its loop",
                     "loop owner is ready to run", "which runs loop foreign"));
}

TEST_CASE("destroying a watcher from another loop while its own runs names both threads") {
    const Death death = death_of([] {
        Real real(2);
        TestLoop owner(real.group, "owner");
        TestLoop foreign(real.group, "foreign");
        std::optional<Watcher> watcher;
        std::atomic<bool> inside{false};
        Action spin{[&](Turn& turn) {
            watcher.emplace(turn.loop(), 0, Interest::none, nullptr, nullptr);
            inside = true;
            for (;;)
                std::this_thread::yield();
        }};
        Action destroy{[&](Turn&) {
            while (!inside)
                std::this_thread::yield();
            watcher.reset();
        }};
        Event spins(spin.callback());
        Event destroys(destroy.callback());
        real.run([&](Turn&) {
            spins.send(owner.loop);
            destroys.send(foreign.loop);
        });
    });
    CHECK(death.says("watcher of descriptor 0 destroyed without domain owner of its loop",
                     "loop owner is running on thread worker-", "this is thread worker-",
                     "which runs loop foreign"));
}

TEST_CASE("destroying a loop from its own handler says that it is running") {
    Sim sim;
    auto loop = std::make_unique<TestLoop>(*sim.group, "suicide");
    const Death death = death_of([&] { run_in(sim, loop->loop, [&](Turn&) { loop.reset(); }); });
    CHECK(death.says("loop destroyed while running", "loop suicide is running on thread worker-",
                     "which runs loop suicide"));
}

TEST_CASE("destroying a loop without a stop while threads run names it") {
    const Death death = death_of([] {
        Real real(1);
        auto loop = std::make_unique<TestLoop>(real.group, "forgotten");
        real.run([&](Turn&) { loop.reset(); });
    });
    CHECK(death.says("loop destroyed without being stopped", "loop forgotten is idle",
                     "which runs loop main"));
}

TEST_CASE("stopping a loop twice names it") {
    Sim sim;
    TestLoop loop(*sim.group, "twice");
    Event stopped(nothing, nullptr);
    const Death death = death_of([&] {
        loop.loop.stop(sim.main(), stopped);
        loop.loop.stop(sim.main(), stopped);
    });
    CHECK(death.says("loop stopped twice", "loop twice has stopped", "loops/misuse_test.cc:"));
}

TEST_CASE("a timer touched without the domain names its loop and this thread") {
    Sim sim;
    TestLoop loop(*sim.group, "sleeper");
    Timer timer(loop.loop, nothing, nullptr);
    const Death set = death_of([&] { timer.in(seconds(1)); });
    CHECK(set.says("timer set without domain sleeper of its loop", "loop sleeper is idle",
                   "which runs no loop", "loops/misuse_test.cc:"));
    {
        const LoopEntry entry(loop.loop);
        timer.in(seconds(1));
    }
    const Death stop = death_of([&] { timer.stop(); });
    CHECK(stop.says("timer stopped or destroyed without domain sleeper"));
    const LoopEntry entry(loop.loop);
    timer.stop();
}

TEST_CASE("freeing from a pool in the wrong loop names the pool, its domain and what is held") {
    Sim sim;
    TestLoop owner(*sim.group, "owner");
    TestLoop foreign(*sim.group, "foreign");
    std::optional<alloc::Pool> pool;
    void* block = nullptr;
    alloc::Pool* child = nullptr;
    {
        const LoopEntry entry(owner.loop);
        pool.emplace(owner.domain, "owner's pool");
        block = pool->block(64);
        child = &pool->child("child");
    }
    const auto freed = [&](auto&& act) {
        return death_of([&] { run_in(sim, foreign.loop, [&](Turn&) { act(); }); });
    };
    const auto says_all = [](const Death& death) {
        return death.says(
            "pool owner's pool used without its domain owner (rank ", "): nobody holds it\nthread ",
            " holds, outermost first:\n  foreign (rank ", ") taken at ", "loops/misuse_test.cc:");
    };
    const Death released = freed([&] { pool->release(block); });
    INFO(released.report);
    CHECK(says_all(released));
    CHECK(says_all(freed([&] { pool->destroy(*child); })));
    CHECK(says_all(freed([&] { pool->clear(); })));
    const Death ended = freed([&] { pool.reset(); });
    INFO(ended.report);
    CHECK(ended.says("lock order violated: domain owner (rank ", ") wanted while foreign (rank ",
                     ") is held since "));
    const LoopEntry entry(owner.loop);
    pool.reset();
}

TEST_CASE("AT-SOCK-9 a watcher needs the domain of its loop, and both domains to move",
          "[AT-SOCK-2][AT-SOCK-9]") {
    Sim sim;
    TestLoop from(*sim.group, "from");
    TestLoop to(*sim.group, "to");
    const Death made =
        death_of([&] { const Watcher watcher(from.loop, 0, Interest::none, nullptr, nullptr); });
    CHECK(made.says("watcher of descriptor 0 made without domain from", "loops/misuse_test.cc:"));
    const Death moved = death_of([&] {
        const LoopEntry entry(from.loop);
        Watcher watcher(from.loop, 0, Interest::none, nullptr, nullptr);
        watcher.move_to(to.loop);
    });
    CHECK(moved.says("watcher of descriptor 0 moved in without domain to of its loop",
                     "loops/misuse_test.cc:"));
}

}  // namespace tern::loops
