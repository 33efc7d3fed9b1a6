// BGP between whole routers on virtual time: what needs two of them, or a slow one among many.

#include "router/net/prefix_text.h"
#include "router/proto/bgp/export_group.h"
#include "stress/sim/lab.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <set>

#include <catch2/catch.hpp>

namespace tern::sim {
namespace {

using loops::milliseconds;
using loops::seconds;

/// The number behind a label in an answer, e.g. `Import updates:   12`; -1 if it is not there.
int number_behind(const std::string& answer, std::string_view label) {
    std::size_t at = answer.find(label);
    if (at == std::string::npos) return -1;
    at = answer.find_first_not_of(' ', at + label.size());
    int number = -1;
    std::from_chars(answer.data() + at, answer.data() + answer.size(), number);
    return number;
}

int number_shown(Node& node, std::string_view protocol, std::string_view label) {
    return number_behind(node.command(fmt::format("show protocols all {}", protocol)), label);
}

/// Prefixes at the beginnings of lines of `show route`.
std::set<net::Prefix> prefixes_shown(Node& node, std::string_view command) {
    std::set<net::Prefix> result;
    const std::string answer = node.command(command);
    for (std::size_t at = 0; at < answer.size();) {
        const std::size_t end = answer.find('\n', at);
        std::string_view line = std::string_view(answer).substr(at, end - at);
        line.remove_prefix(line.starts_with(' ') ? 1 : 5);
        if (const auto prefix = net::parse_prefix(line.substr(0, line.find(' ')))) {
            result.insert(*prefix);
        }
        at = end + 1;
    }
    return result;
}

/// What a router has from one neighbour.
std::set<net::Prefix> prefixes_from(Node& node, std::string_view protocol) {
    std::set<net::Prefix> result;
    for (const SeenRoute& route : node.routes("master4")) {
        if (route.protocol == protocol) result.insert(route.prefix);
    }
    return result;
}

struct Two : Lab {
    Two() : Lab({}) {
        add_router();
        add_router();
        add_edge(0, 1, {});
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

/// A source, a hub, and ten who are told by it.
struct Star : Lab {
    static constexpr unsigned prefixes = 700;
    static constexpr unsigned slow = 4;  // edge, and with one more the router

    Star() : Lab({.seed = 5}) {
        for (unsigned i = 0; i < 12; ++i)
            add_router();
        add_edge(0, 1, {});
        for (unsigned i = 2; i < 12; ++i)
            add_port(1, i, {});
        dress = communities;
        extra_options = "hold time 600; connect delay time 1;";
        originate(0, "192.0.2.0/24");
        REQUIRE(configure_all() == "");
        REQUIRE(converge(seconds(60)) == "");
    }

    /// So many communities, others for each prefix, that it fills half a message.
    static std::string communities(const net::Prefix& prefix) {
        std::string block = " {";
        for (unsigned i = 0; i < 170; ++i) {
            block += fmt::format("bgp_large_community.add((1,{},{}));",
                                 prefix.address().v4_value() >> 8, i);
        }
        return block + "}";
    }

    static std::string prefix(unsigned number) {
        return fmt::format("172.{}.{}.0/24", 16 + number / 256, number % 256);
    }

    [[nodiscard]] std::string hub(std::string_view protocol) {
        return node(1).command(fmt::format("show protocols all {}", protocol));
    }

    /// Nothing is wrong with anybody but the slow one.
    [[nodiscard]] std::string others() {
        std::string result;
        for (unsigned i = 0; i < 12; ++i) {
            if (i != slow + 1) result += wrong(i);
        }
        return result;
    }
};

}  // namespace

TEST_CASE("of two connections that meet the higher identifier's stays (RFC 4271 section 6.8)") {
    Two lab;
    REQUIRE(lab.configure_all() == "");
    std::size_t most = 0;
    for (int i = 0; i < 3000; ++i) {
        lab.run(milliseconds(1));
        most = std::max(most, lab.network().callers().size());
    }
    CHECK(most == 2);
    CHECK(lab.network().callers() == std::vector<std::string>{"r2"});
    CHECK(lab.converge(seconds(5)) == "");
    CHECK(lab.shut_down());
}

TEST_CASE("TTL security refuses a neighbour that sends with a small TTL (RFC 5082 section 3)") {
    Two lab;
    REQUIRE(lab.configure(1) == "");
    lab.extra_options += " ttl security on;";
    REQUIRE(lab.configure(0) == "");
    lab.run(seconds(60));
    CHECK(lab.node(0).info("edge1") != "Established");
    CHECK(lab.node(1).best_routes("master4").size() == 1);
    REQUIRE(lab.configure(1) == "");
    // What was accepted before and never said anything makes way for the next attempt.
    CHECK(lab.converge(seconds(20)) == "");
    CHECK(lab.shut_down());
}

TEST_CASE("the pause before the next attempt is shown as part of its own length") {
    Two lab;
    REQUIRE(lab.configure(0) == "");
    for (int i = 0; i < 30; ++i) {
        lab.run(seconds(1));
        const std::string shown = lab.node(0).command("show protocols all edge1");
        const std::size_t at = shown.find("Connect delay:");
        if (at == std::string::npos) continue;
        double left = 0;
        int whole = 0;
        REQUIRE(std::sscanf(shown.c_str() + at, "Connect delay: %lf/%d", &left, &whole) == 2);
        CHECK(left <= whole);
        CHECK(whole <= 5);
    }
    CHECK(lab.shut_down());
}

TEST_CASE("the hold timer expires that long after the last message (RFC 4271 section 6.5)") {
    Two lab;
    lab.come_up();
    lab.run(seconds(100));
    lab.cut(0);
    // Keepalives come every ten seconds: between 20 and 30 seconds are left of the 30.
    lab.run(seconds(19));
    CHECK(lab.node(0).info("edge1") == "Established");
    CHECK(lab.node(1).info("edge1") == "Established");
    lab.run(seconds(12));
    CHECK(lab.node(0).info("edge1") != "Established");
    CHECK(lab.node(1).info("edge1") != "Established");
    CHECK(lab.node(1).best_routes("master4").size() == 1);
    CHECK(lab.shut_down());
}

TEST_CASE("routes are sent again on request, asked from either side (RFC 2918 section 4)") {
    Two lab;
    lab.come_up();
    for (const auto& [asking, command] :
         {std::pair(0U, "reload in edge1"), std::pair(1U, "reload out edge1")}) {
        CAPTURE(command);
        const int before = number_shown(lab.node(0), "edge1", "Import updates:");
        const int there = number_shown(lab.node(1), "edge1", "Import updates:");
        REQUIRE(before > 0);
        (void)lab.node(asking).command(command);
        lab.run(seconds(2));
        CHECK(number_shown(lab.node(0), "edge1", "Import updates:") == before + 1);
        CHECK(number_shown(lab.node(1), "edge1", "Import updates:") == there);
        CHECK(lab.wrong() == "");
        CHECK(lab.node(0).info("edge1") == "Established");
    }
    CHECK(lab.shut_down());
}

TEST_CASE("a changed export filter takes back what it does not pass, and the session stays") {
    Two lab;
    lab.originate(0, "192.0.3.0/24");
    lab.come_up();
    std::string text = lab.configuration(0);
    const std::string all = "export all;";
    text.replace(text.find(all), all.size(), "export where net != 192.0.3.0/24;");
    REQUIRE(lab.node(0).configure(text) == "");
    lab.run(seconds(2));
    CHECK(lab.node(1).best_routes("master4").size() == 2);
    CHECK(lab.node(0).info("edge1") == "Established");
    CHECK(lab.shut_down());
}

TEST_CASE("a session that ends with 10000 routes leaves nothing, here and behind") {
    Lab lab({.seed = 2});
    for (int i = 0; i < 3; ++i)
        lab.add_router();
    lab.add_edge(0, 1, {});
    lab.add_edge(1, 2, {});
    for (unsigned i = 0; i < 10'000; ++i)
        lab.originate(0, fmt::format("172.{}.{}.0/24", 16 + i / 256, i % 256));
    lab.originate(2, "203.0.113.0/24");
    REQUIRE(lab.configure_all() == "");
    lab.run(seconds(30));
    REQUIRE(lab.node(2).best_routes("master4").size() == 10'001);
    CHECK(prefixes_shown(lab.node(1), "show route export edge2") ==
          prefixes_from(lab.node(2), "edge2"));
    SECTION("an operator ends it") {
        CHECK(lab.node(0).disable("edge1"));
    }
    SECTION("the connection breaks and cannot be made again") {
        lab.cut(0);
        lab.reset(0);
        lab.run(seconds(40));
    }
    lab.run(seconds(5));
    CHECK(lab.node(1).routes("master4").size() == 1);
    CHECK(lab.node(2).routes("master4").size() == 1);
    CHECK(lab.node(2).info("edge2") == "Established");
    CHECK(number_shown(lab.node(2), "edge2", "Import withdraws:") == 10'000);
    CHECK(prefixes_shown(lab.node(1), "show route export edge2").empty());
    CHECK(lab.shut_down());
}

TEST_CASE("a recursive next hop follows the table that resolves it (RFC 4271 section 9.1.2.1)") {
    Lab lab({});
    lab.add_router();
    lab.add_router();
    lab.add_edge(0, 1, {});
    REQUIRE(lab.node(0).configure(
                "router id 10.255.0.1;\n"
                "protocol static origin { ipv4; route 192.0.2.0/24 blackhole; }\n"
                "protocol bgp down { local 10.0.0.1 as 65001; neighbor 10.0.0.2 as 65002;\n"
                "  multihop 2; connect delay time 1; ipv4 { import all;\n"
                "  export filter { bgp_next_hop = 172.31.0.9; accept; }; }; }\n") == "");
    const auto igp = [&](std::string_view routes) {
        REQUIRE(lab.node(1).configure(fmt::format(
                    "router id 10.255.0.2;\n"
                    "protocol static igp {{ ipv4; {} }}\n"
                    "protocol bgp up {{ local 10.0.0.2 as 65002; neighbor 10.0.0.1 as 65001;\n"
                    "  multihop 2; connect delay time 1; ipv4 {{ import all; export none; }}; }}\n",
                    routes)) == "");
        lab.run(seconds(5));
        CHECK(lab.node(1).info("up") == "Established");
        std::string hop = "none";
        for (const SeenRoute& route : lab.node(1).best_routes("master4")) {
            if (route.protocol == "up") hop = route.next_hop.to_string();
        }
        return hop;
    };
    CHECK(igp("route 172.31.0.0/16 via 10.0.0.1;") == "10.0.0.1");
    CHECK(igp("route 172.31.0.0/16 via 10.0.0.77;") == "10.0.0.77");
    CHECK(igp("route 172.31.0.0/16 via 10.0.0.1; route 172.31.0.8/29 via 10.0.0.78;") ==
          "10.0.0.78");
    CHECK(igp("route 172.31.0.0/16 via 10.0.0.1; route 172.31.0.8/29 blackhole;") == "::");
    CHECK(igp("") == "::");  // unreachable: it stays, behind every route that leads somewhere
    CHECK(igp("route 172.31.0.0/16 via 10.0.0.1;") == "10.0.0.1");
    CHECK(lab.shut_down());
}

TEST_CASE("with an import table a changed filter asks the neighbour for nothing") {
    Two lab;
    lab.extra_options += " enable route refresh off;";
    lab.originate(0, "192.0.3.0/24");
    lab.come_up();
    std::string text = lab.configuration(1);
    const std::string all = "import all;";
    const auto with = [&](std::string_view import) {
        std::string changed = text;
        changed.replace(changed.find(all), all.size(), import);
        REQUIRE(lab.node(1).configure(changed) == "");
        lab.run(seconds(20));
        CHECK(lab.node(1).info("edge1") == "Established");
    };
    with("import table on; import all;");
    CHECK(lab.wrong() == "");
    const int updates = number_shown(lab.node(1), "edge1", "Import updates:");
    with("import table on; import where net != 192.0.3.0/24;");
    CHECK(lab.node(1).best_routes("master4").size() == 2);
    CHECK(number_shown(lab.node(1), "edge1", "Import updates:") == updates);
    const std::set<net::Prefix> received{net::parse_prefix("192.0.2.0/24").value(),
                                         net::parse_prefix("192.0.3.0/24").value()};
    CHECK(prefixes_shown(lab.node(1), "show route import table edge1.ipv4") == received);
    CHECK(lab.node(1).command("show route import table edge1.ipv4").find("Table import:") !=
          std::string::npos);
    CHECK(lab.node(1).command("show route import table edge1.ipv6").find("No import table") !=
          std::string::npos);
    with("import table on; import all;");
    CHECK(lab.wrong() == "");
    CHECK(number_shown(lab.node(1), "edge1", "Import updates:") == updates);
    CHECK(lab.node(0).disable("edge1"));
    lab.run(seconds(2));
    CHECK(prefixes_shown(lab.node(1), "show route import table edge1.ipv4").empty());
    CHECK(lab.shut_down());
}

TEST_CASE("a stalled neighbour among ten goes its own way, and nobody waits for it") {
    Star lab;
    CHECK(number_behind(lab.hub("edge2"), "Export group:") == 10);
    lab.stall(Star::slow);
    for (unsigned i = 0; i < Star::prefixes; ++i)
        lab.originate(0, Star::prefix(i));
    REQUIRE(lab.configure(0) == "");
    lab.run(seconds(3));
    CHECK(lab.others() == "");
    CHECK(number_behind(lab.hub("edge2"), "Export group:") == 9);
    const std::string alone = lab.hub(fmt::format("edge{}", Star::slow + 1));
    CHECK(number_behind(alone, "Export group:") == 1);
    CHECK(number_behind(alone, "Fell behind:") == 1);
    CHECK(number_behind(alone, "neighbors,") > 0);
    CHECK(number_behind(alone, "neighbors,") < 2 * int{bgp::ExportGroup::stream_high});
    CHECK(number_behind(lab.hub("edge2"), "neighbors,") == 0);
    // Half of them change their mind while nobody hears: the slow one need not be told of it all.
    for (unsigned i = 0; i < Star::prefixes; i += 2)
        lab.withdraw(0, Star::prefix(i));
    REQUIRE(lab.configure(0) == "");
    lab.run(seconds(2));
    CHECK(lab.others() == "");
    lab.go_on(Star::slow);
    CHECK(lab.converge(seconds(10)) == "");
    lab.run(seconds(2));
    const std::string back = lab.hub(fmt::format("edge{}", Star::slow + 1));
    CHECK(number_behind(back, "Export group:") == 10);
    CHECK(number_behind(back, "came back") == 1);
    for (unsigned i = 2; i < 12; ++i) {
        CHECK(prefixes_shown(lab.node(1), fmt::format("show route export edge{}", i)) ==
              prefixes_from(lab.node(i), fmt::format("edge{}", i)));
    }
    CHECK(lab.shut_down());
}

}  // namespace tern::sim
