#include "loops/placement.h"

#include <array>

#include <catch2/catch.hpp>

namespace tern::loops {

namespace {

BusyMeter meter() {
    return {4, 4, milliseconds(300)};
}

}  // namespace

TEST_CASE("AT-BUSY-1 four turns without waiting make a thread busy", "[AT-BUSY-1]") {
    BusyMeter busy = meter();
    for (int i = 0; i < 3; ++i)
        CHECK_FALSE(busy.feed(Duration()));
    CHECK(busy.feed(Duration()));
}

TEST_CASE("AT-BUSY-1 turns that alternate never make a thread busy", "[AT-BUSY-1]") {
    BusyMeter busy = meter();
    for (int i = 0; i < 1000; ++i) {
        CHECK_FALSE(busy.feed(Duration()));
        CHECK_FALSE(busy.feed(milliseconds(5)));
    }
}

TEST_CASE("AT-BUSY-1 a busy thread needs four turns with waiting to be idle again", "[AT-BUSY-1]") {
    BusyMeter busy = meter();
    for (int i = 0; i < 10; ++i)
        busy.feed(Duration());
    for (int i = 0; i < 3; ++i)
        CHECK(busy.feed(milliseconds(5)));
    CHECK_FALSE(busy.feed(milliseconds(5)));
}

TEST_CASE("AT-BUSY-1 one long wait ends busyness at once", "[AT-BUSY-1]") {
    BusyMeter busy = meter();
    for (int i = 0; i < 4; ++i)
        busy.feed(Duration());
    REQUIRE(busy.busy());
    CHECK_FALSE(busy.feed(milliseconds(301)));
}

TEST_CASE("AT-BUSY-6 a round that is late already gives each loop the least slice, not the longest",
          "[AT-BUSY-6]") {
    const SliceLimits limits{milliseconds(10), milliseconds(1), milliseconds(300)};
    CHECK(time_slice(limits, Duration(), 1) == milliseconds(5));
    CHECK(time_slice(limits, milliseconds(3), 2) == milliseconds(1));
    CHECK(time_slice(limits, milliseconds(6), 1) == milliseconds(1));
    CHECK(time_slice(limits, seconds(60), 5) == milliseconds(1));
    CHECK(time_slice({seconds(10), milliseconds(1), milliseconds(300)}, Duration(), 1) ==
          milliseconds(300));
}

TEST_CASE("only the most loaded thread gives loops away, and only for a real difference") {
    const std::array<Load, 3> loads{900, 500, 100};
    REQUIRE(plan_move(loads, 0));
    CHECK(plan_move(loads, 0)->to == 2);
    CHECK(plan_move(loads, 0)->difference == 800);
    CHECK_FALSE(plan_move(loads, 1));
    CHECK_FALSE(plan_move(std::array<Load, 2>{600, 400}, 0));
}

TEST_CASE("the loop that best halves the difference moves") {
    CHECK(choose_loop(std::array<Load, 4>{700, 390, 100, 0}, 800) == 1);
    CHECK_FALSE(choose_loop(std::array<Load, 1>{800}, 800));
    CHECK_FALSE(choose_loop(std::array<Load, 2>{0, 0}, 800));
}

TEST_CASE("a busy thread drops half of the difference, and nothing twice") {
    CHECK(plan_drop(8, 0, 0) == 4);
    CHECK(plan_drop(4, 0, 4) == 0);
    CHECK(plan_drop(6, 0, 2) == 2);
    CHECK(plan_drop(3, 4, 0) == 0);
}

TEST_CASE("a new loop goes where the fewest are, then where the least load is") {
    CHECK(choose_thread(std::array<ThreadLoad, 3>{{{2, 0}, {1, 900}, {1, 100}}}) == 2);
}

}  // namespace tern::loops
