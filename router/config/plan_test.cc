#include "router/config/plan.h"

#include "router/config/test_protocol.h"

#include <catch2/catch.hpp>

namespace tern::config {

namespace {

using testing::Bench;

/// The rendered plan between two texts.
std::string plan(const std::string& before, const std::string& after, bool soft) {
    Bench bench;
    const ParsedConfig old = bench.parse(before);
    const ParsedConfig now = bench.parse(after);
    REQUIRE(old);
    REQUIRE(now);
    return make_plan(old->get(), **now, {.soft = soft}).render();
}

std::string one(const std::string& options) {
    return "protocol tiny a { peer 10.0.0.1; " + options + " }";
}

}  // namespace

TEST_CASE("the first configuration starts everything") {
    Bench bench;
    const ParsedConfig now = bench.parse("ipv4 table t; " + one("ipv4;"));
    REQUIRE(now);
    CHECK(make_plan(nullptr, **now, {}).render() ==
          "start table master4\nstart table t\nstart a\n");
}

TEST_CASE("the same text again changes nothing") {
    const std::string text = "filter f { x; } ipv4 table t { trie; } " +
                             one("ipv4 { import filter f; table t; }; helper table t;");
    CHECK(plan(text, text, false).empty());
}

TEST_CASE("each option has the effect its row says") {
    CHECK(plan(one(""), one("passive;"), false) == "restart a (passive)\n");
    CHECK(plan(one(""), one("note \"x\";"), false) == "modify a (note)\n");
    CHECK(plan(one(""), one("mode slow;"), false).empty());
    CHECK(plan(one("ipv4;"), one("ipv4 { cost 3; };"), false) == "modify a (cost), reload in\n");
    CHECK(plan(one("ipv4;"), one("ipv4 { next hop self; };"), false) ==
          "modify a (next hop self), reload out\n");
    CHECK(plan(one("ipv4;"), one("ipv4 { import limit 3; };"), false) ==
          "modify a (import limit)\n");
}

TEST_CASE("filters are compared by structure and only reload what they filter") {
    const std::string before = "filter f { x; } " + one("ipv4 { import filter f; };");
    const std::string after = "filter f { y; } " + one("ipv4 { import filter f; };");
    CHECK(plan(before, after, false) == "modify a (filter), reload in\n");
    CHECK(plan(before, after, true).empty());
    CHECK(plan(one("ipv4;"), one("ipv4 { export all; };"), false) ==
          "modify a (filter), reload out\n");
}

TEST_CASE("protocols and channels that come and go start and stop") {
    CHECK(plan(one("") + "protocol tiny b { peer 10.0.0.2; }", one(""), false) == "stop b\n");
    CHECK(plan(one(""), one("") + "protocol tiny b { peer 10.0.0.2; }", false) == "start b\n");
    CHECK(plan("ipv4 table master4; ipv6 table master6;" + one("ipv4;"),
               "ipv4 table master4; ipv6 table master6;" + one("ipv4; ipv6;"),
               false) == "modify a\n");
}

TEST_CASE("a table made anew restarts its users") {
    CHECK(plan("ipv4 table t;" + one("ipv4 { table t; };"),
               "ipv4 table t { trie; }" + one("ipv4 { table t; };"),
               false) == "restart table t\nrestart a (table)\n");
    CHECK(plan("ipv4 table t;" + one("ipv4 { table t; };"),
               "ipv4 table t { gc threshold 5; }" + one("ipv4 { table t; };"),
               false) == "modify table t\n");
}

TEST_CASE("a new router id restarts protocols without their own") {
    CHECK(plan("router id 1.1.1.1; " + one(""), "router id 2.2.2.2; " + one(""), false) ==
          "restart a (router id or hostname)\n");
    CHECK(plan("router id 1.1.1.1; " + one("router id 5;"),
               "router id 2.2.2.2; " + one("router id 5;"), false)
              .empty());
}

}  // namespace tern::config
