#include "alloc/page_cache.h"

#include "alloc/page_source_test.h"
#include "locking/death_test.h"
#include "locking/rcu.h"

#include <algorithm>
#include <cstring>
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

TEST_CASE("each fresh page costs a call of the kernel, so filling up takes several steps") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    void* page = cache.allocate();
    std::size_t steps = 0;
    for (; cache.maintenance_due(); ++steps)
        CHECK(cache.maintain() <= cache.config().cleanup_pages_bulk / 8);
    CHECK(steps == 8);
    CHECK(cache.stats().hot == 2 * cache.config().keep_pages_main_min);
    cache.verify();
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
        const std::size_t before = cache.stats().kept();
        const std::size_t moved = cache.maintain();
        CHECK(moved <= 64);
        // Each step either moves pages or gives some back.
        CHECK((moved != 0 || cache.stats().kept() < before));
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
    CHECK(source.mapped_bytes() ==
          region_bytes + (region_head_pages + region_pages + 5) * page_bytes);
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

TEST_CASE("a page freed twice aborts, in whichever list it is by then") {
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, small_config());
              void* page = cache.allocate();
              cache.deallocate(page);
              cache.deallocate(page);
          }).says("freed twice", "it is free", "page_cache_test.cc"));
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, small_config());
              std::vector<void*> pages(100);
              for (void*& page : pages)
                  page = cache.allocate();
              for (void* page : pages)
                  cache.deallocate(page);
              cache.deallocate(pages[50]);
          }).says("freed twice", "it is free", "page_cache_test.cc"));
}

TEST_CASE("a pointer that is no page of the cache is refused by name of what it is") {
    static char elsewhere[2 * page_bytes];
    TestSource source;
    PageCache cache(source, small_config());
    PageCache other(source, small_config());
    void* page = cache.allocate();
    void* foreign = other.allocate();
    CHECK(locking::death_of([&] {
              cache.deallocate(foreign);
          }).says("not a page of it", "foreign", "page_cache_test.cc"));
    CHECK(locking::death_of([&] {
              cache.deallocate(page_of(elsewhere + page_bytes));
          }).says("not a page of it", "foreign"));
    CHECK(locking::death_of([&] {
              cache.deallocate(static_cast<char*>(page) + 64);
          }).says("not the start of a page", "in use"));
    cache.deallocate(page);
    other.deallocate(foreign);
}

TEST_CASE("the cache says what an address is") {
    TestSource source;
    PageCache cache(source, small_config());
    auto* page = static_cast<std::byte*>(cache.allocate());
    auto* run = static_cast<std::byte*>(cache.allocate_run(3));
    CHECK(cache.state_of(page + 100) == PageState::in_use);
    CHECK(cache.state_of(&cache) == PageState::foreign);
    const auto region = reinterpret_cast<std::uintptr_t>(page) & ~(region_bytes - 1);
    CHECK(cache.state_of(reinterpret_cast<void*>(region)) == PageState::region_head);
    cache.deallocate(page);
    CHECK(cache.state_of(page) == PageState::kept);
    cache.deallocate_run(run, 3);
    CHECK(cache.state_of(run + page_bytes) == PageState::dirty);
    CHECK(cache.state_of(run + 100 * page_bytes) == PageState::cold);
    CHECK(text_of(PageState::cold) == "free and cold");
}

/// So many pages, linked.
PageChain chain_of(PageCache& cache, std::size_t count) {
    PageChain chain;
    for (; chain.pages < count; ++chain.pages) {
        auto& note = note_of<PageNote>(cache.allocate());
        note.link_to(chain.first);
        chain.first = &note;
    }
    return chain;
}

TEST_CASE("a chain of pages of any length comes back in one step and is used again") {
    TestSource source;
    PageCache cache(source, small_config());
    for (const std::size_t count : {std::size_t{1}, std::size_t{16}, std::size_t{500}}) {
        const PageChain chain = chain_of(cache, count);
        CHECK(cache.stats().in_use == count);
        cache.deallocate_chain(chain);
        CHECK(cache.stats().in_use == 0);
        cache.verify();
        std::vector<void*> pages(count + 40);
        for (void*& page : pages)
            page = cache.allocate();
        cache.verify();
        for (void* page : pages)
            cache.deallocate(page);
        settle(cache);
        cache.verify();
    }
}

