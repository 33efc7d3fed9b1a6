// Scratch memory of a run: it lasts until the run ends, and what it does not use costs nothing.
#include "alloc/arena.h"
#include "locking/death_test.h"
#include "loops/test_support.h"

#include <string_view>

#include <catch2/catch.hpp>

namespace tern::loops {

using alloc::Arena;
using alloc::page_bytes;
using locking::death_of;
using test::Action;
using test::Sim;
using test::TestLoop;

namespace {

/// Runs `body` in a handler of a loop until nothing is left to do.
void run_once(std::function<void(Turn&)> body) {
    alloc::trim_scratch();
    Sim sim;
    TestLoop loop(*sim.group, "l");
    Action action{std::move(body)};
    Event event(action.callback());
    event.send(loop.loop);
    CHECK(sim.sim.settle());
}

}  // namespace

TEST_CASE("scratch memory lasts until the run ends, and is gone then") {
    std::string_view kept;
    bool looked = false;
    Action look{[&](Turn&) {
        looked = true;
        CHECK(kept == "kept");
        CHECK(alloc::scratch().held_bytes() > 10 * page_bytes);
    }};
    Deferred at_the_end(look.callback());
    run_once([&](Turn& turn) {
        kept = turn.scratch().copy("kept");
        turn.scratch().allocate(10 * page_bytes);
        turn.defer(at_the_end);
    });
    CHECK(looked);
    CHECK_FALSE(alloc::scratch().in_scope());
    CHECK(alloc::scratch().held_bytes() == page_bytes);  // kept for the next run
}

TEST_CASE("a run that uses no scratch memory opens no scope") {
    run_once([](Turn&) {
        CHECK_FALSE(alloc::scratch().in_scope());
        CHECK(alloc::scratch().held_bytes() == 0);
    });
}

TEST_CASE("a scope within a run frees its own scratch memory alone") {
    run_once([](Turn& turn) {
        Arena& arena = turn.scratch();
        CHECK(&arena == &alloc::scratch());
        const std::string_view outer = arena.copy("outer");
        {
            const Arena::Scope scope(arena);
            arena.allocate(5 * page_bytes);
            CHECK(turn.scratch().copy("inner") == "inner");
        }
        CHECK(outer == "outer");
        CHECK(arena.held_bytes() == page_bytes);
    });
}

TEST_CASE("a run within a run frees its own scratch memory alone") {
    run_once([](Turn& turn) {
        const std::string_view outer = turn.scratch().copy("outer");
        locking::Domain<test::Table> domain;
        SimRuntime within(domain, 1);
        std::string_view inner;
        Action action{[&](Turn& nested) {
            inner = nested.scratch().copy("inner");
            CHECK(inner.data() == outer.data() + outer.size());
        }};
        Event event(action.callback());
        event.send(within.runtime().main_loop());
        CHECK(within.settle());
        CHECK(inner.size() == 5);
        CHECK(outer == "outer");
        CHECK(turn.scratch().copy("later").data() == inner.data());
    });
}

TEST_CASE("a run that asks for scratch memory within a scope of less than the run aborts") {
    CHECK(death_of([] {
              run_once([](Turn& turn) {
                  const Arena::Scope scope(alloc::scratch());
                  turn.scratch();
              });
          }).says("ended before one within it"));
}

}  // namespace tern::loops
