#include "router/os/netlink_codec.h"

#include <array>
#include <cstring>
#include <random>

#include <catch2/catch.hpp>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

namespace tern::os::netlink {
namespace {

struct alignas(8) Buffer {
    std::array<std::uint8_t, 4096> bytes = {};
};

net::IpAddress ip(std::string_view text) {
    return net::IpAddress::parse(text).value();
}

net::Prefix prefix(std::string_view address, unsigned length) {
    return net::Prefix::ip(ip(address), length);
}

RouteMessage unicast(const net::Prefix& destination,
                     std::string_view gateway,
                     std::uint32_t interface) {
    RouteMessage route;
    route.family = destination.is_v4() ? AF_INET : AF_INET6;
    route.protocol = RTPROT_BIRD;
    route.type = RTN_UNICAST;
    route.table = RT_TABLE_MAIN;
    route.has_priority = true;
    route.priority = 32;
    route.destination = destination;
    NextHop hop;
    hop.interface = interface;
    if (!gateway.empty()) hop.gateway = ip(gateway);
    route.next_hops.push_back(hop);
    return route;
}

RouteMessage round_trip(const RouteMessage& route) {
    Buffer buffer;
    const std::size_t length = encode_route(buffer.bytes, route, NLM_F_CREATE, 7);
    REQUIRE(length != 0);
    Bytes datagram(buffer.bytes.data(), length);
    const Bytes message = next_message(datagram);
    REQUIRE(message.size() == length);
    REQUIRE(datagram.empty());
    REQUIRE(header_of(message).sequence == 7);
    RouteMessage seen;
    REQUIRE(decode_route(message, seen));
    return seen;
}

void check_round_trip(const RouteMessage& route) {
    CHECK(round_trip(route) == route);
}

/// A message of raw parts: header, fixed part, attributes.
class RawMessage {
  public:
    template <class Fixed>
    RawMessage(std::uint16_t type, const Fixed& fixed) {
        nlmsghdr header = {};
        header.nlmsg_type = type;
        append(&header, sizeof header);
        append(&fixed, sizeof fixed);
    }

    RawMessage& attribute(std::uint16_t type, const void* data, std::size_t size) {
        nlattr header = {static_cast<std::uint16_t>(size + sizeof(nlattr)), type};
        append(&header, sizeof header);
        append(data, size);
        return *this;
    }

    RawMessage& attribute(std::uint16_t type, std::uint32_t value) {
        return attribute(type, &value, sizeof value);
    }

    Bytes get() {
        const auto length = static_cast<std::uint32_t>(size_);
        std::memcpy(buffer_.bytes.data(), &length, sizeof length);
        return {buffer_.bytes.data(), size_};
    }

  private:
    void append(const void* data, std::size_t size) {
        if (size != 0) std::memcpy(buffer_.bytes.data() + size_, data, size);
        size_ += (size + 3) / 4 * 4;
    }

