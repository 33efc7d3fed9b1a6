#include "alloc/page_cache.h"

#include "alloc/page_source_test.h"
#include "locking/death_test.h"
#include "locking/rcu.h"

#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

PageCacheConfig small_config() {
    PageCacheConfig config;
    config.keep_pages_main_max = 256;
    config.keep_pages_main_min = 8;
    config.cleanup_pages_bulk = 64;
    config.magazine_pages = 16;
    config.keep_cold_regions = 1;
    return config;
}

void settle(PageCache& cache) {
    for (int i = 0; cache.maintenance_due(); ++i) {
        REQUIRE(i < 100000);
        cache.maintain();
    }
}

TEST_CASE("a page is aligned, writable and comes back") {
    TestSource source;
    PageCache cache(source, small_config());
    void* page = cache.allocate();
    CHECK(page_of(page) == page);
    std::memset(page, 0x5a, page_bytes);
    CHECK(cache.stats().in_use == 1);
    cache.deallocate(page);
    CHECK(cache.stats().in_use == 0);
    CHECK(cache.allocate() == page);
    cache.deallocate(page);
    cache.verify();
}

TEST_CASE("a configuration that cannot work is refused with a reason") {
    PageCacheConfig config;
    CHECK_FALSE(config.error());
    config.keep_pages_main_min = config.keep_pages_main_max / 4;
    CHECK(config.error()->find("quarter") != std::string::npos);
    config = {};
    config.cleanup_pages_bulk = config.magazine_pages - 1;
    CHECK(config.error());
    config = {};
    config.keep_pages_main_max = config.magazine_pages;
    CHECK(config.error());
    config = {};
    config.magazine_pages = 0;
    CHECK(config.error());
    TestSource source;
    PageCache cache(source, small_config());
    PageCacheConfig other = small_config();
    other.magazine_pages = 32;
    CHECK(cache.reconfigure(other));
    other = small_config();
    other.keep_pages_main_max = 128;
    CHECK_FALSE(cache.reconfigure(other));
}

TEST_CASE("many pages keep the conservation law through all lists") {
    TestSource source;
    PageCache cache(source, small_config());
    std::vector<void*> pages;
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < 2000; ++i) {
            pages.push_back(cache.allocate());
        }
        cache.verify();
        for (void* page : pages) {
            cache.deallocate(page);
        }
        pages.clear();
        cache.verify();
        settle(cache);
        cache.verify();
        CHECK(cache.stats().hot <= 256);
    }
    cache.flush_thread();
    cache.verify();
    CHECK(cache.stats().magazines == 0);
    CHECK(cache.stats().in_use == 0);
}

TEST_CASE("too few hot pages make maintenance due, which fills them up") {
    TestSource source;
    PageCache cache(source, small_config());
    CHECK_FALSE(cache.maintenance_due());
    void* page = cache.allocate();
    CHECK(cache.maintenance_due());
    cache.maintain();
    CHECK_FALSE(cache.maintenance_due());
    CHECK(cache.stats().hot == 16);
    cache.deallocate(page);
}

TEST_CASE("maintenance moves at most a bulk at a time and ends at half of the maximum") {
    TestSource source;
    PageCache cache(source, small_config());
    std::vector<void*> pages(1500);
    for (void*& page : pages)
        page = cache.allocate();
    for (void* page : pages)
        cache.deallocate(page);
    cache.flush_thread();
    CHECK(cache.maintenance_due());
    while (cache.maintenance_due()) {
        const std::size_t before = cache.stats().hot;
        CHECK(cache.maintain() <= 64);
        CHECK(cache.stats().hot < before);
    }
    CHECK(cache.stats().hot <= 128);
    CHECK(cache.stats().hot >= 128 - 16);
    cache.verify();
}

