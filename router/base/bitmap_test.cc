#include "router/base/bitmap.h"

#include "router/base/random.h"

#include <set>

#include <catch2/catch.hpp>

namespace tern {
namespace {

template <class Map>
void against_set(std::uint64_t seed) {
    Random random(seed);
    Map map;
    std::set<std::uint32_t> twin;
    for (int i = 0; i < 20000; ++i) {
        const auto bit = static_cast<std::uint32_t>(random.below(9000));
        if (random.one_in(2)) {
            REQUIRE(map.set(bit) == twin.insert(bit).second);
        } else {
            REQUIRE(map.clear(bit) == (twin.erase(bit) == 1));
        }
        const auto from = static_cast<std::uint32_t>(random.below(9100));
        const auto expected = twin.lower_bound(from);
        const auto found = map.find_first_set(from);
        REQUIRE(found.has_value() == (expected != twin.end()));
        if (found) REQUIRE(*found == *expected);
        REQUIRE(map.count() == twin.size());
    }
}

TEST_CASE("a bitmap behaves like a set of integers") {
    against_set<Bitmap>(1);
}

TEST_CASE("a chunked bitmap behaves like a set of integers") {
    against_set<ChunkedBitmap>(2);
}

TEST_CASE("an empty bitmap answers for any bit") {
    Bitmap map;
    CHECK_FALSE(map.test(~std::uint32_t{0}));
    CHECK_FALSE(map.find_first_set(7));
    CHECK(map.find_first_clear(7) == 7);
}

TEST_CASE("the first clear bit may stand behind the end") {
    Bitmap map;
    for (std::uint32_t i = 0; i < 128; ++i)
        map.set(i);
    CHECK(map.find_first_clear(0) == 128);
    map.clear(64);
    CHECK(map.find_first_clear(0) == 64);
    CHECK(map.find_first_clear(65) == 128);
}

TEST_CASE("a copy of a chunked bitmap is equal until one of the two changes") {
    ChunkedBitmap map;
    map.set(7);
    map.set(1'000'000);
    ChunkedBitmap copy;
    copy.set(3);
    copy.copy_from(map);
    CHECK(copy == map);
    copy.clear(1'000'000);
    CHECK_FALSE(copy == map);
    map.clear(1'000'000);
    CHECK(copy == map);  // the number of chunks there once were does not count
    copy.set(8);
    map.set(9);
    CHECK_FALSE(copy == map);
}

TEST_CASE("a chunk that becomes empty is given back") {
    ChunkedBitmap map;
    map.set(1'000'000);
    const std::size_t used = map.memory();
    map.clear(1'000'000);
    CHECK(map.memory() < used);
    CHECK(map.empty());
}

}  // namespace
}  // namespace tern
