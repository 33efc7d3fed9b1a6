// Many loops: what wakes one touches no other, and all of it goes away again.
#include "loops/group_state.h"
#include "loops/lockstep_testing.h"
#include "loops/test_support.h"

#include <atomic>
#include <deque>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace tern::loops {

using test::Action;
using test::Control;
using test::Lockstep;
using test::Protocol;
using test::Real;
using test::Sim;
using test::TestLoop;

namespace {

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Runs that ten loops need to pass `hops` events round, with that many idle loops beside them.
std::uint64_t runs_for(std::size_t idle, int hops) {
    Sim sim(7, 4);
    std::deque<TestLoop> idlers;
    for (std::size_t i = 0; i < idle; ++i)
        idlers.emplace_back(*sim.group, "idle");
    std::deque<TestLoop> active;
    for (int i = 0; i < 10; ++i)
        active.emplace_back(*sim.group, "active");
    int left = hops;
    Event* again = nullptr;
    Action action{[&](Turn&) {
        if (--left > 0) again->send(active[static_cast<std::size_t>(left % 10)].loop);
    }};
    Event event(action.callback());
    again = &event;
    event.send(active[0].loop);
    CHECK(sim.sim.settle());
    CHECK(left == 0);
    for (const TestLoop& each : idlers)
        REQUIRE(each.domain.stats().acquisitions == 0);
    return sim.sim.steps();
}

/// Makes `count` loops, sends each an event, stops and destroys them all; returns events run.
std::uint64_t live_and_die(Real& real, std::size_t count) {
    std::deque<TestLoop> loops;
    std::deque<Event> events;
    std::deque<Event> stops;
    std::atomic<std::uint64_t> runs{0};
    std::size_t left = count;
    Action stopped{[&](Turn&) {
        if (--left == 0) real.runtime.quit();
    }};
    real.run([&](Turn& turn) {
        for (std::size_t i = 0; i < count; ++i) {
            TestLoop& loop = loops.emplace_back(real.group, "short");
            events
                .emplace_back(
                    [](void* sum, Turn&) { ++*static_cast<std::atomic<std::uint64_t>*>(sum); },
                    &runs)
                .send(loop.loop);
        }
        for (TestLoop& loop : loops)
            loop.loop.stop(turn.loop(), stops.emplace_back(stopped.callback()));
    });
    return runs;
}

}  // namespace

