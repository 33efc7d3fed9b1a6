// Whole routers over simulated wires: sessions, routes, outages, and the same run from a seed.

#include "router/base/random.h"
#include "stress/sim/lab.h"

#include <cstdlib>

#include <catch2/catch.hpp>

namespace tern::sim {
namespace {

using loops::milliseconds;
using loops::seconds;

/// Two routers on one wire, each with a prefix of its own.
struct Two : Lab {
    explicit Two(const NetworkOptions& options = {}, const LinkOptions& wire = {}) : Lab(options) {
        add_router();
        add_router();
        add_edge(0, 1, wire);
        originate(0, "192.0.2.0/24");
        originate(1, "198.51.100.0/24");
    }

    void come_up() {
        REQUIRE(configure_all() == "");
        const std::string problems = converge(seconds(60));
        INFO(logs());
        REQUIRE(problems == "");
    }
};

/// Origin, transit, receiver.
struct Line : Lab {
    explicit Line(std::uint64_t seed = 1) : Lab({.seed = seed}) {
        for (int i = 0; i < 3; ++i)
            add_router();
        add_edge(0, 1, {});
        add_edge(1, 2, {});
        originate(0, "192.0.2.0/24");
        originate(2, "203.0.113.0/24");
    }
};

}  // namespace

TEST_CASE("two routers open an eBGP session and exchange their static routes") {
    Two lab;
    lab.come_up();
    CHECK(lab.node(0).info("edge1") == "Established");
    CHECK(lab.node(1).info("edge1") == "Established");
    const auto routes = lab.node(1).routes("master4");
    REQUIRE(routes.size() == 2);
    CHECK(routes[0].prefix.to_string() == "192.0.2.0/24");
    CHECK(routes[0].protocol == "edge1");
    CHECK(routes[0].next_hop.to_string() == "10.0.0.1");
    CHECK(routes[0].as_path == std::vector<std::uint32_t>{65001});
    CHECK(routes[1].protocol == "origin");
    CHECK(lab.shut_down());
}

TEST_CASE("a route taken out of the configuration goes everywhere, a new one comes") {
    Two lab;
    lab.come_up();
    lab.originate(0, "192.0.3.0/24");
    lab.withdraw(0, "192.0.2.0/24");
    REQUIRE(lab.configure(0) == "");
    CHECK(lab.converge(seconds(5)) == "");
    CHECK(lab.node(1).info("edge1") == "Established");
    const auto routes = lab.node(1).routes("master4");
    REQUIRE(routes.size() == 2);
    CHECK(routes[0].prefix.to_string() == "192.0.3.0/24");
    CHECK(lab.shut_down());
}

TEST_CASE("a silent neighbour is given up after the hold time and comes back") {
    Two lab;
    lab.come_up();
    lab.cut(0);
    lab.run(seconds(15));
    CHECK(lab.node(0).info("edge1") == "Established");  // hold time is 30 s
    CHECK(lab.node(1).best_routes("master4").size() == 2);
    CHECK(lab.converge(seconds(20)) == "");  // what the neighbour announced is gone
    CHECK(lab.node(0).info("edge1") != "Established");
    CHECK(lab.logs().find("Hold timer expired") != std::string::npos);
    lab.run(seconds(100));
    lab.heal(0);
    const std::string problems = lab.converge(seconds(120));
    INFO(lab.logs());
    CHECK(problems == "");
    CHECK(lab.shut_down());
}

TEST_CASE("a connection that is reset comes back without a hold time's wait") {
    Two lab;
    lab.come_up();
    lab.reset(0);
    lab.run(milliseconds(10));
    CHECK(lab.node(0).best_routes("master4").size() == 1);
    const std::string problems = lab.converge(seconds(20));
    INFO(lab.logs());
    CHECK(problems == "");
    CHECK(lab.shut_down());
}

TEST_CASE("a transit router puts its AS in front and itself as next hop (RFC 4271 5.1.2, 5.1.3)") {
    Line lab;
    REQUIRE(lab.configure_all() == "");
    const std::string problems = lab.converge(seconds(60));
    INFO(lab.logs());
    REQUIRE(problems == "");
    const auto routes = lab.node(2).best_routes("master4");
    REQUIRE(routes.size() == 2);
    CHECK(routes[0].as_path == std::vector<std::uint32_t>{65002, 65001});
    CHECK(routes[0].next_hop.to_string() == "10.0.1.1");
    SECTION("the origin's session ends: the route goes from the far end too") {
        CHECK(lab.node(0).disable("edge1"));
        lab.run(seconds(2));
        CHECK(lab.node(2).best_routes("master4").size() == 1);
        CHECK(lab.node(2).info("edge2") == "Established");
        CHECK(lab.node(0).enable("edge1"));
        CHECK(lab.converge(seconds(60)) == "");
    }
    SECTION("the transit router restarts a session") {
        CHECK(lab.node(1).restart("edge2"));
        CHECK(lab.converge(seconds(60)) == "");
    }
    CHECK(lab.shut_down());
}

TEST_CASE("a ring goes the other way round when one wire is cut") {
    Lab lab({.seed = 3});
    for (int i = 0; i < 4; ++i)
        lab.add_router();
    for (unsigned i = 0; i < 4; ++i)
        lab.add_edge(i, (i + 1) % 4, {.delay = milliseconds(5)});
    lab.originate(0, "192.0.2.0/24");
    lab.originate(2, "198.51.100.0/24");
    REQUIRE(lab.configure_all() == "");
    REQUIRE(lab.converge(seconds(60)) == "");
    lab.cut(0);
    CHECK(lab.converge(seconds(60)) == "");
    const auto routes = lab.node(1).best_routes("master4");
    REQUIRE(routes.size() == 2);
    CHECK(routes[0].as_path == std::vector<std::uint32_t>{65003, 65004, 65001});
    lab.heal(0);
    CHECK(lab.converge(seconds(120)) == "");
    CHECK(lab.shut_down());
}

TEST_CASE("sessions with TCP-MD5 and TTL security come up, and not with a wrong secret") {
    Two lab;
    SECTION("secret (RFC 2385)") {
        lab.extra_options += " password \"right\";";
    }
    SECTION("TTL security (RFC 5082)") {
        lab.extra_options += " ttl security on;";
    }
    lab.come_up();
    lab.extra_options += " password \"wrong\";";
    REQUIRE(lab.configure(1) == "");
    lab.run(seconds(60));
    CHECK(lab.node(0).best_routes("master4").size() == 1);
    CHECK(lab.node(1).info("edge1") != "Established");
    REQUIRE(lab.configure(0) == "");
    CHECK(lab.converge(seconds(60)) == "");
    CHECK(lab.shut_down());
}

TEST_CASE("hold time zero: silence ends nothing, what was written arrives later (RFC 4271 4.2)") {
    Two lab;
    lab.extra_options += " hold time 0;";
    lab.come_up();
    lab.cut(0);
    lab.originate(0, "192.0.3.0/24");
    REQUIRE(lab.configure(0) == "");
    lab.run(seconds(200));
    CHECK(lab.node(0).info("edge1") == "Established");
    CHECK(lab.node(1).best_routes("master4").size() == 2);
    lab.heal(0);
    CHECK(lab.converge(seconds(2)) == "");
    SECTION("until TCP gives up") {
        lab.cut(0);
        lab.originate(0, "192.0.4.0/24");
        REQUIRE(lab.configure(0) == "");
        lab.run(seconds(310));
        CHECK(lab.node(0).info("edge1") != "Established");
        CHECK(lab.node(1).info("edge1") == "Established");  // it has nothing to say
        lab.heal(0);
        lab.run(seconds(30));
        // An established session wins against new connections (RFC 4271 section 6.8), until it
        // meets the reset that its own next message causes.
        CHECK(lab.node(1).best_routes("master4").size() == 3);
        lab.originate(1, "198.51.101.0/24");
        REQUIRE(lab.configure(1) == "");
        CHECK(lab.converge(seconds(60)) == "");
    }
    CHECK(lab.shut_down());
}

TEST_CASE("many routes pass a small window whole") {
    Two lab({.seed = 9, .buffer = 2048, .segment = 300}, {.jitter = milliseconds(2)});
    for (unsigned i = 0; i < 2000; ++i)
        lab.originate(0, fmt::format("172.{}.{}.0/24", 16 + i / 256, i % 256));
    lab.come_up();
    CHECK(lab.node(1).best_routes("master4").size() == 2002);
    for (unsigned i = 0; i < 2000; i += 2)
        lab.withdraw(0, fmt::format("172.{}.{}.0/24", 16 + i / 256, i % 256));
    REQUIRE(lab.configure(0) == "");
    CHECK(lab.converge(seconds(20)) == "");
    CHECK(lab.shut_down());
}

TEST_CASE("the same seed gives the same steps, traffic and logs") {
    const auto run = [](std::uint64_t seed) {
        Line lab(seed);
        CHECK(lab.configure_all() == "");
        lab.run(seconds(20));
        lab.cut(1);
        lab.run(seconds(60));
        CHECK(lab.shut_down());
        return std::tuple(lab.sim().steps(), lab.network().traffic().fingerprint, lab.logs());
    };
    CHECK(run(11) == run(11));
    CHECK(run(11) != run(12));
}

TEST_CASE("random networks with random trouble end up as the topology says") {
    // TERN_SIM_SEEDS=FIRST-LAST runs others, to look for more or to repeat one.
    std::uint64_t first = 1;
    std::uint64_t last = 60;
    if (const char* range = std::getenv("TERN_SIM_SEEDS")) {
        char* rest = nullptr;
        first = last = std::strtoull(range, &rest, 10);
        if (*rest == '-') last = std::strtoull(rest + 1, nullptr, 10);
    }
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        Random random(seed);
        Lab lab({.seed = seed, .segment = random.between(20, 1460)});
        const unsigned routers = static_cast<unsigned>(random.between(2, 5));
        for (unsigned i = 0; i < routers; ++i) {
            lab.add_router();
            lab.originate(i, fmt::format("172.16.{}.0/24", i));
        }
        unsigned edges = 0;
        const auto join = [&](unsigned a, unsigned b) {
            const auto delay = static_cast<std::int64_t>(random.between(1, 50));
            lab.add_edge(a, b, {.delay = milliseconds(delay), .jitter = milliseconds(delay)});
            ++edges;
        };
        for (unsigned i = 1; i < routers; ++i)
            join(i, static_cast<unsigned>(random.below(i)));
        if (routers > 2) join(0, routers - 1);
        INFO("seed " << seed);
        REQUIRE(lab.configure_all() == "");
        for (int trouble = 0; trouble < 4; ++trouble) {
            const auto edge = static_cast<unsigned>(random.below(edges));
            lab.run(milliseconds(static_cast<std::int64_t>(random.below(20'000))));
            switch (random.below(4)) {
                case 0:
                    lab.reset(edge);
                    break;
                case 1:
                    lab.cut(edge);
                    break;
                case 2:
                    lab.heal(edge);
                    break;
                default:
                    lab.originate(0, fmt::format("172.17.{}.0/24", trouble));
                    break;
            }
            REQUIRE(lab.configure(0) == "");
        }
        for (unsigned edge = 0; edge < edges; ++edge)
            lab.set_loss(edge, 0);
        const std::string problems = lab.converge(seconds(300));
        INFO((problems.empty() ? std::string() : lab.logs()));
        CHECK(problems == "");
        CHECK(lab.shut_down());
    }
}

}  // namespace tern::sim
