#include "loops/session.h"

#include "loops/credits.h"
#include "loops/test_support.h"

#include <memory>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Sim;

TEST_CASE("an orphaned session is freed when its last operation ends") {
    Sim sim;
    bool freed = false;
    Action action{[&](Turn&) { freed = true; }};
    Event event(action.callback());
    auto session = std::make_unique<Session>(sim.main(), event);
    Session::Operation first = session->begin();
    Session::Operation second = session->begin();
    CHECK(session->operations() == 2);
    session->peer_closed();
    CHECK(first.cancelled());
    CHECK(sim.sim.settle());
    CHECK_FALSE(freed);
    first.end();
    CHECK(sim.sim.settle());
    CHECK_FALSE(freed);
    second.end();
    CHECK(sim.sim.settle());
    CHECK(freed);
}

TEST_CASE("a session without operations is freed at once") {
    Sim sim;
    bool freed = false;
    Action action{[&](Turn&) { freed = true; }};
    Event event(action.callback());
    Session session(sim.main(), event);
    session.begin().end();
    CHECK(sim.sim.settle());
    CHECK_FALSE(freed);
    session.peer_closed();
    CHECK(sim.sim.settle());
    CHECK(freed);
}

TEST_CASE("a latch waits for the last hold, moved about or not") {
    Sim sim;
    int runs = 0;
    Action action{[&](Turn&) { ++runs; }};
    Event event(action.callback());
    Latch latch(sim.main(), event);
    Latch::Hold a = latch.hold();
    Latch::Hold b = std::move(a);
    latch.close();
    CHECK(sim.sim.settle());
    CHECK(runs == 0);
    b.release();
    CHECK(sim.sim.settle());
    CHECK(runs == 1);
}

TEST_CASE("credits cork at the high mark and release at the low one, not in between") {
    Sim sim;
    int retries = 0;
    Action action{[&](Turn&) { ++retries; }};
    Event retry(action.callback());
    Credits credits(10, 30);
    for (int i = 0; i < 3; ++i)
        CHECK(credits.take(10, sim.main(), retry));
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    credits.give(10);
    CHECK(credits.corked());
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    CHECK(sim.sim.settle());
    CHECK(retries == 0);
    credits.give(10);
    CHECK(sim.sim.settle());
    CHECK(retries == 1);
    CHECK(credits.take(1, sim.main(), retry));
}

TEST_CASE("a producer that left is not sent a retry") {
    Sim sim;
    int retries = 0;
    Action action{[&](Turn&) { ++retries; }};
    Event retry(action.callback());
    Credits credits(0, 1);
    CHECK(credits.take(1, sim.main(), retry));
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    credits.forget(retry);
    credits.give(1);
    CHECK(sim.sim.settle());
    CHECK(retries == 0);
}

}  // namespace tern::loops
