// Real netlink in a network namespace of its own; skipped where that is not permitted.
#include "router/os/netlink_socket.h"

#include <cerrno>
#include <cstring>
#include <set>

#include <catch2/catch.hpp>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tern::os {
namespace {

/// Once per process: a namespace with nothing but a loopback interface that is up.
bool in_private_namespace() {
    static const bool entered = [] {
        if (::unshare(CLONE_NEWNET) != 0) return false;
        const loops::FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ifreq request = {};
        std::strcpy(request.ifr_name, "lo");
        request.ifr_flags = IFF_UP | IFF_RUNNING;
        return ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
    }();
    if (!entered) WARN("skipped: no permission for a network namespace");
    return entered;
}

netlink::RouteMessage route(std::uint32_t number) {
    netlink::RouteMessage message;
    message.family = AF_INET;
    message.protocol = RTPROT_BIRD;
    message.type = RTN_UNICAST;
    message.scope = RT_SCOPE_LINK;
    message.table = 1000;
    message.priority = 32;
    message.has_priority = true;
    message.destination = net::Prefix::ip4(0x0a000000 + (number << 8), 24);
    netlink::NextHop hop;
    hop.interface = 1;
    message.next_hops.push_back(hop);
    return message;
}

std::vector<netlink::RouteMessage> dump(NetlinkSocket& socket) {
    std::vector<netlink::RouteMessage> result;
    const auto done = socket.dump(
        RTM_GETROUTE, AF_INET, socket.strict() ? 1000 : 0,
        [](Bytes message, void* context) {
            netlink::RouteMessage decoded;
            if (!netlink::decode_route(message, decoded) || decoded.table != 1000) return;
            static_cast<std::vector<netlink::RouteMessage>*>(context)->push_back(decoded);
        },
        &result);
    if (!done) CHECK(done.error().number == ENOENT);
    return result;
}

}  // namespace

TEST_CASE("a batch of routes is written, read back as it was, replaced and removed") {
    if (!in_private_namespace()) return;
    auto socket = NetlinkSocket::open(0);
    REQUIRE(socket);
    RouteBatch batch(*socket);
    constexpr std::uint32_t count = 1000;
    for (std::uint32_t i = 0; i < count; ++i)
        batch.add(route(i), NLM_F_CREATE | NLM_F_EXCL, i);
    batch.flush();
    CHECK(batch.take_failures().empty());
    std::vector<netlink::RouteMessage> seen = dump(*socket);
    REQUIRE(seen.size() == count);
    std::set<net::Prefix> prefixes;
    for (const netlink::RouteMessage& each : seen) {
        prefixes.insert(each.destination);
        CHECK(each == route((each.destination.address().v4_value() - 0x0a000000) >> 8));
    }
    CHECK(prefixes.size() == count);

    netlink::RouteMessage blackhole = route(5);
    blackhole.type = RTN_BLACKHOLE;
    blackhole.scope = RT_SCOPE_UNIVERSE;
    blackhole.next_hops.clear();
    batch.add(blackhole, NLM_F_CREATE | NLM_F_REPLACE, 1);
    batch.flush();
    CHECK(batch.take_failures().empty());
    CHECK(dump(*socket).size() == count);

    for (std::uint32_t i = 0; i < count; ++i) {
        netlink::RouteMessage removal = route(i);
        removal.removed = true;
        removal.scope = RT_SCOPE_NOWHERE;
        removal.type = RTN_UNSPEC;  // whatever it is now
        batch.add(removal, 0, i);
    }
    batch.flush();
    CHECK(batch.take_failures().empty());
    CHECK(dump(*socket).empty());
}

TEST_CASE("refusals name exactly the changes that were refused") {
    if (!in_private_namespace()) return;
    auto socket = NetlinkSocket::open(0);
    REQUIRE(socket);
    RouteBatch batch(*socket);
    netlink::RouteMessage wrong = route(3);
    wrong.next_hops.front().interface = 9999;
    netlink::RouteMessage missing = route(4);
    missing.removed = true;
    missing.scope = RT_SCOPE_NOWHERE;
    batch.add(route(1), NLM_F_CREATE | NLM_F_EXCL, 101);
    batch.add(route(1), NLM_F_CREATE | NLM_F_EXCL, 102);
    batch.add(wrong, NLM_F_CREATE | NLM_F_EXCL, 103);
    batch.add(missing, 0, 104);
    batch.add(route(2), NLM_F_CREATE | NLM_F_EXCL, 105);
    batch.flush();
    const auto failures = batch.take_failures();
    REQUIRE(failures.size() == 3);
    CHECK(failures[0].number == 102);
    CHECK(failures[0].error == EEXIST);
    CHECK(failures[1].number == 103);
    CHECK(failures[1].error == ENODEV);
    CHECK(failures[2].number == 104);
    CHECK(failures[2].error == ESRCH);
    CHECK(dump(*socket).size() == 2);
}

TEST_CASE("links and addresses of the namespace are dumped") {
    if (!in_private_namespace()) return;
    auto socket = NetlinkSocket::open(0);
    REQUIRE(socket);
    std::vector<netlink::LinkMessage> links;
    REQUIRE(socket->dump(
        RTM_GETLINK, AF_UNSPEC, 0,
        [](Bytes message, void* context) {
            auto link = netlink::decode_link(message);
            if (link) static_cast<std::vector<netlink::LinkMessage>*>(context)->push_back(*link);
        },
        &links));
    REQUIRE_FALSE(links.empty());
    CHECK(links[0].name == "lo");
    CHECK((links[0].flags & IFF_LOOPBACK) != 0);
    std::vector<netlink::AddressMessage> addresses;
    REQUIRE(socket->dump(
        RTM_GETADDR, AF_UNSPEC, 0,
        [](Bytes message, void* context) {
            auto address = netlink::decode_address(message);
            if (!address) return;
            static_cast<std::vector<netlink::AddressMessage>*>(context)->push_back(*address);
        },
        &addresses));
    CHECK_FALSE(addresses.empty());
}

}  // namespace tern::os
