#include "loops/timer.h"

#include "loops/group_state.h"
#include "loops/settle.h"
#include "loops/test_support.h"

#include <deque>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Sim;
using test::TestLoop;

namespace {

/// Enters a loop's domain in a sim test.
LoopEntry enter(TestLoop& loop) {
    return LoopEntry(loop.loop);
}

}  // namespace

TEST_CASE("a timer fires at its time and not before") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    std::vector<Instant> fired;
    Action action{[&](Turn& turn) { fired.push_back(turn.now()); }};
    Timer timer(loop.loop, action.callback());
    const Instant start = sim.sim.clock().now();
    {
        const LoopEntry entry = enter(loop);
        timer.in(milliseconds(10));
        CHECK(timer.remaining() == milliseconds(10));
    }
    sim.sim.run_for(milliseconds(9));
    CHECK(fired.empty());
    sim.sim.run_for(milliseconds(91));
    REQUIRE(fired.size() == 1);
    CHECK(fired[0] == start + milliseconds(10));
    CHECK_FALSE(timer.active());
    CHECK(timer.remaining().is_infinite());
}

TEST_CASE("a stopped or replaced timer does not fire at its old time") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    int fired = 0;
    Action action{[&](Turn&) { ++fired; }};
    Timer timer(loop.loop, action.callback());
    {
        const LoopEntry entry = enter(loop);
        timer.in(milliseconds(10));
        timer.stop();
    }
    sim.sim.run_for(milliseconds(50));
    CHECK(fired == 0);
    {
        const LoopEntry entry = enter(loop);
        timer.in(milliseconds(10));
        timer.in(milliseconds(30));
    }
    sim.sim.run_for(milliseconds(20));
    CHECK(fired == 0);
    {
        const LoopEntry entry = enter(loop);
        timer.in(milliseconds(1));
    }
    sim.sim.run_for(milliseconds(1));
    CHECK(fired == 1);
}

TEST_CASE("a periodic timer keeps its pace and stays within its jitter") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    std::vector<Instant> fired;
    Action action{[&](Turn& turn) { fired.push_back(turn.now()); }};
    Timer timer(loop.loop, action.callback());
    const Instant start = sim.sim.clock().now();
    {
        const LoopEntry entry = enter(loop);
        timer.every(seconds(1));
    }
    sim.sim.run_for(seconds(10));
    REQUIRE(fired.size() == 10);
    CHECK(fired.back() == start + seconds(10));

    fired.clear();
    {
        const LoopEntry entry = enter(loop);
        timer.every(seconds(1), milliseconds(250));
    }
    sim.sim.run_for(seconds(20));
    REQUIRE(fired.size() >= 20);
    for (std::size_t i = 1; i < fired.size(); ++i) {
        CHECK(fired[i] - fired[i - 1] >= milliseconds(750));
        CHECK(fired[i] - fired[i - 1] <= seconds(1));
    }
    const LoopEntry entry = enter(loop);
    timer.stop();
}

TEST_CASE("settle waits for quiet, but not for ever") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    std::vector<Instant> fired;
    Action action{[&](Turn& turn) { fired.push_back(turn.now()); }};
    Settle settle(loop.loop, action.callback());
    const Instant start = sim.sim.clock().now();
    for (int i = 0; i < 30; ++i) {
        {
            const LoopEntry entry = enter(loop);
            settle.kick(milliseconds(10), milliseconds(50));
        }
        sim.sim.run_for(milliseconds(5));
        if (!fired.empty()) break;
    }
    REQUIRE(fired.size() == 1);
    CHECK(fired[0] == start + milliseconds(50));
    fired.clear();
    const Instant again = sim.sim.clock().now();
    {
        const LoopEntry entry = enter(loop);
        settle.kick(milliseconds(10), milliseconds(50));
    }
    sim.sim.run_for(milliseconds(40));
    REQUIRE(fired.size() == 1);
    CHECK(fired[0] == again + milliseconds(10));
}

TEST_CASE("a timer set from outside is in time, however many others the loop has") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    Action later{[](Turn&) {}};
    std::deque<Timer> others;
    std::vector<Instant> fired;
    Action action{[&](Turn& turn) { fired.push_back(turn.now()); }};
    Timer timer(loop.loop, action.callback());
    const Instant start = sim.sim.clock().now();
    {
        const LoopEntry entry = enter(loop);
        for (int i = 0; i < 1000; ++i)
            others.emplace_back(loop.loop, later.callback()).in(seconds(100 + i));
    }
    sim.sim.run_for(milliseconds(1));
    for (const int wanted : {70'003, 40'007, 10'011}) {
        const LoopEntry entry = enter(loop);
        timer.stop();
        timer.at(start + milliseconds(wanted));
    }
    {
        const LoopEntry entry = enter(loop);
        others.front().in(seconds(90));
    }
    sim.sim.run_for(seconds(95));
    REQUIRE(fired.size() == 1);
    CHECK(fired[0] == start + milliseconds(10'011));
    const LoopEntry entry = enter(loop);
    CHECK_FALSE(others.front().active());
    others.clear();
}

TEST_CASE(
    "a deadline noticed by one thread is not lost if another runs the loop a little earlier") {
    // Two threads read the clock at slightly different moments: the first one finds the timer due,
    // the loop moves, and the second one runs it with a time before the deadline.
    Sim sim;
    TestLoop loop(*sim.group, "a");
    int fired = 0;
    Action action{[&](Turn&) { ++fired; }};
    Timer timer(loop.loop, action.callback());
    {
        const LoopEntry entry(loop.loop);
        timer.in(milliseconds(10));
    }
    CHECK(sim.sim.settle());
    std::vector<Worker*> workers;
    GroupState::of(*sim.group).for_members([&](Worker& worker) { workers.push_back(&worker); });
    const Instant due = timer.expiry();
    LoopCell* cell = nullptr;
    for (Worker* worker : workers) {
        worker->fire(due + microseconds(2));
        if (LoopCell* const found = worker->pop()) cell = found;
    }
    REQUIRE(cell != nullptr);
    Worker& other = *workers[cell->home == workers[0] ? 1 : 0];
    other.set_now(due - microseconds(3));
    other.run_cell(*cell, seconds(1), 1);
    CHECK(fired == 0);
    CHECK(sim.sim.next_timer() == due);
    sim.sim.run_for(milliseconds(20));
    CHECK(fired == 1);
}

}  // namespace tern::loops
