#include "router/net/ip_address.h"

#include "router/base/random.h"
#include "router/net/mac_address.h"
#include "router/net/route_distinguisher.h"

#include <arpa/inet.h>
#include <catch2/catch.hpp>

namespace tern::net {
namespace {

std::string round_trip(const char* text) {
    const Result<IpAddress> address = IpAddress::parse(text);
    return address ? address->to_string() : address.error().text;
}

TEST_CASE("canonical addresses print as they were read") {
    for (const char* text :
         {"0.0.0.0", "10.0.0.1", "255.255.255.255", "::", "::1", "2001:db8::1", "fe80::1:2",
          "1:2:3:4:5:6:7:8", "1::8", "ff02::5", "::10.0.0.1", "1:0:2::"}) {
        CHECK(round_trip(text) == text);
    }
    CHECK(round_trip("::ffff:10.0.0.1") == "10.0.0.1");
    CHECK(round_trip("0:0:0:0:0:0:0:0") == "::");
    CHECK(round_trip("1:0:0:2:0:0:0:3") == "1:0:0:2::3");
    CHECK(round_trip("2001:DB8::A") == "2001:db8::a");
}

TEST_CASE("texts that are not addresses are refused") {
    for (const char* text :
         {"", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "01234.1.1.1"}) {
        INFO(text);
        CHECK_FALSE(IpAddress::parse_v4(text));
    }
    for (const char* text : {":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:",
                             ":1", "12345::", "::1.2.3", "1.2.3.4::", "g::", "1:2:3:4:5:6:7::8"}) {
        INFO(text);
        CHECK_FALSE(IpAddress::parse_v6(text));
    }
}

TEST_CASE("IPv6 text agrees with the C library for random addresses") {
    Random random(11);
    for (int i = 0; i < 20000; ++i) {
        std::array<std::uint8_t, 16> bytes = {};
        for (auto& byte : bytes)
            byte = random.one_in(3) ? static_cast<std::uint8_t>(random.u32()) : std::uint8_t{0};
        bytes[0] |= 0x20;  // embedded IPv4 forms differ and are tested above
        const IpAddress address = IpAddress::from_bytes(bytes);
        char text[INET6_ADDRSTRLEN];
        REQUIRE(inet_ntop(AF_INET6, bytes.data(), text, sizeof text) != nullptr);
        REQUIRE(address.to_string() == text);
        REQUIRE(IpAddress::parse(text).value() == address);
        REQUIRE(address.to_bytes16() == bytes);
    }
}

TEST_CASE("masks count bits of the family") {
    CHECK(IpAddress::v4(0xffffffff).masked(9).to_string() == "255.128.0.0");
    CHECK(IpAddress::v4(0xffffffff).masked(0) == IpAddress::v4(0));
    CHECK(IpAddress::v6(~0ULL, ~0ULL).masked(65).to_string() == "ffff:ffff:ffff:ffff:8000::");
    CHECK(IpAddress::v6(~0ULL, ~0ULL).masked(0).is_zero());
    CHECK(IpAddress::v4(0x80000000).bit(0));
    CHECK_FALSE(IpAddress::v4(0x80000000).bit(1));
    CHECK(IpAddress::v6(0, 1).bit(127));
}

TEST_CASE("addresses know their scope") {
    const auto scope = [](const char* text) { return scope_name(IpAddress::parse(text)->scope()); };
    CHECK(scope("127.0.0.1") == "host");
    CHECK(scope("10.1.1.1") == "site");
    CHECK(scope("172.31.0.1") == "site");
    CHECK(scope("172.32.0.1") == "univ");
    CHECK(scope("8.8.8.8") == "univ");
    CHECK(scope("::1") == "host");
    CHECK(scope("fe80::1") == "link");
    CHECK(scope("fd00::1") == "site");
    CHECK(scope("2001:db8::1") == "univ");
    CHECK(scope("ff02::5") == "link");
}

TEST_CASE("MAC addresses are six pairs") {
    CHECK(MacAddress::parse("00:1A:2b:3c:4d:5e")->to_string() == "00:1a:2b:3c:4d:5e");
    for (const char* text : {"", "00:11:22:33:44", "00:11:22:33:44:5", "00-11-22-33-44-55",
                             "00:11:22:33:44:55:66", "0g:11:22:33:44:55"}) {
        CHECK_FALSE(MacAddress::parse(text));
    }
}

TEST_CASE("route distinguishers print in their shortest form (RFC 4364 section 4.2)") {
    const auto text = [](const char* in) { return RouteDistinguisher::parse(in)->to_string(); };
    CHECK(text("65000:1") == "65000:1");
    CHECK(text("0:65000:70000") == "65000:70000");
    CHECK(text("2:70000:1") == "70000:1");
    CHECK(text("70000:1") == "70000:1");
    CHECK(text("2:5:1") == "2:5:1");
    CHECK(text("1.2.3.4:5") == "1.2.3.4:5");
    CHECK(text("1:1.2.3.4:5") == "1.2.3.4:5");
    for (const char* bad : {"1", "1:2:3", "70000:65536", "1.2.3.4:65536", "3:1:1", "a:1", "1:"}) {
        INFO(bad);
        CHECK_FALSE(RouteDistinguisher::parse(bad));
    }
}

}  // namespace
}  // namespace tern::net