TEST_CASE("neighbouring pages are purged in one call") {
    TestSource source;
    PageCache cache(source, small_config());
    std::vector<void*> pages(500);
    for (void*& page : pages)
        page = cache.allocate();
    for (void* page : pages)
        cache.deallocate(page);
    cache.flush_thread();
    settle(cache);
    const PageStats stats = cache.stats();
    CHECK(stats.pages_purged >= 300);
    CHECK(stats.purges <= stats.pages_purged / 16);
}

TEST_CASE("the kick comes once per time that maintenance becomes due") {
    TestSource source;
    PageCache cache(source, small_config());
    int kicks = 0;
    cache.on_maintenance_due([](void* context) noexcept { ++*static_cast<int*>(context); }, &kicks);
    std::vector<void*> pages(100);
    for (void*& page : pages)
        page = cache.allocate();
    CHECK(kicks == 1);
    settle(cache);
    for (void* page : pages)
        cache.deallocate(page);
    CHECK(kicks == 1);
}

TEST_CASE("empty regions beyond those kept are unmapped") {
    TestSource source;
    PageCache cache(source, small_config());
    std::vector<void*> pages(region_pages * 6);
    for (void*& page : pages)
        page = cache.allocate();
    CHECK(source.mapped_bytes() >= 6 * region_bytes);
    for (void* page : pages)
        cache.deallocate(page);
    cache.flush_thread();
    settle(cache);
    cache.maintain();
    CHECK(source.mapped_bytes() <= 3 * region_bytes);
    cache.verify();
}

TEST_CASE("runs of pages come from regions, huge ones from the source") {
    TestSource source;
    PageCache cache(source, small_config());
    void* run = cache.allocate_run(17);
    void* other = cache.allocate_run(100);
    std::memset(run, 1, 17 * page_bytes);
    std::memset(other, 2, 100 * page_bytes);
    CHECK(cache.stats().in_use == 117);
    CHECK(source.mapped_bytes() == region_bytes);
    void* huge = cache.allocate_run(region_pages + 5);
    std::memset(huge, 3, (region_pages + 5) * page_bytes);
    CHECK(source.mapped_bytes() == region_bytes + (region_pages + 5) * page_bytes);
    cache.verify();
    cache.deallocate_run(huge, region_pages + 5);
    cache.deallocate_run(run, 17);
    cache.verify();
    CHECK(cache.stats().dirty == 17);
    CHECK(cache.allocate_run(17) == run);
    CHECK(cache.stats().dirty == 0);
    cache.deallocate_run(run, 17);
    cache.deallocate_run(other, 100);
    CHECK(cache.stats().in_use == 0);
}

TEST_CASE("a run freed twice aborts") {
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, small_config());
              void* other = cache.allocate_run(20);
              void* run = cache.allocate_run(8);
              cache.deallocate_run(run, 8);
              cache.deallocate_run(run, 8);
              (void)other;
          }).says("freed twice"));
}

TEST_CASE("pages larger than ours are purged only whole") {
    TestSource source;
    source.pretend_granularity(4 * page_bytes);
    PageCache cache(source, small_config());
    std::vector<void*> pages(1000);
    for (void*& page : pages)
        page = cache.allocate();
    for (std::size_t i = 0; i < pages.size(); i += 2)
        cache.deallocate(pages[i]);
    settle(cache);
    cache.verify();
    CHECK(cache.stats().dirty > 0);
    for (std::size_t i = 1; i < pages.size(); i += 2)
        cache.deallocate(pages[i]);
    cache.flush_thread();
    settle(cache);
    cache.verify();
    CHECK(cache.stats().pages_purged % 4 == 0);
}

TEST_CASE("pages may be allocated inside an RCU read section") {
    TestSource source;
    PageCache cache(source, small_config());
    locking::rcu::ReadSection section;
    void* page = cache.allocate();
    cache.deallocate(page);
    CHECK(cache.stats().in_use == 0);
}

