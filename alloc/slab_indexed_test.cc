#include "alloc/slab_indexed.h"

#include "alloc/pool_fixture_test.h"
#include "locking/death_test.h"

#include <map>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

TEST_CASE("ids are dense from zero and lead back to their objects") {
    PoolFixture fixture;
    IndexedSlab<std::uint64_t> slab(fixture.pool, "numbers");
    std::vector<std::uint64_t*> objects;
    for (std::uint64_t i = 0; i < 5000; ++i) {
        objects.push_back(&slab.make(i));
        CHECK(slab.id_of(*objects.back()) == i);
    }
    for (std::uint32_t id = 0; id < 5000; ++id)
        CHECK(&slab[id] == objects[id]);
    CHECK(slab.find(4999) == objects[4999]);
    CHECK(slab.find(slab.id_bound() - 1) == nullptr);
    CHECK(slab.find(~std::uint32_t{0}) == nullptr);
}

TEST_CASE("random use agrees with a map from id to value") {
    PoolFixture fixture;
    IndexedSlab<std::uint64_t> slab(fixture.pool, "numbers");
    std::map<std::uint32_t, std::uint64_t> model;
    const unsigned seed = 4711;
    INFO("seed " << seed);
    std::mt19937 random(seed);
    std::size_t peak = 0;
    for (std::uint64_t i = 0; i < 30000; ++i) {
        if (model.empty() || random() % 100 < (i % 10000 < 5000 ? 65u : 40u)) {
            std::uint64_t& object = slab.make(i);
            if (!model.emplace(slab.id_of(object), i).second) FAIL("an id was given twice");
        } else {
            auto victim = model.lower_bound(static_cast<std::uint32_t>(random()) % slab.id_bound());
            if (victim == model.end()) victim = model.begin();
            if (slab[victim->first] != victim->second) FAIL("wrong object behind an id");
            slab.destroy(slab[victim->first]);
            model.erase(victim);
        }
        peak = std::max(peak, model.size());
    }
    CHECK(slab.live() == model.size());
    CHECK(slab.id_bound() <= 3 * peak);
    auto expected = model.begin();
    slab.for_each([&](std::uint32_t id, std::uint64_t& value) {
        CHECK(expected->first == id);
        CHECK(expected->second == value);
        ++expected;
    });
    CHECK(expected == model.end());
}

TEST_CASE("emptied pages give their memory back and their numbers are used again") {
    PoolFixture fixture;
    IndexedSlab<std::uint64_t> slab(fixture.pool, "numbers");
    std::vector<std::uint64_t*> objects;
    for (std::uint64_t i = 0; i < 20000; ++i)
        objects.push_back(&slab.make(i));
    const std::uint32_t bound = slab.id_bound();
    for (std::uint64_t* object : objects)
        slab.destroy(*object);
    CHECK(slab.pages() <= 1);
    for (std::uint64_t i = 0; i < 20000; ++i)
        slab.make(i);
    CHECK(slab.id_bound() == bound);
    slab.clear();
    CHECK(fixture.cache.stats().in_use == 0);
    CHECK(slab.id_of(slab.make(1u)) == 0);
}

TEST_CASE("the directory grows over its segments without moving anything") {
    struct Big {
        std::uint64_t number;
        char bytes[4000];
    };

    PoolFixture fixture;
    IndexedSlab<Big> slab(fixture.pool, "big");
    std::vector<Big*> objects;
    for (std::uint64_t i = 0; i < 2000; ++i) {
        objects.push_back(&slab.make());
        objects.back()->number = i;
    }
    for (std::uint32_t id = 0; id < 2000; ++id) {
        if (slab[id].number != id || &slab[id] != objects[id]) FAIL("object " << id);
    }
}

TEST_CASE("ids are read by another thread while objects are made") {
    PoolFixture fixture;
    IndexedSlab<std::uint64_t> slab(fixture.pool, "numbers");
    std::atomic<std::uint32_t> published{0};
    std::atomic<bool> wrong{false};
    std::thread reader([&] {
        for (;;) {
            const std::uint32_t count = published.load(std::memory_order_acquire);
            if (count != 0 && slab[count - 1] != count - 1) wrong.store(true);
            if (count == 40000) return;
        }
    });
    for (std::uint32_t i = 0; i < 40000; ++i) {
        slab.make(i);
        published.store(i + 1, std::memory_order_release);
    }
    reader.join();
    CHECK_FALSE(wrong.load());
}

TEST_CASE("making and destroying need the domain, and once is enough") {
    CHECK(locking::death_of([] {
              PoolFixture fixture;
              IndexedSlab<int> slab(fixture.pool, "numbers");
              std::thread([&] { slab.make(1); }).join();
          }).says("root", "without its domain"));
    CHECK(locking::death_of([] {
              PoolFixture fixture;
              IndexedSlab<int> slab(fixture.pool, "numbers");
              slab.make(0);
              int& object = slab.make(1);
              slab.destroy(object);
              slab.destroy(object);
          }).says("destroyed twice"));
}

}  // namespace
}  // namespace tern::alloc
