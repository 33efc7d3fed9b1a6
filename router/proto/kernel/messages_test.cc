#include "router/proto/kernel/messages.h"

#include "alloc/arena.h"
#include "router/attr/attribute_store.h"
#include "router/attr/core_attributes.h"
#include "router/proto/kernel/attributes.h"

#include <catch2/catch.hpp>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace tern::kernel {
namespace {

using os::netlink::RouteMessage;

net::IpAddress ip(std::string_view text) {
    return net::IpAddress::parse(text).value();
}

attr::NextHop hop(std::string_view gateway, std::uint32_t interface) {
    attr::NextHop result;
    if (!gateway.empty()) result.gateway = ip(gateway);
    result.interface = InterfaceId(interface);
    return result;
}

RouteMessage alien() {
    RouteMessage message;
    message.family = AF_INET;
    message.table = 254;
    message.type = RTN_UNICAST;
    message.protocol = RTPROT_STATIC;
    message.destination = net::Prefix::ip(ip("198.51.100.0"), 24);
    os::netlink::NextHop next;
    next.interface = 3;
    next.gateway = ip("192.0.2.1");
    message.next_hops.push_back(next);
    return message;
}

}  // namespace

TEST_CASE("messages are told apart by table, family, protocol and type") {
    const Place place;
    CHECK(classify(alien(), place) == Kind::alien);
    RouteMessage message = alien();
    message.protocol = RTPROT_BIRD;
    CHECK(classify(message, place) == Kind::own);
    message.protocol = RTPROT_KERNEL;
    CHECK(classify(message, place) == Kind::kernel);
    message.protocol = RTPROT_REDIRECT;
    CHECK(classify(message, place) == Kind::redirect);
    message.protocol = RTPROT_UNSPEC;
    CHECK(classify(message, place) == Kind::foreign);
    message = alien();
    message.table = 100;
    CHECK(classify(message, place) == Kind::foreign);
    message = alien();
    message.type = RTN_LOCAL;
    CHECK(classify(message, place) == Kind::foreign);
    message = alien();
    message.tos = 4;
    CHECK(classify(message, place) == Kind::foreign);
    message = alien();
    message.cloned = true;
    CHECK(classify(message, place) == Kind::foreign);
    message = alien();
    message.destination = net::Prefix::ip(ip("224.0.0.0"), 24);
    CHECK(classify(message, place) == Kind::foreign);
    message = alien();
    message.next_hops.front().dead = true;
    CHECK(classify(message, place) == Kind::foreign);
    CHECK(classify(alien(), Place{false, 254, 32}) == Kind::foreign);
}

TEST_CASE("what is written has the fingerprint of what is read back") {
    const Place place;
    RouteMessage message;
    Wanted wanted;
    wanted.prefix = net::Prefix::ip(ip("198.51.100.0"), 24);
    const attr::NextHop one[] = {hop("192.0.2.1", 3)};
    wanted.hops = one;
    fill_route(wanted, place, message);
    CHECK(fingerprint(message) == fingerprint(wanted.destination, wanted.hops));
    CHECK(message.priority == 32);
    CHECK(message.scope == RT_SCOPE_UNIVERSE);
    const attr::NextHop two[] = {hop("192.0.2.1", 3), hop("192.0.2.2", 4)};
    wanted.hops = two;
    fill_route(wanted, place, message);
    CHECK(fingerprint(message) == fingerprint(wanted.destination, wanted.hops));
    std::swap(message.next_hops[0], message.next_hops[1]);
    CHECK(fingerprint(message) == fingerprint(wanted.destination, wanted.hops));
    message.next_hops[0].weight = 2;
    CHECK(fingerprint(message) != fingerprint(wanted.destination, wanted.hops));
    CHECK(fingerprint(attr::Destination::unicast, one) !=
          fingerprint(attr::Destination::unicast, two));
    // The kernel shows IPv6 unreachable routes with the loopback as interface.
    RouteMessage unreachable = alien();
    unreachable.type = RTN_UNREACHABLE;
    CHECK(fingerprint(unreachable) == fingerprint(attr::Destination::unreachable, {}));
}

TEST_CASE("a route without gateway has the scope of its link") {
    RouteMessage message;
    Wanted wanted;
    wanted.prefix = net::Prefix::ip(ip("198.51.100.0"), 24);
    const attr::NextHop hops[] = {hop("", 3)};
    wanted.hops = hops;
    fill_route(wanted, Place{}, message);
    CHECK(message.scope == RT_SCOPE_LINK);
}

TEST_CASE("kernel attributes are learned and written back") {
    alloc::Arena arena;
    attr::AttributeStore store;
    RouteMessage message = alien();
    message.priority = 77;
    message.has_priority = true;
    message.preferred_source = ip("192.0.2.9");
    message.realm = 5;
    message.metrics.set(2, 1400);
    message.metrics.present |= 1U << 16;
    message.metrics.congestion = "bbr";
    {
        attr::AttributeList list(arena, nullptr);
        fill_attributes(message, list);
        const attr::AttributeSet* set = store.intern(list);
        CHECK(set->word_or(krt::source, 0) == RTPROT_STATIC);
        CHECK(set->word_or(krt::metric, 0) == 77);
        CHECK(set->word_or(krt::metrics + 2, 0) == 1400);
        CHECK(attr::origin_of(*set) == attr::RouteOrigin::inherit);
        const attr::NextHopListView hops = attr::next_hops(*set);
        CHECK(capable(hops));
        Wanted wanted;
        wanted.prefix = message.destination;
        const std::vector<attr::NextHop> list_of_hops = hops.to_vector();
        wanted.hops = list_of_hops;
        wanted.set = set;
        CHECK(metric_of(wanted, Place{true, 254, 0}) == 77);
        CHECK(metric_of(wanted, Place{}) == 32);
        CHECK(extra_of(*set) != 0);
        RouteMessage written;
        fill_route(wanted, Place{true, 254, 0}, written);
        CHECK(written.metrics == message.metrics);
        CHECK(written.preferred_source == message.preferred_source);
        CHECK(written.realm == 5);
        CHECK(written.next_hops == message.next_hops);
        store.release(set);
    }
}

TEST_CASE("routes the kernel cannot have are incapable") {
    attr::NextHopListBuilder builder;
    CHECK_FALSE(capable(attr::NextHopListView()));
    CHECK(capable(attr::NextHopListView(builder.destination(attr::Destination::blackhole))));
    CHECK_FALSE(capable(attr::NextHopListView(builder.single(hop("192.0.2.1", 0)))));
    CHECK(capable(attr::NextHopListView(builder.single(hop("192.0.2.1", 3)))));
}

}  // namespace tern::kernel
