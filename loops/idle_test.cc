// Idle loops cost nothing: what wakes one loop touches no other. Each check is shown to fail with a
// runtime that looks through all its loops, as those do that know of no other way.
#include "loops/lockstep_testing.h"
#include "loops/test_support.h"

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Control;
using test::ForwardingPoller;
using test::Lockstep;
using test::Sim;
using test::TestLoop;

namespace {

std::uint64_t visits_of(const std::deque<TestLoop>& loops) {
    std::uint64_t sum = 0;
    for (const TestLoop& each : loops)
        sum += each.domain.stats().acquisitions;
    return sum;
}

/// What ten loops need to pass events round.
struct Cost {
    std::uint64_t runs = 0;
    std::uint64_t visits = 0;  ///< of idle loops

    friend bool operator==(const Cost&, const Cost&) = default;
};

/// What a turn does with loops that nobody woke: nothing, or it asks each whether it has work.
enum class Turns { leave_idle_loops, ask_all_loops };

bool ask_all(void* loops) {
    for (TestLoop& each : *static_cast<std::deque<TestLoop>*>(loops))
        each.loop.wake();
    return false;
}

/// Of so many hops, with so many idle loops beside.
Cost cost_of(std::size_t idle, int hops, Turns turns) {
    Sim sim(7, 4);
    std::deque<TestLoop> idlers;
    for (std::size_t i = 0; i < idle; ++i)
        idlers.emplace_back(*sim.group, "idle");
    if (turns == Turns::ask_all_loops) sim.sim.runtime().set_maintenance(ask_all, &idlers);
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
    while (left > 0 && sim.sim.step()) {
    }
    CHECK(left == 0);
    return {sim.sim.steps(), visits_of(idlers)};
}

bool idle_loops_cost_nothing(std::size_t idle, int hops, Turns turns) {
    return cost_of(idle, hops, turns) == cost_of(0, hops, turns);
}

/// When a thread gathers what it waits for from all its loops: as it needs not, each time that it
/// waits, or when a descriptor has come or gone since.
enum class Gathers { never, each_time, after_changes };

class GatheringPoller final : public ForwardingPoller {
  public:
    GatheringPoller(std::unique_ptr<Poller> real, Gathers when, std::deque<TestLoop>& loops)
        : ForwardingPoller(std::move(real)), when_(when), loops_(loops) {}

    int add(int fd, Interest interest, Token token) override {
        changed_ = true;
        return ForwardingPoller::add(fd, interest, token);
    }

    void remove(int fd) override {
        changed_ = true;
        ForwardingPoller::remove(fd);
    }

    std::size_t wait(std::span<Report> reports, Duration timeout) override {
        const bool changed = changed_.exchange(false);
        if (when_ == Gathers::each_time || (when_ == Gathers::after_changes && changed)) {
            for (TestLoop& each : loops_)
                const LoopEntry entry(each.loop);
        }
        return ForwardingPoller::wait(reports, timeout);
    }

  private:
    const Gathers when_;
    std::deque<TestLoop>& loops_;
    std::atomic<bool> changed_{false};
};

struct GatheringPollers final : PollerFactory {
    GatheringPollers(Lockstep& lockstep_, Gathers when_, std::deque<TestLoop>& loops_)
        : lockstep(lockstep_), when(when_), loops(loops_) {}

    std::unique_ptr<Poller> make(PollerUse use) override {
        return std::make_unique<GatheringPoller>(lockstep.make(use), when, loops);
    }

    Lockstep& lockstep;
    const Gathers when;
    std::deque<TestLoop>& loops;
};

/// Two threads on virtual time with idle loops and an active one, each of whose runs is a turn.
struct Quiet {
    Quiet(Gathers when, std::size_t count) : pollers(lockstep, when, idle), runtime(options()) {
        for (std::size_t i = 0; i < count; ++i)
            idle.emplace_back(group, "idle");
    }

    RuntimeOptions options() {
        RuntimeOptions result = lockstep.options(domain);
        result.pollers = &pollers;
        return result;
    }

    /// How often idle loops were visited during so many runs, each of which does `what`.
    std::uint64_t visits(int runs, std::function<void(int left)> what) {
        int left = runs;
        std::uint64_t result = 0;
        Event* again = nullptr;
        Action action{[&](Turn& turn) {
            what(--left);
            lockstep.work(milliseconds(1));  // long enough for the poller to be asked again
            if (left > 0) {
                again->send(turn.loop());
                return;
            }
            result = visits_of(idle);
            lockstep.finish();
            runtime.quit();
        }};
        Event event(action.callback());
        again = &event;
        Action begins{[&](Turn&) { event.send(active.loop); }};
        Timer begin(runtime.main_loop(), begins.callback());
        {
            const LoopEntry entry(runtime.main_loop());
            begin.in(milliseconds(1));
        }
        runtime.run();
        const LoopEntry entry(runtime.main_loop());
        begin.stop();
        CHECK(left == 0);
        return result;
    }

    Lockstep lockstep{3};
    locking::Domain<Control> domain{"main"};
    GatheringPollers pollers;
    Runtime runtime;
    ThreadGroup& group = runtime.add_group({.threads = 2});
    std::deque<TestLoop> idle;
    TestLoop active{group, "active"};
};

std::uint64_t visits_by_turns(Gathers when, std::size_t count) {
    return Quiet(when, count).visits(1000, [](int) {});
}

std::uint64_t visits_by_sockets_that_come_and_go(Gathers when) {
    Quiet quiet(when, 100);
    std::optional<Watcher> watcher;
    return quiet.visits(20, [&](int left) {
        if (left % 2 == 0) {
            watcher.reset();
        } else {
            watcher.emplace(
                quiet.active.loop, 0, Interest::readable, [](void*, Turn&, Ready) {}, nullptr);
        }
    });
}

}  // namespace

TEST_CASE("AT-IDLE-1 idle loops add no runs to those of active ones", "[AT-IDLE-1]") {
    CHECK(idle_loops_cost_nothing(20'000, 5000, Turns::leave_idle_loops));
    CHECK_FALSE(idle_loops_cost_nothing(20, 50, Turns::ask_all_loops));
}

TEST_CASE("AT-IDLE-2 idle loops cost nothing: a turn visits active loops only", "[AT-IDLE-2]") {
    CHECK(visits_by_turns(Gathers::never, 20'000) == 0);
    CHECK(visits_by_turns(Gathers::each_time, 100) > 0);
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
    CHECK(visits_by_sockets_that_come_and_go(Gathers::never) == 0);
    CHECK(visits_by_sockets_that_come_and_go(Gathers::after_changes) > 0);
}

}  // namespace tern::loops
