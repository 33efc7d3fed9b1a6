#include "router/net/prefix.h"

#include "router/base/random.h"
#include "router/net/longest_match.h"
#include "router/net/prefix_text.h"

#include <catch2/catch.hpp>

namespace tern::net {
namespace {

Prefix p(const char* text) {
    return parse_prefix(text).value();
}

std::string error(const char* text) {
    const Result<Prefix> prefix = parse_prefix(text);
    return prefix ? "none" : prefix.error().text;
}

TEST_CASE("prefixes print as they were read") {
    for (const char* text :
         {"0.0.0.0/0", "10.0.0.0/8", "192.0.2.1/32", "::/0", "2001:db8::/32", "2001:db8::1/128"}) {
        CHECK(p(text).to_string() == text);
    }
}

TEST_CASE("wrong prefixes are explained") {
    CHECK(error("10.0.0.1/8") == "Invalid IPv4 prefix 10.0.0.1/8, maybe you wanted 10.0.0.0/8");
    CHECK(error("2001:db8::1/32") ==
          "Invalid IPv6 prefix 2001:db8::1/32, maybe you wanted 2001:db8::/32");
    CHECK(error("10.0.0.0/33") == "Invalid prefix length 33");
    CHECK(error("::/129") == "Invalid prefix length 129");
    CHECK(error("10.0.0.0") == "Invalid prefix 10.0.0.0");
    CHECK(error("10.0.0.0/x") == "Invalid prefix length x");
    CHECK(error("10.0.0/8") == "Invalid IPv4 address 10.0.0");
}

TEST_CASE("a prefix contains itself, its subnets and nothing of the other family") {
    CHECK(p("10.0.0.0/8").contains(p("10.0.0.0/8")));
    CHECK(p("10.0.0.0/8").contains(p("10.1.0.0/16")));
    CHECK_FALSE(p("10.1.0.0/16").contains(p("10.0.0.0/8")));
    CHECK_FALSE(p("10.0.0.0/8").contains(p("11.0.0.0/16")));
    CHECK_FALSE(p("::/0").contains(p("10.0.0.0/8")));
    CHECK(p("0.0.0.0/0").contains(IpAddress::v4(0x08080808)));
    CHECK_FALSE(p("0.0.0.0/0").contains(IpAddress::v6(1, 1)));
    CHECK(p("2001:db8::/32").contains(p("2001:db8:5::/48")));
}

TEST_CASE("bogus networks are not routable and others are") {
    for (const char* text :
         {"0.0.0.0/8", "0.1.0.0/16", "127.0.0.0/8", "127.0.0.1/32", "224.0.0.0/4", "239.1.1.0/24",
          "255.255.255.255/32", "::1/128", "fe80::/10", "fe80::/64", "ff00::/8", "ff02::1/128",
          "::/64", "::127.0.0.1/128"}) {
        INFO(text);
        CHECK_FALSE(p(text).routable());
    }
    for (const char* text : {"0.0.0.0/0", "::/0", "10.0.0.0/8", "192.168.0.0/16", "240.0.0.0/4",
                             "1.0.0.0/24", "fc00::/7", "2001:db8::/32", "4000::/16"}) {
        INFO(text);
        CHECK(p(text).routable());
    }
}

TEST_CASE("prefixes sort before their subnets") {
    CHECK(p("10.0.0.0/8") < p("10.0.0.0/9"));
    CHECK(p("10.0.0.0/9") < p("10.128.0.0/9"));
    CHECK(p("255.0.0.0/8") < p("::/0"));
}

TEST_CASE("the longest match agrees with a search through all") {
    Random random(5);
    LongestMatch<int> map;
    std::vector<std::pair<Prefix, int>> all;
    for (int i = 0; i < 300; ++i) {
        const Prefix prefix =
            Prefix::ip4(random.u32() & 0x0f0f0f0f, static_cast<unsigned>(random.below(33)));
        if (map.insert(prefix, i)) all.emplace_back(prefix, i);
    }
    for (int i = 0; i < 5000; ++i) {
        if (i == 2500) {
            while (all.size() > 100) {
                map.erase(all.back().first);
                all.pop_back();
            }
        }
        const IpAddress address = IpAddress::v4(random.u32() & 0x0f0f0f0f);
        const std::pair<Prefix, int>* best = nullptr;
        for (const auto& entry : all) {
            if (!entry.first.contains(address)) continue;
            if (best == nullptr || entry.first.length() > best->first.length()) best = &entry;
        }
        const int* found = map.match(address);
        REQUIRE((found == nullptr) == (best == nullptr));
        if (found != nullptr) REQUIRE(*found == best->second);
    }
}

}  // namespace
}  // namespace tern::net
