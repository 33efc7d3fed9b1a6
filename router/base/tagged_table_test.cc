#include "router/base/tagged_table.h"

#include "router/base/hash.h"
#include "router/base/random.h"

#include <map>

#include <catch2/catch.hpp>

namespace tern {
namespace {

template <class Hash>
void against_map(Hash&& hash, std::uint32_t keys) {
    TaggedTable<std::uint32_t, 12> table;
    std::map<std::uint32_t, bool> twin;
    Random random(3);
    for (int round = 0; round < 60000; ++round) {
        const bool grow = round / 10000 % 2 == 0;
        const auto key = static_cast<std::uint32_t>(random.below(keys));
        const auto equal = [key](std::uint32_t slot) { return slot == key; };
        const bool known = table.find(hash(key), equal) != nullptr;
        REQUIRE(known == twin[key]);
        if (!known && (grow || random.one_in(4))) {
            table.insert(hash(key), key, hash);
            twin[key] = true;
        } else if (known && (!grow || random.one_in(4))) {
            table.erase(hash(key), key, hash);
            twin[key] = false;
        }
    }
    std::size_t visited = 0;
    table.for_each([&](std::uint32_t slot) {
        CHECK(twin[slot]);
        ++visited;
    });
    CHECK(visited == table.size());
}

TEST_CASE("a tagged table behaves like a set") {
    against_map([](std::uint32_t key) { return hash_u64(key); }, 5000);
}

TEST_CASE("a tagged table survives the worst hash") {
    against_map([](std::uint32_t) { return std::uint64_t{5}; }, 200);
}

TEST_CASE("a tagged table gives memory back when it empties") {
    TaggedTable<std::uint32_t, 12> table;
    const auto hash = [](std::uint32_t key) { return hash_u64(key); };
    for (std::uint32_t i = 0; i < 10000; ++i)
        table.insert(hash(i), i, hash);
    const std::size_t full = table.memory();
    CHECK(full < 10000 * 10);
    for (std::uint32_t i = 0; i < 10000; ++i)
        table.erase(hash(i), i, hash);
    CHECK(table.memory() < full / 100);
}

}  // namespace
}  // namespace tern