TEST_CASE("AT-IDLE-1 idle loops add no runs to those of active ones", "[AT-IDLE-1]") {
    CHECK(runs_for(20'000, 5000) == runs_for(0, 5000));
}

TEST_CASE("AT-IDLE-3 an idle loop wakes by event, timer, socket, stop and ping", "[AT-IDLE-3]") {
    Sim sim;
    TestLoop loop(*sim.group, "sleeper");
    std::vector<std::string> woken;
    Action by_event{[&](Turn&) { woken.push_back("event"); }};
    Action by_timer{[&](Turn&) { woken.push_back("timer"); }};
    Action by_stop{[&](Turn&) { woken.push_back("stop"); }};
    Event event(by_event.callback());
    Event stopped(by_stop.callback());
    Timer timer(loop.loop, by_timer.callback());
    const int fd = sim.sim.descriptors().open();

    struct Socket {
        Sim& sim;
        int fd;
        std::vector<std::string>& woken;

        static void ready(void* self, Turn&, Ready) {
            auto& socket = *static_cast<Socket*>(self);
            socket.woken.push_back("socket");
            socket.sim.sim.descriptors().set_ready(socket.fd, {});
        }
    } socket{sim, fd, woken};

    std::optional<Watcher> watcher;
    {
        const LoopEntry entry(loop.loop);
        watcher.emplace(loop.loop, fd, Interest::readable, Socket::ready, &socket);
    }
    CHECK(sim.sim.settle());

    event.send(loop.loop);
    CHECK(sim.sim.settle());
    {
        const LoopEntry entry(loop.loop);
        timer.in(seconds(5));
    }
    sim.sim.run_for(seconds(6));
    sim.sim.descriptors().set_ready(fd, {.readable = true});
    CHECK(sim.sim.settle());
    const std::uint64_t before = sim.sim.steps();
    loop.loop.wake();
    CHECK(sim.sim.settle());
    CHECK(sim.sim.steps() == before + 1);
    {
        const LoopEntry entry(loop.loop);
        watcher.reset();
    }
    loop.loop.stop(sim.main(), stopped);
    CHECK(sim.sim.settle());
    CHECK(woken == std::vector<std::string>{"event", "timer", "socket", "stop"});
}

TEST_CASE("AT-IDLE-4 a socket added to one loop touches no other", "[AT-IDLE-4]") {
    Sim sim(3, 1);
    std::deque<TestLoop> loops;
    for (int i = 0; i < 100; ++i)
        loops.emplace_back(*sim.group, "l");
    const auto acquisitions = [&](std::size_t except) {
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < loops.size(); ++i)
            sum += i == except ? 0 : loops[i].domain.stats().acquisitions;
        return sum;
    };
    const std::uint64_t before = acquisitions(42);
    const int fd = sim.sim.descriptors().open();
    std::optional<Watcher> watcher;
    for (int round = 0; round < 10; ++round) {
        const LoopEntry entry(loops[42].loop);
        watcher.emplace(
            loops[42].loop, fd, Interest::readable, [](void*, Turn&, Ready) {}, nullptr);
        watcher.reset();
    }
    CHECK(sim.sim.settle());
    CHECK(acquisitions(42) == before);
}

TEST_CASE("AT-SCALE-1 a hundred thousand loops live, run and go", "[AT-SCALE-1]") {
    const std::uint64_t locks = locking::RankedLock::alive();
    [[maybe_unused]] std::size_t after_first = 0;
    for (int round = 0; round < 3; ++round) {
        Real real(2);
        CHECK(live_and_die(real, 100'000) == 100'000);
        if (round == 0) after_first = resident_bytes();
    }
    CHECK(locking::RankedLock::alive() == locks);
#ifndef __SANITIZE_ADDRESS__  // whose quarantine keeps what is freed
    // The second and third time find all their memory again.
    CHECK(resident_bytes() < after_first + (std::size_t{16} << 20));
#endif
}

TEST_CASE("AT-THR-5 idle loops cost less than a kilobyte each, and no descriptor", "[AT-THR-5]") {
    Real real(4);
    std::deque<TestLoop> loops;
    for (int i = 0; i < 4; ++i)
        loops.emplace_back(real.group, "l");
    const std::size_t before = resident_bytes();
    for (int i = 0; i < 5000; ++i)
        loops.emplace_back(real.group, "l");
    CHECK(resident_bytes() < before + 5000 * 1024);
    CHECK(sizeof(Loop) <= 128);
    CHECK(sizeof(Loop) + sizeof(LoopCell) <= 256);
}

TEST_CASE("AT-THR-6 a thread that sleeps gives its caches back", "[AT-THR-6]") {
    Lockstep lockstep(4);
    locking::Domain<Control> domain{"main"};
    Runtime runtime(lockstep.options(domain));
    GroupOptions options;
    options.threads = 3;
    ThreadGroup& group = runtime.add_group(options);
    std::deque<TestLoop> loops;
    for (int i = 0; i < 3; ++i)
        loops.emplace_back(group, "l");
    std::deque<Event> events;
    std::atomic<int> trims{0};
    runtime.set_thread_trim(
        {[](void* count) { ++*static_cast<std::atomic<int>*>(count); }, &trims});
    int trims_after = 0;
    Action begin_action{[&](Turn&) {
        for (TestLoop& loop : loops)
            events.emplace_back([](void*, Turn&) {}, nullptr).send(loop.loop);
    }};
    Action end_action{[&](Turn&) {
        trims_after = trims;
        lockstep.finish();
        runtime.quit();
    }};
    Timer begin(runtime.main_loop(), begin_action.callback());
    Timer end(runtime.main_loop(), end_action.callback());
    {
        const LoopEntry entry(runtime.main_loop());
        begin.in(milliseconds(1));
        end.in(seconds(5));
    }
    runtime.run();
    CHECK(trims_after >= 3);
    const LoopEntry entry(runtime.main_loop());
    begin.stop();
    end.stop();
}

TEST_CASE("AT-LAT-1 a timer of the low-latency class is on time while workers are saturated",
          "[AT-LAT-1]") {
    Lockstep lockstep(5);
    locking::Domain<Control> domain{"main"};
    Runtime runtime(lockstep.options(domain));
    GroupOptions options;
    options.threads = 3;
    ThreadGroup& group = runtime.add_group(options);
    ThreadGroup& express =
        runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 1});

    struct Busy {
        Busy(ThreadGroup& group_, Lockstep& lockstep_) : lockstep(lockstep_), own(group_, "busy") {}

        Lockstep& lockstep;
        TestLoop own;
        std::atomic<bool> over{false};
        Event event{[](void* self, Turn& turn) {
                        auto& busy = *static_cast<Busy*>(self);
                        if (busy.over) return;
                        busy.lockstep.work(milliseconds(300));
                        busy.event.send(turn.loop());
                    },
                    this};
    };

    std::deque<Busy> busy;
    for (int i = 0; i < 6; ++i)
        busy.emplace_back(group, lockstep);
    TestLoop fast(express, "bfd");
    Instant due;
    Duration worst;
    int ticks = 0;
    std::optional<Timer> tick;
    Action tick_action{[&](Turn&) {
        worst = std::max(worst, lockstep.now() - due);
        ++ticks;
        due = lockstep.now() + milliseconds(10);
        tick->at(due);
    }};
    tick.emplace(fast.loop, tick_action.callback());
    Action begin_action{[&](Turn&) {
        for (Busy& each : busy)
            each.event.send(each.own.loop);
        const LoopEntry entry(fast.loop);
        due = lockstep.now() + milliseconds(10);
        tick->at(due);
    }};
    Action end_action{[&](Turn&) {
        for (Busy& each : busy)
            each.over = true;
        lockstep.finish();
        runtime.quit();
    }};
    Timer begin(runtime.main_loop(), begin_action.callback());
    Timer end(runtime.main_loop(), end_action.callback());
    {
        const LoopEntry entry(runtime.main_loop());
        begin.in(milliseconds(1));
        end.in(seconds(10));
    }
    runtime.run();
    CHECK(ticks > 900);
    CHECK(worst < milliseconds(2));
    CHECK(group.moves() < 20);
    for (Busy& each : busy) {
        const LoopEntry entry(each.own.loop);
        each.event.cancel();
    }
    {
        const LoopEntry entry(fast.loop);
        tick.reset();
    }
    const LoopEntry entry(runtime.main_loop());
    begin.stop();
    end.stop();
}

