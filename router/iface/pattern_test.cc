#include "router/iface/pattern.h"

#include "router/iface/router_id.h"
#include "router/iface/testing.h"
#include "router/iface/vrf.h"

#include <catch2/catch.hpp>

namespace tern::iface {
namespace {

config::InterfaceClause mask(std::string text, bool negative) {
    config::InterfaceClause clause;
    clause.mask = std::move(text);
    clause.negative = negative;
    return clause;
}

config::InterfaceClause network(std::string_view address, unsigned length, bool negative) {
    config::InterfaceClause clause;
    clause.prefix = net::Prefix::ip(testing::Host::ip(address), length);
    clause.negative = negative;
    return clause;
}

}  // namespace

TEST_CASE("wildcards match names") {
    CHECK(wildcard_match("eth0", "eth0"));
    CHECK_FALSE(wildcard_match("eth0", "eth01"));
    CHECK(wildcard_match("eth*", "eth"));
    CHECK(wildcard_match("eth*", "eth0.100"));
    CHECK(wildcard_match("*.100", "eth0.100"));
    CHECK(wildcard_match("*a*b", "xxaxxabb"));
    CHECK_FALSE(wildcard_match("*a*b", "xxaxxabc"));
    CHECK(wildcard_match("eth?", "eth1"));
    CHECK_FALSE(wildcard_match("eth?", "eth"));
    CHECK(wildcard_match("e\\*", "e*"));
    CHECK_FALSE(wildcard_match("e\\*", "eth"));
    CHECK(wildcard_match("*", ""));
    CHECK_FALSE(wildcard_match("", "x"));
}

TEST_CASE("the first clause that matches decides, and none means no") {
    testing::Host host;
    host.add(1, "eth0");
    host.add(2, "eth9");
    host.add(3, "lo");
    config::InterfacePattern pattern;
    pattern.clauses = {mask("eth9", true), mask("eth*", false)};
    CHECK(matches(pattern, *host.registry.find(1), nullptr));
    CHECK_FALSE(matches(pattern, *host.registry.find(2), nullptr));
    CHECK_FALSE(matches(pattern, *host.registry.find(3), nullptr));
    CHECK_FALSE(matches({}, *host.registry.find(1), nullptr));
}

TEST_CASE("a network clause looks at one address, or at all of them") {
    testing::Host host;
    host.add(1, "eth0");
    host.add_address(1, "10.0.0.1", 24);
    host.add_address(1, "192.0.2.1", 24);
    const InterfaceRef interface = host.registry.find(1);
    config::InterfacePattern pattern;
    pattern.clauses = {network("10.0.0.0", 8, true), network("0.0.0.0", 0, false)};
    CHECK_FALSE(matches(pattern, *interface, &interface->addresses[0]));
    CHECK(matches(pattern, *interface, &interface->addresses[1]));
    CHECK_FALSE(matches(pattern, *interface, nullptr));
}

TEST_CASE("VRF selection: any, default and named") {
    testing::Host host;
    LinkInfo device = testing::Host::link(7, "red");
    device.kind = InterfaceKind::vrf;
    host.apply(device);
    LinkInfo member = testing::Host::link(1, "eth0");
    member.master = 7;
    host.apply(member);
    host.add(2, "eth1");
    const Interface& inside = *host.registry.find(1);
    const Interface& outside = *host.registry.find(2);
    CHECK(in_vrf(inside, config::VrfKind::any, ""));
    CHECK_FALSE(in_vrf(inside, config::VrfKind::default_, ""));
    CHECK(in_vrf(outside, config::VrfKind::default_, ""));
    CHECK(in_vrf(inside, config::VrfKind::named, "red"));
    CHECK_FALSE(in_vrf(outside, config::VrfKind::named, "red"));
    CHECK(find_vrf(host.registry, config::VrfKind::named, "red").vrf == InterfaceIndex{7});
    CHECK_FALSE(find_vrf(host.registry, config::VrfKind::named, "blue").exists);
}

TEST_CASE("the router id is the lowest usable IPv4 address") {
    testing::Host host;
    CHECK_FALSE(choose_router_id(host.registry, nullptr));
    host.add(1, "lo");
    host.add_address(1, "127.0.0.1", 8);
    CHECK_FALSE(choose_router_id(host.registry, nullptr));
    host.add(2, "eth0");
    host.add_address(2, "198.51.100.1", 24);
    host.add(3, "eth1");
    host.add_address(3, "192.0.2.1", 24);
    CHECK(choose_router_id(host.registry, nullptr)->id.value() == 0xc0000201);
    CHECK(choose_router_id(host.registry, nullptr)->interface == "eth1");
    config::InterfacePattern pattern;
    pattern.clauses = {mask("eth0", false)};
    CHECK(choose_router_id(host.registry, &pattern)->id.value() == 0xc6336401);
    host.set_up(3, "eth1", false);
    CHECK(choose_router_id(host.registry, nullptr)->interface == "eth0");
}

}  // namespace tern::iface
