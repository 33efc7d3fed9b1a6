#include "router/net/trie.h"

#include "router/base/random.h"
#include "router/net/prefix_text.h"

#include <catch2/catch.hpp>

namespace tern::net {
namespace {

Prefix p(const char* text) {
    return parse_prefix(text).value();
}

bool slow_match(const std::vector<PrefixPattern>& patterns, const Prefix& net) {
    for (const PrefixPattern& pattern : patterns) {
        const unsigned common = std::min(pattern.prefix.length(), net.length());
        const bool same = pattern.prefix.address().masked(common) == net.address().masked(common);
        if (same && pattern.low <= net.length() && net.length() <= pattern.high) return true;
    }
    return false;
}

TEST_CASE("prefix sets print each pattern with its lengths as a mask") {
    PrefixSet set;
    CHECK(set.to_string() == "[]");
    set.add({p("20.0.0.0/8"), 4, 12});
    set.add({p("10.0.0.0/8"), 8, 32});
    CHECK(set.to_string() == "[10.0.0.0/8{1.255.255.255}, 20.0.0.0/8{31.240.0.0}]");
}

TEST_CASE("families do not mix in one set") {
    PrefixSet set;
    CHECK(set.add(p("10.0.0.0/8")));
    CHECK_FALSE(set.add(p("2001:db8::/32")));
    CHECK_FALSE(set.contains(p("2001:db8::/32")));
    CHECK_FALSE(set.add({p("10.0.0.0/8"), 9, 8}));
    CHECK_FALSE(set.add({p("10.0.0.0/8"), 8, 33}));
}

TEST_CASE("sets are equal in whatever order they were made") {
    PrefixSet a;
    PrefixSet b;
    a.add(p("10.0.0.0/8"));
    a.add(p("11.0.0.0/8"));
    b.add(p("11.0.0.0/8"));
    CHECK_FALSE(a == b);
    b.add(p("10.0.0.0/8"));
    CHECK(a == b);
    CHECK(a.hash() == b.hash());
}

TEST_CASE("IPv4 matching agrees with the rule for random patterns") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        INFO("seed " << seed);
        Random random(seed);
        PrefixSet set;
        std::vector<PrefixPattern> patterns;
        for (std::uint64_t i = random.below(30) + 1; i > 0; --i) {
            const auto length = static_cast<unsigned>(random.below(33));
            const auto low = static_cast<std::uint8_t>(random.below(33));
            const auto high = static_cast<std::uint8_t>(random.between(low, 32));
            patterns.push_back({Prefix::ip4(random.u32() & 0xf000000f, length), low, high});
            REQUIRE(set.add(patterns.back()));
        }
        for (int i = 0; i < 2000; ++i) {
            const Prefix net =
                Prefix::ip4(random.u32() & 0xf000000f, static_cast<unsigned>(random.below(33)));
            INFO(net.to_string());
            REQUIRE(set.contains(net) == slow_match(patterns, net));
        }
    }
}

TEST_CASE("IPv6 matching agrees with the rule for random patterns") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        INFO("seed " << seed);
        Random random(seed);
        const auto address = [&random] {
            return IpAddress::v6(random.next() & 0xe000000000000003,
                                 random.next() & 0xc000000000000001);
        };
        PrefixSet set;
        std::vector<PrefixPattern> patterns;
        for (std::uint64_t i = random.below(30) + 1; i > 0; --i) {
            const IpAddress a = address();
            const auto low = static_cast<std::uint8_t>(random.below(129));
            const auto high = static_cast<std::uint8_t>(random.between(low, 128));
            patterns.push_back(
                {Prefix::ip6(a.high(), a.low(), static_cast<unsigned>(random.below(129))), low,
                 high});
            REQUIRE(set.add(patterns.back()));
        }
        for (int i = 0; i < 2000; ++i) {
            const IpAddress a = address();
            const Prefix net =
                Prefix::ip6(a.high(), a.low(), static_cast<unsigned>(random.below(129)));
            INFO(net.to_string());
            REQUIRE(set.contains(net) == slow_match(patterns, net));
        }
    }
}

}  // namespace
}  // namespace tern::net
