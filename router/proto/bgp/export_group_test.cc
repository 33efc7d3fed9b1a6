#include "router/proto/bgp/testing.h"

#include <random>
#include <set>

namespace tern::bgp {

using testing::expected;
using testing::Neighbour;
using testing::prefix_of;
using testing::World;

TEST_CASE("neighbours of one profile come to share a group, and read the same") {
    World world;
    Neighbour a(world, 0);
    Neighbour b(world, 1);
    Neighbour c(world, 2);
    a.announce(1, 2);
    for (Neighbour* each : {&a, &b, &c})
        each->join();
    CHECK(world.group_count() == 3);
    world.settle();
    CHECK(world.group_count() == 1);
    CHECK(b.ends_of_rib == 1);
    CHECK(b.routes == expected(world, b));
    CHECK(b.routes.size() == 1);
    CHECK(a.routes.empty());  // its own route is not told to it
    a.withdraw(1);
    world.settle();
    CHECK(b.routes.empty());
    CHECK(c.routes.empty());
}

TEST_CASE("the neighbour whose route becomes best is told that the other one is gone") {
    World world;
    Neighbour a(world, 0);
    Neighbour b(world, 1);
    a.join();
    b.join();
    a.announce(1, 3);
    world.settle();
    CHECK(b.routes.size() == 1);
    b.announce(1, 1);
    world.settle();
    CHECK(b.routes.empty());
    CHECK(a.routes == expected(world, a));
    CHECK(a.routes.size() == 1);
    b.withdraw(1);
    world.settle();
    CHECK(a.routes.empty());
    CHECK(b.routes == expected(world, b));
    CHECK(b.routes.size() == 1);
    CHECK(a.needless + b.needless == 0);
}

TEST_CASE("with `secondary` the one whose route is best is told the next best") {
    World world({.name = "t", .sorted = true});
    Neighbour a(world, 0);
    Neighbour b(world, 1);
    Neighbour c(world, 2);
    for (Neighbour* each : {&a, &b, &c}) {
        each->secondary = true;
        each->join();
    }
    world.settle();
    REQUIRE(world.group_count() == 1);
    const auto check = [&] {
        world.settle();
        for (Neighbour* each : {&a, &b, &c}) {
            INFO("neighbour " << each->number);
            CHECK(each->routes == expected(world, *each));
            CHECK(each->told(1) == !each->routes.empty());
        }
    };
    a.announce(1, 1);
    check();
    CHECK(a.routes.empty());
    b.announce(1, 2);
    check();
    CHECK(a.routes.size() == 1);  // the way of b
    c.announce(1, 3);
    check();
    a.withdraw(1);  // b's is best now, and b is told c's
    check();
    CHECK(b.routes.size() == 1);
    c.withdraw(1);
    check();
    CHECK(b.routes.empty());
    b.withdraw(1);
    check();
    CHECK(a.needless + b.needless + c.needless == 0);
}

// RFC 4271 section 5.1.3: nobody is told a route over itself.
TEST_CASE("a route by way of a third neighbour is told to neither of the two") {
    World world;
    Neighbour a(world, 0);
    Neighbour b(world, 1);
    Neighbour c(world, 2);
    for (Neighbour* each : {&a, &b, &c}) {
        each->keep_hop = true;
        each->join();
    }
    world.settle();
    REQUIRE(world.group_count() == 1);
    a.announce(1, 1, c.facts.remote_address);
    world.settle();
    CHECK(a.routes.empty());
    CHECK(b.routes.size() == 1);
    CHECK(c.routes.empty());
    CHECK(b.told(1));
    CHECK_FALSE(a.told(1));
    CHECK_FALSE(c.told(1));
    a.announce(1, 2, b.facts.remote_address);
    world.settle();
    CHECK(b.routes.empty());
    CHECK(c.routes.size() == 1);
    a.withdraw(1);
    world.settle();
    CHECK(c.routes.empty());
}

TEST_CASE("a route that fits no message is told to nobody, and not called told") {
    World world;
    Neighbour a(world, 0);
    Neighbour b(world, 1);
    a.join();
    b.join();
    a.announce(1, 1);
    world.settle();
    CHECK(b.told(1));
    a.announce_long(1, 5);  // segments of 255 AS numbers: more than 4096 bytes (RFC 4271 section 4)
    world.settle();
    CHECK(b.routes.empty());
    CHECK_FALSE(b.told(1));
    a.withdraw(1);
    world.settle();
    CHECK(b.needless == 0);
    a.announce(1, 3);
    world.settle();
    CHECK(b.told(1));
    CHECK(b.routes == expected(world, b));
}

// RFC 7313 section 4: the answer stands between a mark of its begin and one of its end.
TEST_CASE("a refresh is answered to the one who asked, who then comes back into the group") {
    World world;
    Neighbour a(world, 0);
    Neighbour b(world, 1);
    a.join();
    b.join();
    for (unsigned i = 0; i < 50; ++i)
        a.announce(i, 1 + i % 3);
    world.settle();
    CHECK(world.group_count() == 1);
    b.routes.clear();
    b.refresh();
    CHECK(world.group_count() == 2);
    world.settle();
    CHECK(b.marks == 2);
    CHECK(a.marks == 0);
    CHECK(b.routes == expected(world, b));
    CHECK(world.group_count() == 1);
}

TEST_CASE("a refresh within the first feed still ends with End-of-RIB, once") {
    World world;
    Neighbour source(world, 1);
    for (unsigned i = 0; i < 50; ++i)
        source.announce(i, 1);
    Neighbour a(world, 0);
    a.join();
    a.refresh();
    world.settle();
    CHECK(a.ends_of_rib == 1);
    CHECK(a.marks == 0);  // RFC 7313 section 4: none before End-of-RIB
    CHECK(a.routes == expected(world, a));
}

TEST_CASE("whatever happens in whatever order, each neighbour knows what the table says") {
    const bool secondary = GENERATE(false, true);
    const unsigned seed = std::random_device()();
    INFO("seed " << seed << " secondary " << secondary);
    std::mt19937 engine(seed);
    const auto random = [&] { return static_cast<unsigned>(engine()); };
    World world({.name = "t", .sorted = secondary});
    std::vector<std::unique_ptr<Neighbour>> all;
    std::set<Neighbour*> joined;
    for (unsigned i = 0; i < 5; ++i) {
        all.push_back(std::make_unique<Neighbour>(world, i));
        all.back()->secondary = secondary;
    }
    for (int step = 0; step < 2000; ++step) {
        Neighbour& one = *all[random() % all.size()];
        const unsigned what = random() % 100;
        const unsigned prefix = random() % 60;
        if (what < 60) {
            one.announce(prefix, 1 + random() % 4);
        } else if (what == 60) {
            one.deaf = !one.deaf;
            if (!one.deaf && joined.contains(&one)) one.hear();
        } else if (what < 85) {
            one.withdraw(prefix);
        } else if (what < 90) {
            world.sim.run_for(loops::milliseconds(random() % 30));
        } else if (what < 94) {
            for (unsigned i = random() % 20; i > 0; --i)
                world.sim.step();
        } else if (!joined.contains(&one)) {
            one.join();
            joined.insert(&one);
        } else if (what < 97) {
            one.refresh();
        } else {
            one.leave();
            one.routes.clear();
            one.input.clear();
            joined.erase(&one);
        }
    }
    for (Neighbour* each : joined)
        each->hear();
    world.settle();
    for (Neighbour* each : joined) {
        INFO("neighbour " << each->number);
        CHECK(each->routes == expected(world, *each));
        for (unsigned i = 0; i < 60; ++i)
            CHECK(each->told(i) == each->routes.contains(prefix_of(i)));
    }
    CHECK(world.group_count() <= 1);
    for (const auto& each : all) {
        for (unsigned i = 0; i < 60; ++i)
            each->withdraw(i);
    }
    world.settle();
    unsigned needless = 0;
    for (Neighbour* each : joined) {
        CHECK(each->routes.empty());
        needless += each->needless;
    }
    // A merge may forget that three were left out; anything more is a fault of the books.
    CHECK(needless < 10);
}

}  // namespace tern::bgp
