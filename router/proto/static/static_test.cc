#include "router/proto/static/static.h"

#include "router/base/random.h"
#include "router/engine/testing.h"

#include <fmt/format.h>

namespace tern::static_routes {
namespace {

using engine::testing::TestRouter;

struct StaticRouter : TestRouter {
    explicit StaticRouter(std::uint64_t seed) : TestRouter(seed, {&descriptor()}) {}

    std::string config(const std::string& body) {
        return "ipv4 table igp; protocol static s { ipv4; " + body + " }";
    }

    [[nodiscard]] std::size_t count() { return routes("master4").size(); }

    [[nodiscard]] channel::ImportStats stats() {
        channel::ImportStats result;
        with("s", [&](engine::Instance& i) { result = i.channels().front()->import().stats(); });
        return result;
    }

    /// Gateways of the best route.
    [[nodiscard]] std::vector<std::string> gateways(const std::string& prefix) {
        std::vector<std::string> result;
        bool seen = false;
        each_route("master4", [&](const net::Prefix& net, const table::Route& route) {
            if (net.to_string() != prefix || seen) return;
            seen = true;
            attr::next_hops(*route.attributes).for_each([&](const attr::NextHop& hop) {
                result.push_back(fmt::format("{}@{}*{}", hop.gateway.to_string(),
                                             hop.interface.value(), hop.weight));
            });
        });
        return result;
    }

