#include "router/net/prefix_index.h"

#include "router/base/random.h"

#include <map>

#include <catch2/catch.hpp>

namespace tern::net {
namespace {

Prefix random_prefix(Random& random, NetType type) {
    if (type == NetType::ip4) {
        return Prefix::ip4(random.u32() & 0xff00'ff00,
                           static_cast<unsigned>(random.between(4, 28)));
    }
    return Prefix::ip6(random.next() & 0x2000'0000'ffff'0000, 0,
                       static_cast<unsigned>(random.between(4, 64)));
}

void against_map(NetType type, std::uint64_t seed) {
    Random random(seed);
    PrefixIndex index(type);
    std::map<Prefix, std::pair<PrefixId, unsigned>> twin;
    for (int round = 0; round < 200; ++round) {
        PrefixIndex::Batch batch(index);
        for (int i = 0; i < 200; ++i) {
            const Prefix prefix = random_prefix(random, type);
            const auto known = twin.find(prefix);
            const auto found = batch.find(prefix);
            REQUIRE(found.has_value() == (known != twin.end()));
            if (known == twin.end()) {
                twin[prefix] = {batch.acquire(prefix), 1};
                continue;
            }
            REQUIRE(*found == known->second.first);
            REQUIRE(index.prefix(*found) == prefix);
            if (random.one_in(3)) {
                REQUIRE(batch.acquire(prefix) == *found);
                ++known->second.second;
            }
        }
        while (twin.size() > 2000) {
            const auto victim = std::next(twin.begin(), static_cast<long>(random.below(100)));
            batch.release(victim->second.first);
            if (--victim->second.second == 0) twin.erase(victim);
        }
    }
    CHECK(index.stats().prefixes == twin.size());
    for (const auto& [prefix, entry] : twin)
        REQUIRE(index.prefix(entry.first) == prefix);
    PrefixIndex::Batch batch(index);
    for (const auto& [prefix, entry] : twin) {
        for (unsigned i = 0; i < entry.second; ++i)
            batch.release(entry.first);
    }
}

TEST_CASE("an IPv4 index behaves like a map") {
    against_map(NetType::ip4, 1);
}

TEST_CASE("an IPv6 index behaves like a map") {
    against_map(NetType::ip6, 2);
}

TEST_CASE("ids are given out again, so that cycles do not grow the index") {
    PrefixIndex index(NetType::ip4);
    for (int cycle = 0; cycle < 20; ++cycle) {
        PrefixIndex::Batch batch(index);
        std::vector<PrefixId> ids;
        for (std::uint32_t i = 0; i < 1000; ++i)
            ids.push_back(batch.acquire(Prefix::ip4(i << 8, 24)));
        for (const PrefixId id : ids)
            batch.release(id);
    }
    CHECK(index.stats().ids < 4000);
    CHECK(index.stats().prefixes == 0);
}

TEST_CASE("an id met in a read section keeps its prefix until the section ends") {
    PrefixIndex index(NetType::ip4);
    PrefixId id{};
    {
        PrefixIndex::Batch batch(index);
        id = batch.acquire(Prefix::ip4(0x0a000000, 8));
        batch.release(id);
        CHECK_FALSE(batch.find(Prefix::ip4(0x0a000000, 8)));
    }
    CHECK(index.prefix(id) == Prefix::ip4(0x0a000000, 8));
}

TEST_CASE("acquiring many gives the same ids as one by one") {
    PrefixIndex index(NetType::ip4);
    Random random(9);
    std::vector<Prefix> prefixes;
    for (int i = 0; i < 1000; ++i)
        prefixes.push_back(random_prefix(random, NetType::ip4));
    std::vector<PrefixId> ids(prefixes.size());
    PrefixIndex::Batch batch(index);
    batch.acquire(prefixes, ids);
    for (std::size_t i = 0; i < prefixes.size(); ++i)
        REQUIRE(batch.find(prefixes[i]) == ids[i]);
}

TEST_CASE("the longest match goes from long to short until the visitor is content") {
    PrefixIndex index(NetType::ip4);
    PrefixIndex::Batch batch(index);
    const PrefixId wide = batch.acquire(Prefix::ip4(0x0a000000, 8));
    const PrefixId narrow = batch.acquire(Prefix::ip4(0x0a010000, 16));
    const Prefix host = Prefix::host(IpAddress::v4(0x0a010101));
    CHECK(batch.longest_match(host, [](PrefixId) { return true; }) == narrow);
    CHECK(batch.longest_match(host, [wide](PrefixId id) { return id == wide; }) == wide);
    CHECK_FALSE(batch.longest_match(host, [](PrefixId) { return false; }));
    CHECK_FALSE(batch.longest_match(Prefix::host(IpAddress::v4(1)), [](PrefixId) { return true; }));
}

}  // namespace
}  // namespace tern::net