TEST_CASE("AT-POOL-8 the event that tells of the stop may destroy the loop", "[AT-POOL-8]") {
    Real real(2);
    auto loop = std::make_unique<TestLoop>(real.group, "gone");
    Action stopped_action{[&](Turn&) {
        loop.reset();
        real.runtime.quit();
    }};
    Event stopped(stopped_action.callback());
    real.run([&](Turn& turn) { loop->loop.stop(turn.loop(), stopped); });
    CHECK(loop == nullptr);
}

TEST_CASE("AT-PING-3 stops come through while loops are pinged and moved", "[AT-PING-3]") {
    Real real(2);
    ThreadGroup& express =
        real.runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 2});
    constexpr int rounds = 200;
    constexpr std::size_t count = 8;
    std::atomic<bool> ended{false};
    std::deque<std::optional<TestLoop>> loops(count);
    std::deque<Event> stops;
    // One set of pings per pinger: an event is in one loop at a time.
    std::vector<std::thread> pingers;
    std::atomic<std::uint64_t> epoch{0};
    std::atomic<int> inside{0};
    const auto ping = [&] {
        std::mt19937 random(9);
        while (!ended) {
            ++inside;
            if (epoch % 2 == 1) loops[random() % count]->loop.wake();
            --inside;
            std::this_thread::yield();
        }
    };
    int round = 0;
    std::size_t left = 0;
    std::optional<Action> stopped;
    const auto begin = [&] {
        stops.clear();
        for (auto& loop : loops)
            loop.emplace(real.group, "l");
        ++epoch;
        left = count;
        std::mt19937 random(static_cast<unsigned>(round));
        for (auto& loop : loops) {
            if (random() % 2 == 0) loop->loop.move_to(random() % 2 == 0 ? express : real.group);
            loop->loop.stop(real.runtime.main_loop(), stops.emplace_back(stopped->callback()));
            if (random() % 2 == 0) loop->loop.move_to(express);
        }
    };
    stopped.emplace(Action{[&](Turn&) {
        if (--left > 0) return;
        ++epoch;
        while (inside != 0)
            std::this_thread::yield();
        for (auto& loop : loops)
            loop.reset();
        if (++round < rounds) {
            begin();
            return;
        }
        ended = true;
        real.runtime.quit();
    }});
    real.run([&](Turn&) {
        pingers.emplace_back(ping);
        pingers.emplace_back(ping);
        begin();
    });
    for (std::thread& pinger : pingers)
        pinger.join();
    CHECK(round == rounds);
}

}  // namespace tern::loops