    [[nodiscard]] std::optional<attr::Destination> destination(const std::string& prefix) {
        std::optional<attr::Destination> result;
        each_route("master4", [&](const net::Prefix& net, const table::Route& route) {
            if (net.to_string() == prefix && !result) {
                result = attr::next_hops(*route.attributes).destination();
            }
        });
        return result;
    }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("routes without next hop are there at once, with their destination") {
    StaticRouter router(1);
    router.apply(
        router.config("route 10.0.0.0/8 blackhole; route 10.1.0.0/16 drop;"
                      "route 10.2.0.0/16 unreachable; route 10.3.0.0/16 reject;"
                      "route 10.4.0.0/16 prohibit;"));
    CHECK(router.count() == 5);
    CHECK(router.destination("10.1.0.0/16") == attr::Destination::blackhole);
    CHECK(router.destination("10.3.0.0/16") == attr::Destination::unreachable);
    CHECK(router.destination("10.4.0.0/16") == attr::Destination::prohibit);
}

TEST_CASE("wrong routes are refused with the words of the reference") {
    StaticRouter router(2);
    CHECK(router.configure("protocol static { route 10.0.0.0/8 blackhole; }") ==
          "Channel not specified");
    CHECK(router.configure(router.config("route 2001:db8::/32 blackhole;")) ==
          "Route 2001:db8::/32 incompatible with channel type");
    CHECK(router.configure(router.config("route 10.0.0.0/8;")) ==
          "Unexpected or missing nexthop/type");
    CHECK(router.configure(router.config("route 10.0.0.0/8 via 192.0.2.1 weight 300;")) ==
          "Weight must be in range 1-256");
    CHECK(router.configure(router.config("route 10.0.0.0/8 via 192.0.2.1 mpls 100;")) ==
          "MPLS labels are not available in this build");
    CHECK(router.configure(router.config("route 10.0.0.0/8 via 192.0.2.1 bfd;")) ==
          "Option 'bfd' is not available in this build");
}

TEST_CASE("a route is announced only while its next hop is on a link") {
    StaticRouter router(3);
    router.apply(router.config("route 10.0.0.0/8 via 192.0.2.1; route 10.1.0.0/16 via \"eth0\";"));
    CHECK(router.count() == 0);
    router.interface(1, "eth0", true);
    router.run();
    CHECK(router.count() == 1);
    router.address(1, "192.0.2.7", 24);
    router.run();
    CHECK(router.gateways("10.0.0.0/8") == Texts{"192.0.2.1@1*1"});
    CHECK(router.gateways("10.1.0.0/16") == Texts{"::@1*1"});
    router.interface(1, "eth0", false);
    router.run();
    CHECK(router.count() == 0);
    router.interface(1, "eth0", true);
    router.run();
    CHECK(router.count() == 2);
}

TEST_CASE("our own address is no next hop") {
    StaticRouter router(4);
    router.interface(1, "eth0", true);
    router.address(1, "192.0.2.7", 24);
    router.apply(router.config("route 10.0.0.0/8 via 192.0.2.7;"));
    CHECK(router.count() == 0);
}

TEST_CASE("a multipath route has those next hops that are there") {
    StaticRouter router(5);
    router.interface(1, "eth0", true);
    router.address(1, "192.0.2.7", 24);
    router.apply(router.config(
        "route 10.0.0.0/8 via 192.0.2.1 weight 2 via 198.51.100.1 weight 5 via 192.0.2.2;"));
    CHECK(router.gateways("10.0.0.0/8") == Texts{"192.0.2.1@1*2", "192.0.2.2@1*1"});
    router.interface(2, "eth1", true);
    router.address(2, "198.51.100.9", 24);
    router.run();
    CHECK(router.gateways("10.0.0.0/8") ==
          Texts{"198.51.100.1@2*5", "192.0.2.1@1*2", "192.0.2.2@1*1"});
}

TEST_CASE("a recursive route follows the best route to its host") {
    StaticRouter router(6);
    router.interface(1, "eth0", true);
    router.address(1, "192.0.2.7", 24);
    const std::string own = "route 10.0.0.0/8 recursive 172.16.1.1; route 11.0.0.0/8 blackhole;";
    router.apply(router.config(own));
    CHECK(router.destination("10.0.0.0/8") == attr::Destination::unreachable);
    router.apply(router.config(own + "route 172.16.0.0/12 via 192.0.2.1;"));
    CHECK(router.gateways("10.0.0.0/8") == Texts{"192.0.2.1@1*1"});
    router.apply(router.config(own + "route 172.16.0.0/12 via 192.0.2.1;"
                                     "route 172.16.1.0/24 via \"eth0\";"));
    CHECK(router.gateways("10.0.0.0/8") == Texts{"172.16.1.1@1*1"});
    router.apply(router.config(own + "route 172.16.0.0/12 via 192.0.2.2;"));
    CHECK(router.gateways("10.0.0.0/8") == Texts{"192.0.2.2@1*1"});
    router.interface(1, "eth0", false);
    router.run();
    CHECK(router.destination("10.0.0.0/8") == attr::Destination::unreachable);
}

TEST_CASE("a recursive route does not resolve through another one or itself") {
    StaticRouter router(7);
    router.interface(1, "eth0", true);
    router.address(1, "192.0.2.7", 24);
    router.apply(
        router.config("route 10.0.0.0/8 recursive 10.1.1.1;"
                      "route 172.16.0.0/12 recursive 192.168.0.1;"
                      "route 192.168.0.0/16 via 192.0.2.1;"
                      "route 20.0.0.0/8 recursive 172.16.0.9;"));
    CHECK(router.destination("10.0.0.0/8") == attr::Destination::unreachable);
    CHECK(router.gateways("172.16.0.0/12") == Texts{"192.0.2.1@1*1"});
    CHECK(router.destination("20.0.0.0/8") == attr::Destination::unreachable);
}

TEST_CASE("statements of a route set its attributes and preference") {
    StaticRouter router(8);
    router.apply(
        router.config("route 10.0.0.0/8 blackhole { preference = 7; igp_metric = 3; };"
                      "route 11.0.0.0/8 blackhole { igp_metric = net.len + 1; };"
                      "route 12.0.0.0/9 blackhole { igp_metric = net.len + 1; };"));
    std::map<std::string, std::pair<unsigned, std::uint32_t>> seen;
    router.each_route("master4", [&](const net::Prefix& net, const table::Route& route) {
        seen[net.to_string()] = {route.preference,
                                 route.attributes->word_or(attr::core::igp_metric, 0)};
    });
    CHECK(seen["10.0.0.0/8"] == std::pair(7U, 3U));
    CHECK(seen["11.0.0.0/8"] == std::pair(200U, 9U));
    CHECK(seen["12.0.0.0/9"] == std::pair(200U, 10U));
}

TEST_CASE("several routes to one network are all there") {
    StaticRouter router(9);
    router.apply(
        router.config("route 10.0.0.0/8 blackhole; route 10.0.0.0/8 prohibit;"
                      "route 10.0.0.0/8 unreachable { igp_metric = 1; };"));
    CHECK(router.routes("master4")["10.0.0.0/8"].size() == 3);
    CHECK(router.destination("10.0.0.0/8") == attr::Destination::unreachable);
    router.apply(router.config("route 10.0.0.0/8 blackhole;"));
    CHECK(router.routes("master4")["10.0.0.0/8"].size() == 1);
}

TEST_CASE("reconfiguration moves only what differs") {
    StaticRouter router(10);
    std::string many;
    for (int i = 0; i < 200; ++i)
        many += fmt::format("route 10.{}.0.0/16 {};", i, i % 2 == 0 ? "blackhole" : "prohibit");
    router.apply(
        router.config("route 9.0.0.0/8 blackhole;" + many + "route 12.0.0.0/8 blackhole;"));
    const channel::ImportStats before = router.stats();
    CHECK(before.updates.accepted == 202);
    router.apply(router.config("route 9.1.0.0/16 blackhole;" + many +
                               "route 12.0.0.0/8 prohibit;"
                               "route 13.0.0.0/8 unreachable;"));
    const channel::ImportStats after = router.stats();
    CHECK(after.updates.received - before.updates.received == 3);
    CHECK(after.withdraws.received - before.withdraws.received == 1);
    CHECK(router.count() == 203);
    CHECK(router.destination("12.0.0.0/8") == attr::Destination::prohibit);
}

TEST_CASE("any two configurations lead to the routes of the second one") {
    const std::uint64_t seed = GENERATE(1, 2, 3, 4, 5);
    CAPTURE(seed);
    StaticRouter router(seed);
    Random random(seed);
    router.interface(1, "eth0", true);
    router.address(1, "192.0.2.7", 24);
    constexpr std::string_view targets[] = {
        "blackhole",           "prohibit",
        "via 192.0.2.1",       "via 198.51.100.1",
        "recursive 192.0.2.9", "blackhole { preference = 150; }"};
    for (int round = 0; round < 25; ++round) {
        std::string body;
        std::map<std::string, std::multiset<std::string>> expected;
        const std::uint64_t count = random.below(60);
        for (std::uint64_t i = 0; i < count; ++i) {
            const std::string net = fmt::format("10.{}.0.0/16", random.below(40));
            const std::string_view target = targets[random.below(std::size(targets))];
            body += fmt::format("route {} {};", net, target);
            const bool there = target != "via 198.51.100.1" || router.interfaces.find(2);
            if (there) expected[net].insert("s");
        }
        router.apply(router.config(body));
        if (random.one_in(4))
            router.with("s", [](engine::Instance& i) { i.reload({.in = true, .out = true}); });
        router.run();
        auto found = router.routes("master4");
        REQUIRE(found.size() == expected.size());
        for (const auto& [net, owners] : expected)
            REQUIRE(found[net].size() == owners.size());
    }
}

TEST_CASE("a stopped protocol leaves nothing behind") {
    StaticRouter router(11);
    router.apply(router.config("route 10.0.0.0/8 blackhole; route 11.0.0.0/8 recursive 10.0.0.1;"));
    CHECK(router.count() == 2);
    router.order([](engine::Supervisor& s) { s.disable("s", ""); });
    router.run();
    CHECK(router.state("s") == engine::ProtocolState::down);
    CHECK(router.count() == 0);
    router.order([](engine::Supervisor& s) { s.enable("s", ""); });
    router.run();
    CHECK(router.count() == 2);
}

}  // namespace tern::static_routes
