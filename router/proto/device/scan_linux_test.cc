#include "router/proto/device/scan_linux.h"

#include <catch2/catch.hpp>
#include <linux/if_addr.h>
#include <net/if.h>
#include <sys/socket.h>

namespace tern::device {
namespace {

net::IpAddress ip(std::string_view text) {
    return net::IpAddress::parse(text).value();
}

os::netlink::AddressMessage message(std::string_view local, unsigned length) {
    os::netlink::AddressMessage result;
    result.index = 3;
    result.local = ip(local);
    result.family = result.local.is_v4() ? AF_INET : AF_INET6;
    result.prefix_length = static_cast<std::uint8_t>(length);
    return result;
}

}  // namespace

TEST_CASE("an ordinary address gives its network") {
    const auto address = address_of(message("192.0.2.1", 24));
    REQUIRE(address);
    CHECK(address->prefix == net::Prefix::ip(ip("192.0.2.0"), 24));
    CHECK(address->opposite.is_zero());
    CHECK_FALSE(address->peer);
    CHECK_FALSE(address->host);
}

TEST_CASE("host addresses, the two of a /31 and those of a /30 know what they are") {
    CHECK(address_of(message("192.0.2.1", 32))->host);
    CHECK(address_of(message("192.0.2.0", 31))->opposite == ip("192.0.2.1"));
    CHECK(address_of(message("192.0.2.1", 30))->opposite == ip("192.0.2.2"));
    CHECK(address_of(message("2001:db8::", 127))->opposite == ip("2001:db8::1"));
}

TEST_CASE("a point-to-point address leads to its peer") {
    os::netlink::AddressMessage ppp = message("10.0.0.1", 32);
    ppp.peer = ip("10.0.0.2");
    const auto address = address_of(ppp);
    REQUIRE(address);
    CHECK(address->peer);
    CHECK(address->opposite == ip("10.0.0.2"));
    CHECK(address->prefix == net::Prefix::host(ip("10.0.0.2")));
}

TEST_CASE("addresses under duplicate detection (RFC 4862 section 5.4) are not used") {
    os::netlink::AddressMessage tentative = message("2001:db8::1", 64);
    tentative.flags = IFA_F_TENTATIVE;
    CHECK_FALSE(address_of(tentative));
    tentative.flags = IFA_F_DADFAILED;
    CHECK_FALSE(address_of(tentative));
    tentative.flags = IFA_F_SECONDARY;
    CHECK(address_of(tentative)->secondary);
}

TEST_CASE("link flags become states") {
    os::netlink::LinkMessage link;
    link.index = 3;
    link.name = "eth0";
    link.flags = IFF_UP | IFF_BROADCAST | IFF_MULTICAST;
    CHECK(link_info(link).admin_up);
    CHECK_FALSE(link_info(link).link_up);
    link.flags |= 0x10000;
    CHECK(link_info(link).link_up);
    CHECK_FALSE(link_info(link).loopback);
}

}  // namespace tern::device