    Buffer buffer_;
    std::size_t size_ = 0;
};

}  // namespace

TEST_CASE("unicast routes of both families survive encoding and decoding") {
    check_round_trip(unicast(prefix("10.1.0.0", 16), "192.0.2.1", 3));
    check_round_trip(unicast(prefix("0.0.0.0", 0), "192.0.2.1", 3));
    check_round_trip(unicast(prefix("2001:db8::", 32), "fe80::1", 70000));
    check_round_trip(unicast(prefix("::", 0), "2001:db8::1", 0));
    check_round_trip(unicast(prefix("10.1.2.3", 32), "", 3));
}

TEST_CASE("an IPv4 route via an IPv6 gateway is written with RTA_VIA") {
    const RouteMessage route = unicast(prefix("10.9.0.0", 16), "fe80::1", 5);
    check_round_trip(route);
    Buffer buffer;
    const std::size_t length = encode_route(buffer.bytes, route, 0, 1);
    const std::string_view text(reinterpret_cast<const char*>(buffer.bytes.data()), length);
    // nla_len 22, type RTA_VIA 18, family AF_INET6 10.
    CHECK(text.find(std::string_view("\x16\x00\x12\x00\x0a\x00\xfe\x80", 8)) != text.npos);
}

TEST_CASE("routes without next hop keep their kind") {
    for (const std::uint8_t type : {RTN_BLACKHOLE, RTN_UNREACHABLE, RTN_PROHIBIT}) {
        RouteMessage route = unicast(prefix("198.51.100.0", 24), "", 0);
        route.next_hops.clear();
        route.type = type;
        check_round_trip(route);
    }
}

TEST_CASE("multipath routes keep order, weight, onlink and labels of each hop") {
    RouteMessage route = unicast(prefix("10.0.0.0", 8), "192.0.2.1", 3);
    NextHop second;
    second.interface = 4;
    second.gateway = ip("2001:db8::7");
    second.weight = 256;
    second.onlink = true;
    second.labels.count = 2;
    second.labels.labels = {100, 1048575};
    route.next_hops.push_back(second);
    check_round_trip(route);
}

TEST_CASE("all optional parts of a route survive together") {
    RouteMessage route = unicast(prefix("10.0.0.0", 8), "192.0.2.1", 3);
    route.table = 70000;
    route.scope = RT_SCOPE_SITE;
    route.preferred_source = ip("192.0.2.9");
    route.realm = 42;
    route.metrics.set(2, 1400);
    route.metrics.set(RouteMetrics::lock, 1U << 2);
    route.metrics.present |= 1U << RouteMetrics::congestion_control;
    route.metrics.congestion = "cubic";
    route.next_hops.front().onlink = true;
    check_round_trip(route);
}

TEST_CASE("source-specific and MPLS routes survive") {
    RouteMessage sadr = unicast(prefix("2001:db8::", 32), "fe80::1", 3);
    sadr.has_source = true;
    sadr.source = prefix("2001:db8:1::", 48);
    check_round_trip(sadr);
    RouteMessage mpls = unicast(prefix("::", 0), "192.0.2.1", 3);
    mpls.family = AF_MPLS;
    mpls.destination = net::Prefix();
    mpls.mpls_label = 1000;
    mpls.has_priority = false;
    mpls.priority = 0;
    mpls.next_hops.front().labels.count = 1;
    mpls.next_hops.front().labels.labels[0] = 2000;
    check_round_trip(mpls);
}

TEST_CASE("a removal names the route and nothing else") {
    RouteMessage route = unicast(prefix("10.0.0.0", 8), "192.0.2.1", 3);
    route.removed = true;
    route.metrics.set(2, 1400);
    const RouteMessage seen = round_trip(route);
    CHECK(seen.removed);
    CHECK(seen.next_hops.empty());
    CHECK(seen.metrics.present == 0);
    CHECK(seen.priority == 32);
    CHECK(seen.destination == route.destination);
}

TEST_CASE("a route that does not fit is not encoded") {
    const RouteMessage route = unicast(prefix("10.1.0.0", 16), "192.0.2.1", 3);
    Buffer buffer;
    const std::size_t whole = encode_route(buffer.bytes, route, 0, 1);
    for (std::size_t room = 0; room < whole; ++room) {
        CHECK(encode_route(MutableBytes(buffer.bytes.data(), room), route, 0, 1) == 0);
    }
    CHECK(encode_route(MutableBytes(buffer.bytes.data(), whole), route, 0, 1) == whole);
}

TEST_CASE("impossible prefix lengths and address sizes are refused") {
    rtmsg fixed = {};
    fixed.rtm_family = AF_INET;
    fixed.rtm_dst_len = 33;
    RouteMessage route;
    CHECK(
        decode_route(RawMessage(RTM_NEWROUTE, fixed).attribute(RTA_DST, 0).get(), route).error() ==
        DecodeProblem::bad_length);
    fixed.rtm_dst_len = 24;
    CHECK_FALSE(decode_route(RawMessage(RTM_NEWROUTE, fixed).get(), route));
    const std::array<std::uint8_t, 5> five = {};
    CHECK_FALSE(decode_route(
        RawMessage(RTM_NEWROUTE, fixed).attribute(RTA_DST, five.data(), 5).get(), route));
    CHECK(decode_route(RawMessage(RTM_NEWROUTE, fixed)
                           .attribute(RTA_DST, 0)
                           .attribute(RTA_GATEWAY, five.data(), 5)
                           .get(),
                       route)
              .error() == DecodeProblem::bad_next_hop);
    fixed.rtm_family = AF_APPLETALK;
    CHECK(decode_route(RawMessage(RTM_NEWROUTE, fixed).get(), route).error() ==
          DecodeProblem::bad_family);
}

TEST_CASE("a next hop list that runs out, or leads nowhere, is refused") {
    rtmsg fixed = {};
    fixed.rtm_family = AF_INET;
    rtnexthop hop = {};
    hop.rtnh_len = 64;
    RouteMessage route;
    CHECK(
        decode_route(
            RawMessage(RTM_NEWROUTE, fixed).attribute(RTA_MULTIPATH, &hop, sizeof hop).get(), route)
            .error() == DecodeProblem::bad_next_hop);
    hop.rtnh_len = sizeof hop;
    CHECK(
        decode_route(
            RawMessage(RTM_NEWROUTE, fixed).attribute(RTA_MULTIPATH, &hop, sizeof hop).get(), route)
            .error() == DecodeProblem::bad_next_hop);
}

TEST_CASE("links report name, master, kind and state") {
    ifinfomsg fixed = {};
    fixed.ifi_index = 5;
    fixed.ifi_flags = IFF_UP | IFF_BROADCAST;
    // IFLA_LINKINFO{IFLA_INFO_KIND "vrf", IFLA_INFO_DATA{IFLA_VRF_TABLE 100}}
    const std::array<std::uint8_t, 20> info = {
        8, 0, IFLA_INFO_KIND, 0, 'v', 'r', 'f', 0, 12, 0, 2, 0, 8, 0, 1, 0, 100, 0, 0, 0};
    const auto link = decode_link(RawMessage(RTM_NEWLINK, fixed)
                                      .attribute(IFLA_IFNAME, "red", 4)
                                      .attribute(IFLA_MTU, 1500)
                                      .attribute(IFLA_MASTER, 9)
                                      .attribute(IFLA_LINKINFO, info.data(), info.size())
                                      .get());
    REQUIRE(link);
    CHECK(link->name == "red");
    CHECK(link->index == 5);
    CHECK(link->mtu == 1500);
    CHECK(link->master == 9);
    CHECK(link->kind == LinkKind::vrf);
    CHECK(link->vrf_table == 100);
    CHECK_FALSE(decode_link(RawMessage(RTM_NEWLINK, fixed).get()));
}

TEST_CASE("addresses tell our own side from the peer's") {
    ifaddrmsg fixed = {};
    fixed.ifa_family = AF_INET;
    fixed.ifa_prefixlen = 32;
    fixed.ifa_index = 3;
    const std::array<std::uint8_t, 4> local = {10, 0, 0, 1};
    const std::array<std::uint8_t, 4> peer = {10, 0, 0, 2};
    const auto both = decode_address(RawMessage(RTM_NEWADDR, fixed)
                                         .attribute(IFA_ADDRESS, peer.data(), 4)
                                         .attribute(IFA_LOCAL, local.data(), 4)
                                         .get());
    REQUIRE(both);
    CHECK(both->local == ip("10.0.0.1"));
    CHECK(both->peer == ip("10.0.0.2"));
    const auto alone = decode_address(
        RawMessage(RTM_NEWADDR, fixed).attribute(IFA_ADDRESS, local.data(), 4).get());
    REQUIRE(alone);
    CHECK(alone->local == ip("10.0.0.1"));
    CHECK(alone->peer.is_zero());
    CHECK_FALSE(decode_address(RawMessage(RTM_NEWADDR, fixed).get()));
}

TEST_CASE("errors carry number, sequence and the kernel's text") {
    nlmsgerr fixed = {};
    fixed.error = -17;
    fixed.msg.nlmsg_len = 16;
    fixed.msg.nlmsg_seq = 99;
    RawMessage raw(NLMSG_ERROR, fixed);
    raw.attribute(NLMSGERR_ATTR_MSG, "File exists", 12);
    Buffer copy;
    const Bytes bytes = raw.get();
    std::memcpy(copy.bytes.data(), bytes.data(), bytes.size());
    nlmsghdr header = {};
    std::memcpy(&header, copy.bytes.data(), sizeof header);
    header.nlmsg_flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
    std::memcpy(copy.bytes.data(), &header, sizeof header);
    const auto error = decode_error(Bytes(copy.bytes.data(), bytes.size()));
    REQUIRE(error);
    CHECK(error->number == 17);
    CHECK(error->sequence == 99);
    CHECK(error->text == "File exists");
}

TEST_CASE("damaged messages never read past their end") {
    RouteMessage route = unicast(prefix("2001:db8::", 32), "fe80::1", 3);
    NextHop second = route.next_hops.front();
    second.labels.count = 2;
    route.next_hops.push_back(second);
    route.metrics.set(2, 1400);
    Buffer whole;
    const std::size_t length = encode_route(whole.bytes, route, 0, 1);
    std::mt19937 random(1);  // NOLINT: the seed is part of the test
    for (int round = 0; round < 20000; ++round) {
        const std::size_t size = random() % (length + 1);
        const auto copy = std::make_unique<std::uint8_t[]>(size);
        if (size != 0) std::memcpy(copy.get(), whole.bytes.data(), size);
        for (int i = 0; i < 3 && size != 0; ++i) {
            copy[random() % size] = static_cast<std::uint8_t>(random());
        }
        Bytes datagram(copy.get(), size);
        RouteMessage seen;
        while (true) {
            const Bytes message = next_message(datagram);
            if (message.empty()) break;
            if (decode_route(message, seen)) {
                CHECK(
                    (seen.family == AF_INET6 || seen.family == AF_INET || seen.family == AF_MPLS));
            }
        }
    }
}

}  // namespace tern::os::netlink