TEST_CASE("more caches than a thread has slots take turns and lose nothing") {
    TestSource source;
    std::vector<std::unique_ptr<PageCache>> caches;
    for (std::size_t i = 0; i < 2 * detail::magazine_slots + 1; ++i) {
        caches.push_back(std::make_unique<PageCache>(source, small_config()));
    }
    for (int round = 0; round < 3; ++round) {
        for (auto& cache : caches) {
            void* page = cache->allocate();
            cache->deallocate(page);
            cache->verify();
        }
    }
    for (auto& cache : caches)
        CHECK(cache->stats().in_use == 0);
}

TEST_CASE("a thread that ends gives its magazines back") {
    TestSource source;
    PageCache cache(source, small_config());
    std::thread([&] {
        std::vector<void*> pages(40);
        for (void*& page : pages)
            page = cache.allocate();
        for (void* page : pages)
            cache.deallocate(page);
        CHECK(cache.stats().magazines > 0);
    }).join();
    CHECK(cache.stats().magazines == 0);
    CHECK(cache.stats().in_use == 0);
    cache.verify();
}

TEST_CASE("threads pass pages to each other while maintenance runs") {
    TestSource source;
    PageCache cache(source, small_config());
    constexpr int threads_count = 3;
    std::vector<std::thread> threads;
    std::array<std::atomic<void*>, 64> slots{};
    for (unsigned seed = 0; seed < threads_count; ++seed) {
        threads.emplace_back([&, seed] {
            std::mt19937 random(seed);
            for (int i = 0; i < 20000; ++i) {
                void* fresh = nullptr;
                if (random() % 2 != 0) {
                    fresh = cache.allocate();
                    *static_cast<unsigned*>(fresh) = seed;
                }
                void* old = slots[random() % slots.size()].exchange(fresh);
                if (old != nullptr) cache.deallocate(old);
                if (i % 512 == 0) cache.maintain();
                if (i % 5000 == 0) cache.flush_thread();
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    for (auto& slot : slots) {
        if (void* page = slot.load()) cache.deallocate(page);
    }
    cache.verify();
    CHECK(cache.stats().in_use == 0);
}

// AT-OOM-1 ------------------------------------------------------------------------------------

std::size_t resident_kilobytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t size = 0;
    std::size_t resident = 0;
    statm >> size >> resident;
    return resident * 4;
}

struct Growth {
    std::size_t mapped_first = 0;  ///< pages after the fourth cycle: the first ones wobble
    std::size_t mapped_last = 0;
    std::size_t resident_first = 0;  ///< kB, likewise
    std::size_t resident_last = 0;
    std::size_t hot_max = 0;
};

/// The cycle that killed a daemon after two weeks: allocate and free much, again and again, with
/// maintenance every `period` operations (0: only after each phase).
Growth run_cycles(PageCache& cache, std::size_t pages_count, int cycles, std::size_t period) {
    Growth growth;
    std::vector<void*> pages(pages_count);
    std::size_t operations = 0;
    auto step = [&] {
        if (period != 0 && ++operations % period == 0 && cache.maintenance_due()) cache.maintain();
    };
    for (int cycle = 1; cycle <= cycles; ++cycle) {
        for (void*& page : pages) {
            page = cache.allocate();
            step();
        }
        if (cache.maintenance_due()) cache.maintain();
        for (void* page : pages) {
            cache.deallocate(page);
            step();
        }
        if (cache.maintenance_due()) cache.maintain();
        growth.mapped_last = cache.stats().mapped;
        growth.resident_last = resident_kilobytes();
        if (cycle == 4) growth.mapped_first = growth.mapped_last;
        if (cycle == 4) growth.resident_first = growth.resident_last;
    }
    settle(cache);
    growth.hot_max = cache.stats().hot;
    cache.verify();
    return growth;
}

PageCacheConfig seed_config() {
    PageCacheConfig config;
    config.keep_pages_main_max = 4096;
    config.keep_pages_main_min = 1000;
    config.cleanup_pages_bulk = 4096;
    config.keep_cold_regions = 1000000;
    return config;
}

TEST_CASE("memory stays flat over cycles of much and little, whenever maintenance runs") {
    for (const std::size_t period : {std::size_t{0}, std::size_t{1500}, std::size_t{200}}) {
        TestSource source;
        PageCache cache(source, seed_config());
        const Growth growth = run_cycles(cache, 20000, 12, period);
        INFO("period " << period);
        CHECK(growth.mapped_last == growth.mapped_first);
        CHECK(growth.hot_max <= 4096);
        // Where in the hysteresis a cycle ends depends on the phase, unless maintenance runs at its
        // ends only.
        const std::size_t phase = period == 0 ? 0 : 4096 / 2 * page_bytes / 1024;
        if (!Poison::asan()) {
            CHECK(growth.resident_last <= growth.resident_first + phase + 64);
        }
    }
}

TEST_CASE("the growth test can fail: a refill that ignores cold pages grows each cycle") {
    TestSource source;
    PageCache cache(source, seed_config());
    cache.test_ignore_cold(true);
    const Growth growth = run_cycles(cache, 6000, 6, 1500);
    CHECK(growth.mapped_last >= growth.mapped_first + 2 * 1000);
}

// AT-OOM-5 ------------------------------------------------------------------------------------

TEST_CASE("a source that refuses at any call breaks nothing") {
    for (std::size_t n = 1; n <= 6; ++n) {
        TestSource source;
        PageCache cache(source, small_config());
        source.fail_from(n);
        std::vector<void*> pages;
        while (void* page = cache.try_allocate()) {
            pages.push_back(page);
            if (cache.maintenance_due()) cache.maintain();
        }
        CHECK(pages.size() <= (n - 1) * (region_pages - 1));
        CHECK(pages.size() + 64 >= (n - 1) * (region_pages - 1));
        CHECK(cache.try_allocate_run(4) == nullptr);
        CHECK(cache.try_allocate_run(region_pages) == nullptr);
        cache.verify();
        CHECK(cache.stats().out_of_memory > 0);
        // A starved cache must not ask for maintenance again and again.
        cache.maintain();
        CHECK_FALSE(cache.maintenance_due());
        for (void* page : pages)
            cache.deallocate(page);
        cache.flush_thread();
        settle(cache);
        cache.verify();
        CHECK(cache.stats().in_use == 0);
    }
}

TEST_CASE("the reclaim hook is asked before giving up, and allocate aborts after it") {
    TestSource source;
    PageCache cache(source, small_config());

    struct Reserve {
        PageCache& cache;
        std::vector<void*> pages;
        int asked = 0;
    } reserve{cache, {}, 0};

    for (int i = 0; i < 64; ++i)
        reserve.pages.push_back(cache.allocate());
    source.fail_from(1);
    cache.on_out_of_memory(
        [](void* context) noexcept {
            auto& mine = *static_cast<Reserve*>(context);
            ++mine.asked;
            if (mine.pages.empty()) return false;
            mine.cache.deallocate(mine.pages.back());
            mine.pages.pop_back();
            return true;
        },
        &reserve);
    std::vector<void*> pages;
    while (void* page = cache.try_allocate())
        pages.push_back(page);
    CHECK(reserve.asked == 65);
    CHECK(pages.size() == region_pages - 1);
    CHECK(locking::death_of([&] { cache.allocate(); }).says("out of memory"));
    for (void* page : pages)
        cache.deallocate(page);
}

TEST_CASE("free pages are poisoned for the address sanitizer") {
    if (!Poison::asan()) return;
    TestSource source;
    PageCache cache(source, small_config());
    auto* page = static_cast<std::byte*>(cache.allocate());
    CHECK_FALSE(Poison::hidden(page + 100));
    cache.deallocate(page);
    CHECK(Poison::hidden(page + 100));
    CHECK(Poison::hidden(page + page_bytes - 1));
}

}  // namespace
}  // namespace tern::alloc
