#include "alloc/slab_shared.h"

#include "alloc/page_source_test.h"
#include "locking/death_test.h"
#include "locking/test_levels.h"

#include <array>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

struct Item {
    explicit Item(std::uint64_t value_) : value(value_), check(~value_) {}

    std::uint64_t value;
    std::uint64_t check;
    std::uint64_t more[2] = {};
};

TEST_CASE("a shared slab makes distinct objects and takes them back") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    {
        SharedSlab<Item> slab(cache, "items");
        std::set<Item*> all;
        for (std::uint64_t i = 0; i < 3000; ++i)
            all.insert(&slab.make(i));
        CHECK(all.size() == 3000);
        CHECK(slab.stats().live == 3000);
        slab.verify();
        for (Item* item : all)
            slab.destroy(*item);
        CHECK(slab.stats().live == 0);
        slab.verify();
        // Only what the stocks hold keeps pages.
        CHECK(slab.stats().pages <= 24);
    }
    CHECK(cache.stats().in_use == 0);
}

TEST_CASE("objects wander between threads and none is lost") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    {
        SharedSlab<Item> slab(cache, "items");
        std::array<std::atomic<Item*>, 128> slots{};
        std::atomic<int> broken{0};
        std::vector<std::thread> threads;
        for (unsigned seed = 0; seed < 3; ++seed) {
            threads.emplace_back([&, seed] {
                std::mt19937 random(seed);
                for (std::uint64_t i = 0; i < 20000; ++i) {
                    Item* fresh = random() % 2 != 0 ? &slab.make(i) : nullptr;
                    Item* old = slots[random() % slots.size()].exchange(fresh);
                    if (old == nullptr) continue;
                    if (old->check != ~old->value) broken.fetch_add(1);
                    slab.destroy(*old);
                }
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(broken.load() == 0);
        slab.verify();
        for (auto& slot : slots) {
            if (Item* item = slot.load()) slab.destroy(*item);
        }
        CHECK(slab.stats().live == 0);
    }
    CHECK(cache.stats().in_use == 0);
}

TEST_CASE("a stock that is given back may empty a page, whatever its thread has used before") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    SharedSlab<Item> slab(cache, "items");
    std::vector<Item*> passed(5000);
    std::thread([&] {
        for (Item*& item : passed)
            item = &slab.make(1u);
    }).join();
    const std::size_t pages = slab.stats().pages;
    // A thread that has never used the cache returns more than the depot keeps.
    std::thread([&] {
        for (Item* item : passed)
            slab.destroy(*item);
    }).join();
    slab.verify();
    CHECK(slab.stats().live == 0);
    CHECK(slab.stats().pages < pages);
    CHECK(cache.stats().in_use == slab.stats().pages);
    cache.verify();
}

TEST_CASE("more owners than slots take turns, also those that call each other") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    std::vector<std::unique_ptr<SharedSlab<Item>>> slabs;
    for (std::size_t i = 0; i < detail::magazine_slots + 1; ++i)
        slabs.push_back(std::make_unique<SharedSlab<Item>>(cache, "items"));
    std::mt19937 random(7);
    std::vector<std::pair<SharedSlab<Item>*, Item*>> alive;
    for (int i = 0; i < 200; ++i) {
        SharedSlab<Item>& slab = *slabs[random() % slabs.size()];
        for (auto n = random() % 3000; n != 0; --n)
            alive.emplace_back(&slab, &slab.make(1u));
        std::shuffle(alive.begin(), alive.end(), random);
        for (auto n = random() % (alive.size() + 1); n != 0; --n) {
            alive.back().first->destroy(*alive.back().second);
            alive.pop_back();
        }
        cache.verify();
        for (const auto& each : slabs)
            each->verify();
    }
    for (const auto& [slab, item] : alive)
        slab->destroy(*item);
    slabs.clear();
    CHECK(cache.stats().in_use == 0);
    cache.verify();
}

TEST_CASE("a shared slab destroyed with objects alive aborts") {
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, PageCacheConfig{});
              SharedSlab<Item> slab(cache, "items");
              slab.make(1u);
          }).says("items", "1 objects alive"));
}

// Destroying twice ----------------------------------------------------------------------------

/// What has a destructor is known to be free whoever destroyed it.
struct Ending {
    explicit Ending(std::uint64_t value_) : value(value_) {}

    ~Ending() { value = 0; }

    std::uint64_t value;
    std::uint64_t more[3] = {};
};

TEST_CASE("the object that was destroyed last and then again is refused at once") {
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, PageCacheConfig{});
              SharedSlab<Item> slab(cache, "items");
              slab.make(1u);
              Item& item = slab.make(2u);
              slab.destroy(item);
              slab.destroy(item);
          })
              .says("slab_shared_test.cc:", "shared slab items: 0x",
                    "is destroyed twice, it is free in the stock of thread "));
}

TEST_CASE("an object with a destructor is refused wherever it is free by now") {
    // Destroys one of three more than so many objects, then all others, then that one again; the
    // first time in another thread, which may live on.
    const auto again = [](std::size_t others, bool elsewhere) {
        return locking::death_of([=] {
            TestSource source;
            PageCache cache(source, PageCacheConfig{});
            SharedSlab<Ending> slab(cache, "endings");
            std::vector<Ending*> made(others + 3);
            for (Ending*& each : made)
                each = &slab.make(1u);
            std::atomic<bool> done{false};
            std::thread first([&] {
                slab.destroy(*made[0]);
                slab.destroy(*made[1]);
                done.store(true);
                done.notify_one();
                if (elsewhere) done.wait(true);  // for ever: its stock stays where it is
            });
            done.wait(false);
            if (!elsewhere) first.join();
            for (std::size_t i = 2; i < made.size(); ++i)
                slab.destroy(*made[i]);
            slab.destroy(*made[0]);
        });
    };
    const locking::Death stock = again(0, true);
    INFO(stock.report);
    CHECK(stock.says("slab_shared_test.cc:", "shared slab endings: 0x",
                     "is destroyed twice, it is free in the stock of thread "));
    CHECK(again(0, false).says("is destroyed twice, it is free in the depot"));
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, PageCacheConfig{});
              SharedSlab<Ending> slab(cache, "endings");
              std::vector<Ending*> made(600);
              for (Ending*& each : made)
                  each = &slab.make(1u);
              // More than stock and depot take; the first of a page that is still in use.
              for (std::size_t i = 64; i < made.size(); ++i)
                  slab.destroy(*made[i]);
              for (std::size_t i = 64; i < made.size(); ++i)
                  slab.destroy(*made[i]);
          }).says("is destroyed twice, it is free in "));
}

TEST_CASE("an object that looks as if it were free is none") {
    if (Poison().memcheck()) return;  // It would find that the mark is read.
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    SharedSlab<Ending> slab(cache, "endings");
    Ending* object = &slab.make(1u);
    slab.destroy(*object);
    const auto mark =
        reinterpret_cast<std::uintptr_t>(peek(reinterpret_cast<void* const*>(object)));
    CHECK(mark != 0);
    REQUIRE(&slab.make(mark) == object);
    slab.destroy(*object);
    // Of those that it had before and were made again, nobody is taken for free either.
    std::vector<Ending*> made(300);
    for (int round = 0; round < 3; ++round) {
        for (Ending*& each : made)
            each = &slab.make(1u);
        for (Ending* each : made)
            slab.destroy(*each);
    }
    slab.verify();
}

}  // namespace
}  // namespace tern::alloc
