// A member too slow for its group leaves it and comes back; groups become one.

#include "router/proto/bgp/testing.h"

namespace tern::bgp {

using testing::expected;
using testing::Neighbour;
using testing::prefix_of;
using testing::World;

namespace {

/// One who announces, nine who read and one who can be made deaf; all in one group.
struct Crowd : World {
    static constexpr unsigned prefixes = 254;

    Crowd() {
        for (unsigned i = 0; i < 10; ++i) {
            all.push_back(std::make_unique<Neighbour>(*this, i));
            all.back()->join();
        }
        settle();
        REQUIRE(group_count() == 1);
    }

    /// A quarter of a stream's bound, as every path is another one and long.
    void churn(unsigned round) {
        for (unsigned i = 0; i < prefixes; ++i)
            source.announce(i, 1 + (i + round) % 254);
    }

    void check_all() {
        for (const auto& each : all) {
            INFO("neighbour " << each->number);
            CHECK(each->routes == expected(*this, *each));
            for (unsigned i = 0; i < prefixes; ++i)
                CHECK(each->told(i) == each->routes.contains(prefix_of(i)));
        }
    }

    Neighbour source{*this, 10};
    std::vector<std::unique_ptr<Neighbour>> all;
};

}  // namespace

TEST_CASE("a neighbour that does not read goes its own way, and comes back when it has caught up") {
    Crowd world;
    Neighbour& slow = *world.all[3];
    slow.deaf = true;
    for (unsigned round = 0; round < 40; ++round) {
        world.churn(round);
        world.settle();
        for (const auto& each : world.all) {
            if (each.get() != &slow) REQUIRE(each->routes == expected(world, *each));
            REQUIRE(each->backlog() < 2 * ExportGroup::stream_high);
        }
    }
    CHECK(world.group_count() == 2);
    CHECK(slow.member.apart);
    CHECK(slow.member.fell_behind == 1);
    CHECK(world.all[0]->backlog() == 0);
    slow.hear();
    world.settle();
    world.check_all();
    CHECK(world.group_count() == 1);
    CHECK_FALSE(slow.member.apart);
    CHECK(slow.member.came_back == 1);
    for (unsigned i = 0; i < Crowd::prefixes; ++i)
        world.source.withdraw(i);
    world.settle();
    world.check_all();
    for (const auto& each : world.all)
        CHECK(each->needless == 0);
}

TEST_CASE("neighbours that are all equally slow stay together and wait") {
    Crowd world;
    for (const auto& each : world.all)
        each->deaf = true;
    for (unsigned round = 0; round < 10; ++round) {
        world.churn(round);
        world.settle();
    }
    CHECK(world.group_count() == 1);
    CHECK(world.all[0]->backlog() < 2 * ExportGroup::stream_high);
    for (const auto& each : world.all)
        each->hear();
    world.settle();
    world.check_all();
}

TEST_CASE("a neighbour left by all the others in its group need not go anywhere") {
    Crowd world;
    Neighbour& slow = *world.all[3];
    slow.deaf = true;
    for (unsigned round = 0; round < 5; ++round)
        world.churn(round);
    for (const auto& each : world.all) {
        if (each.get() != &slow) each->leave();
    }
    world.settle();
    CHECK(world.group_count() == 1);
    CHECK(slow.member.fell_behind == 0);
    slow.hear();
    world.settle();
    CHECK(slow.routes == expected(world, slow));
}

TEST_CASE("groups with several members each become one") {
    Crowd world;
    std::vector<Neighbour*> slow{world.all[2].get(), world.all[5].get(), world.all[7].get()};
    for (Neighbour* each : slow)
        each->deaf = true;
    for (unsigned round = 0; round < 10; ++round) {
        world.churn(round);
        world.settle();
    }
    CHECK(world.group_count() == 4);
    // Two of them meet while the large group is busy; later all do.
    slow[0]->hear();
    slow[1]->hear();
    world.settle();
    CHECK(world.group_count() == 2);
    slow[2]->hear();
    world.settle();
    CHECK(world.group_count() == 1);
    world.check_all();
}

}  // namespace tern::bgp
