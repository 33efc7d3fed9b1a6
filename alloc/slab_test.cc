#include "alloc/slab.h"

#include "alloc/page_source_mmap.h"
#include "alloc/pool_fixture_test.h"
#include "locking/death_test.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>

namespace tern::alloc {
namespace {

struct Counted {
    explicit Counted(int& alive_) : alive(alive_) { ++alive; }

    ~Counted() { --alive; }

    int& alive;
    int value = 0;
};

static_assert(SlabLayout::of(64, 8).count == 64 && SlabLayout::of(32, 8).count == 128);
static_assert(SlabLayout::of(8, 8).count == 256 && SlabLayout::of(4000, 8).count == 1);
static_assert(SlabLayout::of(20, 4).size == 20 && SlabLayout::of(1, 1).size == 16);
static_assert(SlabLayout::of(page_bytes + 1, 1).count == 0);

TEST_CASE("objects are constructed, distinct and destroyed") {
    PoolFixture fixture;
    int alive = 0;
    Slab<Counted> slab(fixture.pool, "counted");
    std::set<Counted*> all;
    for (int i = 0; i < 1000; ++i)
        all.insert(&slab.make(alive));
    CHECK(all.size() == 1000);
    CHECK(alive == 1000);
    CHECK(slab.live() == 1000);
    slab.verify();
    for (Counted* object : all)
        slab.destroy(*object);
    CHECK(alive == 0);
    slab.verify();
    CHECK(slab.stats().live_peak == 1000);
    CHECK(slab.stats().pages <= 3);
}

TEST_CASE("an object of a slab that was cleared or is gone is none of a later one's") {
    PoolFixture fixture;
    Slab<int> slab(fixture.pool, "numbers");
    int& stale = slab.make(1);
    slab.clear();
    slab.make(2);
    CHECK(locking::death_of([&] {
              slab.destroy(stale);
          }).says("numbers", "not an object of this slab"));
    std::optional<Slab<int>> later(std::in_place, fixture.pool, "later");
    int& gone = later->make(3);
    later.emplace(fixture.pool, "later");
    later->make(4);
    CHECK(locking::death_of([&] {
              later->destroy(gone);
          }).says("later", "not an object of this slab"));
}

TEST_CASE("slabs that end give all pages back in one step, whatever list they are in") {
    PoolFixture fixture;
    for (const std::size_t count : {0u, 1u, 256u, 257u, 5000u}) {
        Slab<int> slab(fixture.pool, "numbers");
        std::vector<int*> objects(count);
        for (int*& object : objects)
            object = &slab.make(1);
        // Full pages, some with room, and an empty one.
        for (std::size_t i = 0; i < count; ++i) {
            if (i < 600 || i % 512 == 0) slab.destroy(*objects[i]);
        }
        slab.verify();
        slab.clear();
        CHECK(fixture.cache.stats().in_use == 0);
        slab.verify();
        fixture.cache.verify();
    }
}

TEST_CASE("what is left dies with the slab") {
    PoolFixture fixture;
    int alive = 0;
    {
        Slab<Counted> slab(fixture.pool, "counted");
        for (int i = 0; i < 500; ++i)
            slab.make(alive);
        slab.clear();
        CHECK(alive == 0);
        for (int i = 0; i < 300; ++i)
            slab.make(alive);
    }
    CHECK(alive == 0);
    CHECK(fixture.cache.stats().in_use == 0);
}

TEST_CASE("for_each meets every object once") {
    PoolFixture fixture;
    Slab<std::uint64_t> slab(fixture.pool, "numbers");
    std::vector<std::uint64_t*> objects;
    for (std::uint64_t i = 0; i < 2000; ++i)
        objects.push_back(&slab.make(i));
    for (std::size_t i = 0; i < objects.size(); i += 3)
        slab.destroy(*objects[i]);
    std::set<std::uint64_t> seen;
    slab.for_each([&](std::uint64_t& value) { CHECK(seen.insert(value).second); });
    CHECK(seen.size() == slab.live());
    CHECK(seen.count(0) == 0);
    CHECK(seen.count(1) == 1);
}

template <std::size_t N>
void random_against_model(unsigned seed) {
    struct Object {
        unsigned char bytes[N];
    };

    INFO("size " << N << ", seed " << seed);
    PoolFixture fixture;
    Slab<Object> slab(fixture.pool, "objects");
    std::mt19937 random(seed);
    std::vector<std::pair<Object*, unsigned char>> model;
    for (int i = 0; i < 6000; ++i) {
        const bool grow = random() % 100 < (i < 3000 ? 70u : 35u);
        if (grow || model.empty()) {
            Object& object = slab.make();
            const auto mark = static_cast<unsigned char>(random());
            std::memset(&object, mark, N);
            model.emplace_back(&object, mark);
        } else {
            const std::size_t victim = random() % model.size();
            for (unsigned char byte : model[victim].first->bytes) {
                if (byte != model[victim].second) FAIL("contents of an object changed");
            }
            slab.destroy(*model[victim].first);
            model[victim] = model.back();
            model.pop_back();
        }
        if (i % 500 == 0) slab.verify();
    }
    CHECK(slab.live() == model.size());
    fixture.cache.verify();
}

TEST_CASE("random use agrees with a model for many sizes") {
    const unsigned seed = 20240;
    random_against_model<1>(seed);
    random_against_model<24>(seed + 1);
    random_against_model<32>(seed + 2);
    random_against_model<100>(seed + 3);
    random_against_model<1000>(seed + 4);
    random_against_model<4000>(seed + 5);
}

TEST_CASE("empty pages go back but for one") {
    PoolFixture fixture;
    Slab<std::uint64_t> slab(fixture.pool, "numbers");
    std::vector<std::uint64_t*> objects;
    for (std::uint64_t i = 0; i < 50000; ++i)
        objects.push_back(&slab.make(i));
    const std::size_t pages = slab.stats().pages;
    CHECK(pages == (50000 + 255) / 256);
    for (std::uint64_t* object : objects)
        slab.destroy(*object);
    CHECK(slab.stats().pages <= 3);
    CHECK(fixture.cache.stats().in_use == slab.stats().pages);
}

TEST_CASE("the current page that empties is reused without asking for another") {
    PoolFixture fixture;
    Slab<std::uint64_t> slab(fixture.pool, "numbers");
    for (int i = 0; i < 5000; ++i)
        slab.destroy(slab.make(1u));
    CHECK(slab.stats().pages == 1);
}

TEST_CASE("each byte of a page belongs to the slot that a division finds") {
    std::size_t wrong = 0;
    for (std::size_t size = SlabLayout::slot_bytes_min; size <= page_bytes; ++size) {
        const SlabLayout layout = SlabLayout::of(size, 1);
        for (std::size_t i = 0; i < page_bytes; ++i)
            wrong += layout.index_at(i) == i / size ? 0 : 1;
    }
    CHECK(wrong == 0);
}

TEST_CASE("the object kept aside when destroyed is free for everybody who asks, and taken first") {
    PoolFixture fixture;
    Slab<std::uint64_t> slab(fixture.pool, "items");
    std::uint64_t& first = slab.make(1u);
    std::uint64_t& second = slab.make(2u);
    slab.destroy(first);
    slab.verify();
    CHECK(slab.live() == 1);
    int seen = 0;
    slab.for_each([&](std::uint64_t& item) { seen += &item == &second ? 1 : 100; });
    CHECK(seen == 1);
    slab.verify();
    slab.destroy(second);
    // A checker is shown each object, so none is kept aside from it.
    CHECK(&slab.make(3u) == (Poison().watches() ? &first : &second));
    slab.verify();
}

TEST_CASE("a double destroy and a foreign object abort") {
    CHECK(locking::death_of([] {
              PoolFixture fixture;
              Slab<std::uint64_t> slab(fixture.pool, "numbers");
              std::uint64_t& number = slab.make(1u);
              slab.destroy(number);
              slab.destroy(number);
          }).says("numbers", "root", "destroyed twice"));
    CHECK(locking::death_of([] {
              PoolFixture fixture;
              Slab<std::uint64_t> slab(fixture.pool, "numbers");
              Slab<std::uint64_t> other(fixture.pool, "others");
              slab.destroy(other.make(1u));
          }).says("numbers", "not an object of this slab"));
}

TEST_CASE("out of memory gives nullptr and leaves the slab usable") {
    PoolFixture fixture;
    fixture.source.fail_from(2);

    struct Big {
        char bytes[2000];
    };

    Slab<Big> slab(fixture.pool, "big");
    std::size_t made = 0;
    while (slab.try_make() != nullptr)
        ++made;
    CHECK(made >= 900);
    slab.verify();
    slab.clear();
    CHECK(slab.try_make() != nullptr);
}

TEST_CASE("an owned object of a slab goes back to it") {
    PoolFixture fixture;
    int alive = 0;
    Slab<Counted> slab(fixture.pool, "counted");
    {
        Owned<Counted> owned = slab.make_owned(alive);
        owned->value = 3;
        CHECK(slab.live() == 1);
    }
    CHECK(alive == 0);
    CHECK(slab.live() == 0);
}

TEST_CASE("the report of a slab counts live bytes and the rest") {
    PoolFixture fixture;
    Slab<std::uint64_t> slab(fixture.pool, "numbers");
    CHECK(slab.memory().effective == 0);
    slab.make(1u);
    CHECK(slab.memory().effective == 8);
    CHECK(slab.memory().total() == page_bytes + sizeof(slab));
}

TEST_CASE("free slots are poisoned for the address sanitizer") {
    if (!Poison::asan()) return;
    PoolFixture fixture;
    Slab<std::uint64_t> slab(fixture.pool, "numbers");
    std::uint64_t& number = slab.make(1u);
    CHECK_FALSE(Poison::hidden(&number));
    slab.destroy(number);
    CHECK(Poison::hidden(&number));
}

/// How many pages of the head of a region have memory behind them.
std::size_t resident_head_pages(const void* page) {
    unsigned char present[region_head_pages] = {};
    REQUIRE(::mincore(reinterpret_cast<void*>(region_start(page)), region_head_pages * page_bytes,
                      present) == 0);
    return static_cast<std::size_t>(
        std::count_if(std::begin(present), std::end(present), [](auto each) { return each & 1; }));
}

TEST_CASE("only small objects cost more than the notes of their pages") {
    struct Large {
        std::uint64_t words[8];
    };

    MmapSource source(MmapSource::HugePages::never);
    if (source.granularity() != page_bytes) return;
    PageCache cache(source, PageCacheConfig{});
    locking::Domain<locking::testing::Outer> domain("d");
    const auto guard = domain.lock_dynamic();
    Pool pool(domain, "root", cache);
    Slab<Large> large(pool, "large");
    const void* object = nullptr;
    for (std::size_t i = 0; i < (region_pages - region_head_pages) * 64; ++i)
        object = &large.make();
    CHECK(resident_head_pages(object) == 3);
    large.clear();
    Slab<int> small(pool, "small");
    CHECK(resident_head_pages(&small.make()) > 3);
}

}  // namespace
}  // namespace tern::alloc