TEST_CASE("chains of pages are not looked at, however many come back, until they are taken") {
    TestSource source;
    PageCache cache(source, small_config());
    std::vector<PageChain> chains(600);
    for (PageChain& chain : chains)
        chain = chain_of(cache, 3);
    cache.deallocate_chains(chains);
    CHECK(cache.stats().in_use == 0);
    cache.verify();
    std::vector<void*> pages(3 * chains.size());
    for (void*& page : pages)
        page = cache.allocate();
    std::sort(pages.begin(), pages.end());
    CHECK(std::unique(pages.begin(), pages.end()) == pages.end());
    for (void* page : pages)
        cache.deallocate(page);
    cache.verify();
}

TEST_CASE("a page that came back in a chain is on its own once it was taken from there") {
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, small_config());
              const PageChain chain = chain_of(cache, 3);
              void* second = page_of_note(*chain.first->after());
              cache.flush_thread();
              cache.deallocate_chain(chain);
              std::vector<void*> taken;
              while (cache.stats().in_use == 0 || taken.back() != second)
                  taken.push_back(cache.allocate());
              cache.deallocate(second);
              cache.deallocate(second);
          }).says("freed twice", "page_cache_test.cc"));
}

TEST_CASE("a region may be taken whole by one run") {
    TestSource source;
    PageCache cache(source, small_config());
    void* page = cache.allocate();
    cache.deallocate(page);
    void* run = cache.allocate_run(region_pages - region_head_pages);
    cache.verify();
    CHECK(source.mapped_bytes() == 2 * region_bytes);
    cache.deallocate_run(run, region_pages - region_head_pages);
    cache.verify();
}

TEST_CASE("runs are found in scattered memory as a slow search finds them") {
    std::mt19937 random(7);
    TestSource source;
    PageCache cache(source, small_config());
    std::vector<std::pair<void*, std::size_t>> runs;
    for (int i = 0; i < 4000; ++i) {
        if (random() % 2 != 0 || runs.empty()) {
            const std::size_t pages = 1 + random() % (random() % 8 == 0 ? 500 : 20);
            void* run = cache.allocate_run(pages);
            std::memset(run, 1, page_bytes);
            runs.emplace_back(run, pages);
        } else {
            std::swap(runs[random() % runs.size()], runs.back());
            cache.deallocate_run(runs.back().first, runs.back().second);
            runs.pop_back();
        }
        if (i % 64 == 0) cache.verify();
    }
    std::size_t in_use = 0;
    for (const auto& [run, pages] : runs)
        in_use += pages;
    // Memory is not wasted: what is mapped is little more than was ever needed at once.
    CHECK(cache.stats().in_use == in_use);
    for (const auto& [run, pages] : runs)
        cache.deallocate_run(run, pages);
    settle(cache);
    cache.verify();
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

TEST_CASE("a region too far from the others is no memory") {
    /// Its second region lies 9 TiB from the first, and nobody may touch it.
    class FarSource final : public PageSource {
      public:
        void* map(std::size_t bytes, std::size_t alignment) noexcept override {
            if (near_ != nullptr) return near_ + (std::size_t{9} << 40);
            near_ = static_cast<std::byte*>(real_.map(bytes, alignment));
            return near_;
        }

        void unmap(void* start, std::size_t bytes) noexcept override {
            start == near_ ? real_.unmap(start, bytes) : static_cast<void>(++returned);
        }

        void purge(void* start, std::size_t bytes) noexcept override { real_.purge(start, bytes); }

        std::size_t granularity() const noexcept override { return real_.granularity(); }

        std::size_t returned = 0;

      private:
        TestSource real_;
        std::byte* near_ = nullptr;
    };

    FarSource source;
    PageCache cache(source, small_config());
    std::vector<void*> pages;
    while (void* page = cache.try_allocate())
        pages.push_back(page);
    CHECK(pages.size() == region_pages - region_head_pages);
    CHECK(source.returned != 0);
    CHECK(cache.stats().out_of_memory == source.returned);
    CHECK(locking::death_of([&] {
              cache.allocate();
          }).says("no page; what the kernel gave lies more than 8 TiB from the rest"));
    CHECK(cache.try_allocate_run(2 * region_pages) == nullptr);
    cache.verify();
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
