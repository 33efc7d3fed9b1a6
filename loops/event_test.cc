#include "loops/event.h"

#include "loops/cell.h"
#include "loops/test_support.h"

#include <thread>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Sim;
using test::TestLoop;

TEST_CASE("an event runs once for any number of sends before it") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    int runs = 0;
    Action action{[&](Turn& turn) {
        ++runs;
        CHECK(&turn.loop() == &loop.loop);
        CHECK(loop.domain.held_by_this_thread());
    }};
    Event event(action.callback());
    CHECK(event.send(loop.loop) == Sent::queued);
    CHECK(event.send(loop.loop) == Sent::already);
    CHECK(event.queued());
    CHECK(sim.sim.settle());
    CHECK(runs == 1);
    CHECK_FALSE(event.queued());
    event.send(loop.loop);
    CHECK(sim.sim.settle());
    CHECK(runs == 2);
}

TEST_CASE("an event sent from its own handler runs again") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    int runs = 0;
    Event* self = nullptr;
    Action action{[&](Turn&) {
        if (++runs < 100) self->send(loop.loop);
    }};
    Event event(action.callback());
    self = &event;
    event.send(loop.loop);
    CHECK(sim.sim.settle());
    CHECK(runs == 100);
}

TEST_CASE("events of one sender run in the order sent, whoever sends") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    std::vector<int> order;
    Action inner{[&](Turn&) { order.push_back(3); }};
    Event third(inner.callback());
    Action first_action{[&](Turn&) {
        order.push_back(1);
        third.send(loop.loop);
    }};
    Action second_action{[&](Turn&) { order.push_back(2); }};
    Event first(first_action.callback());
    Event second(second_action.callback());
    first.send(loop.loop);
    second.send(loop.loop);
    CHECK(sim.sim.settle());
    CHECK(order == std::vector<int>{1, 2, 3});
}

TEST_CASE("a cancelled event does not run, wherever it stands") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    int runs = 0;
    Action action{[&](Turn&) { ++runs; }};
    Event a(action.callback());
    Event b(action.callback());
    Event c(action.callback());
    a.send(loop.loop);
    b.send(loop.loop);
    c.send(loop.loop);
    {
        const LoopEntry entry(loop.loop);
        CHECK(b.cancel());
        CHECK_FALSE(b.cancel());
    }
    CHECK(sim.sim.settle());
    CHECK(runs == 2);
}

TEST_CASE("a handler may cancel and destroy events that wait behind it") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    int runs = 0;
    Action counted{[&](Turn&) { ++runs; }};
    auto victim = std::make_unique<Event>(counted.callback());
    Action killer{[&](Turn&) { victim.reset(); }};
    Event first(killer.callback());
    first.send(loop.loop);
    victim->send(loop.loop);
    CHECK(sim.sim.settle());
    CHECK(runs == 0);
}

TEST_CASE("a stopped loop runs what was sent before and refuses what comes after") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    int runs = 0;
    bool told = false;
    Action action{[&](Turn&) { ++runs; }};
    Action tell{[&](Turn&) { told = true; }};
    Event event(action.callback());
    Event stopped(tell.callback());
    Timer timer(loop.loop, action.callback());
    {
        const LoopEntry entry(loop.loop);
        timer.in(seconds(1));
    }
    event.send(loop.loop);
    loop.loop.stop(sim.main(), stopped);
    sim.sim.run_for(seconds(2));
    CHECK(told);
    CHECK(runs == 1);
    CHECK_FALSE(timer.active());
    CHECK(event.send(loop.loop) == Sent::stopped);
    CHECK_FALSE(event.queued());
}

TEST_CASE("an idle loop has stopped when stop() returns") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    bool told = false;
    Action tell{[&](Turn&) { told = true; }};
    Event stopped(tell.callback());
    Event event([](void*, Turn&) {}, nullptr);
    loop.loop.stop(sim.main(), stopped);
    CHECK(loop.loop.cell().read().state == LoopState::stopped);
    CHECK(event.send(loop.loop) == Sent::stopped);
    CHECK_FALSE(told);
    CHECK(sim.sim.settle());
    CHECK(told);
}

TEST_CASE("an idle loop whose domain somebody else holds stops on its own thread") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    bool told = false;
    Action tell{[&](Turn&) { told = true; }};
    Event stopped(tell.callback());
    {
        const LoopEntry entry(loop.loop);
        std::thread([&] { loop.loop.stop(sim.main(), stopped); }).join();
        CHECK(loop.loop.cell().read().state == LoopState::ready);
    }
    CHECK(sim.sim.settle());
    CHECK(told);
    CHECK(loop.loop.cell().read().state == LoopState::stopped);
}

TEST_CASE("deferred work runs after the handlers of its run") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    std::vector<std::string> order;
    Action late{[&](Turn&) { order.push_back("late"); }};
    Deferred deferred(late.callback());
    Action early{[&](Turn& turn) {
        turn.defer(deferred);
        turn.defer(deferred);
        order.push_back("early");
    }};
    Event event(early.callback());
    event.send(loop.loop);
    CHECK(sim.sim.settle());
    CHECK(order == std::vector<std::string>{"early", "late"});
}

TEST_CASE("the seed decides the order of loops, and the same seed gives the same order") {
    const auto run = [](std::uint64_t seed) {
        Sim sim(seed, 3);
        std::vector<std::unique_ptr<TestLoop>> loops;
        std::vector<std::unique_ptr<Action>> actions;
        std::vector<std::unique_ptr<Event>> events;
        std::vector<int> order;
        for (int i = 0; i < 8; ++i) {
            loops.push_back(std::make_unique<TestLoop>(*sim.group, "loop"));
            actions.push_back(
                std::make_unique<Action>(Action{[&order, i](Turn&) { order.push_back(i); }}));
            events.push_back(std::make_unique<Event>(actions.back()->callback()));
            events.back()->send(loops.back()->loop);
        }
        CHECK(sim.sim.settle());
        return order;
    };
    CHECK(run(1) == run(1));
    CHECK(run(1) != run(2));
}

}  // namespace tern::loops
