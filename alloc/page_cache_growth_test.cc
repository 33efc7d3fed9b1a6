// The acceptance tests AT-OOM-*: memory over cycles of much and little stays flat, and what happens
// when there is none left. Each has a twin that shows it notices the defect it guards against.

#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "locking/death_test.h"
#include "locking/rcu.h"

#include <algorithm>
#include <array>
#include <barrier>
#include <charconv>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tern::alloc {
namespace {

using Fault = PageCache::TestFault;

void settle(PageCache& cache) {
    for (int i = 0; cache.maintenance_due(); ++i) {
        REQUIRE(i < 100000);
        cache.maintain();
    }
}

PageCacheConfig small_config() {
    PageCacheConfig config;
    config.keep_pages_main_max = 256;
    config.keep_pages_main_min = 8;
    config.cleanup_pages_bulk = 64;
    config.magazine_pages = 16;
    config.keep_cold_regions = 1;
    return config;
}

/// The limits under which a daemon once grew until it was killed after two weeks.
PageCacheConfig seed_config() {
    PageCacheConfig config;
    config.keep_pages_main_max = 4096;
    config.keep_pages_main_min = 1000;
    config.cleanup_pages_bulk = 4096;
    config.keep_cold_regions = 1000000;
    return config;
}

/// The kernel's running counters are rounded per thread, so this has it walk the page tables. It
/// allocates nothing: the address sanitizer keeps what was freed, 12 kB more each time otherwise.
std::size_t resident_kilobytes() {
    std::array<char, 4096> text{};
    const int rollup = ::open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    const auto length = ::read(rollup, text.data(), text.size());
    ::close(rollup);
    const std::string_view all(text.data(), length < 0 ? 0 : static_cast<std::size_t>(length));
    const std::size_t at = std::min(all.find("Rss:"), all.size());
    const std::size_t digit = std::min(all.find_first_of("0123456789", at), all.size());
    std::size_t kilobytes = 0;
    std::from_chars(all.data() + digit, all.data() + all.size(), kilobytes);
    return kilobytes;
}

struct Sample {
    std::size_t mapped;    ///< pages
    std::size_t resident;  ///< kB, without the free pages that it keeps
};

/// One cycle: allocates and frees so many pages, with maintenance every `period` operations and
/// once at the end of each phase.
Sample run_cycle(PageCache& cache, std::vector<void*>& pages, std::size_t period) {
    std::size_t operations = 0;
    auto step = [&] {
        if (period != 0 && ++operations % period == 0 && cache.maintenance_due()) cache.maintain();
    };
    for (void*& page : pages) {
        page = cache.allocate();
        step();
    }
    cache.maintain();
    for (void* page : pages) {
        cache.deallocate(page);
        step();
    }
    cache.maintain();
    const PageStats stats = cache.stats();
    return {stats.mapped, resident_kilobytes() - stats.kept() * page_bytes / 1024};
}

// The sanitizers keep shadow memory behind every word that was ever written or hidden; that of the
// last few comes in the course of some thirty cycles.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr std::size_t steady_from = 50;
#else
constexpr std::size_t steady_from = 2;
#endif

/// Word by word, since a checker does not see what the compiler makes of memset.
void write_all(void* page) {
    auto* words = static_cast<volatile std::uint64_t*>(page);
    for (std::size_t i = 0; i < page_bytes / sizeof(std::uint64_t); ++i)
        words[i] = i;
}

constexpr std::size_t seed_pages = 60000;

TEST_CASE("AT-OOM-1 memory is flat over 100 cycles, however often maintenance runs", "[AT-OOM-1]") {
    struct Run {
        std::size_t period;
        std::size_t cycles;
    };

    // More cycles of the other two, and slopes, are the work of stress/oom_regression.
    for (const Run run : {Run{0, 100}, Run{1500, 6}, Run{200, 5}}) {
        INFO("maintenance every " << run.period << " operations");
        TestSource source;
        PageCache cache(source, seed_config());
        // The initial wobble: once as much as the recipe and the reserve need at most. All of it is
        // written to, so that the shadow memory of a checker does not grow later.
        std::vector<void*> pages(seed_pages + 2 * 1000 + 128);
        for (void*& page : pages)
            write_all(page = cache.allocate());
        // And what is left of the last regions, which is used sooner or later.
        std::vector<void*> rest;
        while (cache.stats().cold != 0)
            write_all(rest.emplace_back(cache.allocate()));
        for (const std::vector<void*>* taken : {&pages, &rest}) {
            for (void* page : *taken)
                cache.deallocate(page);
        }
        pages.resize(seed_pages);
        run_cycle(cache, pages, run.period);
        std::vector<Sample> samples(run.cycles);
        for (Sample& sample : samples) {
            sample = run_cycle(cache, pages, run.period);
        }
        settle(cache);
        cache.verify();
        CHECK(cache.stats().hot >= 1000);
        CHECK(cache.stats().hot <= 4096);
        bool mapped_flat = true;
        bool resident_flat = true;
        for (std::size_t i = 2; i < samples.size(); ++i) {
            mapped_flat = mapped_flat && samples[i].mapped == samples[0].mapped;
            resident_flat =
                resident_flat &&
                (i < steady_from || samples[i].resident <= samples[steady_from].resident + 4);
        }
        CHECK(mapped_flat);
        std::string residents;
        for (const Sample& sample : samples)
            residents += std::to_string(sample.resident) + " ";
        INFO("kB: " << residents);
        CHECK(resident_flat);
    }
}

TEST_CASE("AT-OOM-1 notices a refill that ignores cold pages, as once 8 MB per cycle",
          "[AT-OOM-1]") {
    for (const std::size_t period : {std::size_t{0}, std::size_t{1500}}) {
        TestSource source;
        PageCacheConfig config = seed_config();
        config.cleanup_pages_bulk *= 8;  // one step fills up from one place
        PageCache cache(source, config);
        cache.test_fault(Fault::ignore_cold);
        std::vector<void*> pages(seed_pages / 2);
        run_cycle(cache, pages, period);
        const std::size_t before = cache.stats().mapped;
        run_cycle(cache, pages, period);
        const std::size_t growth = cache.stats().mapped - before;
        // Once per phase: twice the minimum. All the time: all that is allocated.
        const std::size_t expected = period == 0 ? 2000 : pages.size();
        INFO("growth " << growth << ", expected about " << expected);
        CHECK(growth >= expected * 8 / 10);
        CHECK(growth <= expected * 14 / 10);
        cache.verify();
    }
}

/// The cycle spread over threads whose number is another one each time; all end within it.
void run_threads(PageCache& cache, std::size_t pages_count, unsigned threads_count) {
    std::vector<std::thread> threads;
    std::barrier phase(static_cast<std::ptrdiff_t>(threads_count));
    for (unsigned t = 0; t < threads_count; ++t) {
        threads.emplace_back([&] {
            std::vector<void*> pages(pages_count / threads_count);
            for (void*& page : pages) {
                page = cache.allocate();
                if (cache.maintenance_due()) cache.maintain();
            }
            phase.arrive_and_wait();
            for (void* page : pages) {
                cache.deallocate(page);
                if (cache.maintenance_due()) cache.maintain();
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
}

TEST_CASE("AT-OOM-3 memory is flat while the number of threads changes", "[AT-OOM-3]") {
    std::mt19937 random(3);
    TestSource source;
    PageCache cache(source, seed_config());
    std::size_t resident_first = 0;
    std::size_t resident_last = 0;
    std::size_t mapped_first = 0;
    for (int cycle = 0; cycle < 24; ++cycle) {
        run_threads(cache, 8000, 1 + static_cast<unsigned>(random() % 8));
        settle(cache);
        cache.verify();
        const PageStats stats = cache.stats();
        CHECK(stats.in_use == 0);
        CHECK(stats.magazines == 0);
        CHECK(stats.hot <= 4096);
        if (cycle == 8) mapped_first = stats.mapped;
        // Where in its hysteresis a cycle ends is no growth.
        resident_last = resident_kilobytes() - stats.kept() * page_bytes / 1024;
        if (cycle == 8) resident_first = resident_last;
    }
    CHECK(cache.stats().mapped <= mapped_first + region_pages);
    // Stacks of threads come and go. The address sanitizer keeps what the test itself frees, 124 kB
    // a cycle or 1.9 MB in all, the thread sanitizer 2.5 MB. A flush that loses pages adds 30 MB a
    // cycle, with them 560 and 1,000.
    CHECK(resident_last <= resident_first + 8192);
}

TEST_CASE("AT-OOM-3 notices a flush that keeps only the last page of a batch", "[AT-OOM-3]") {
    const locking::Death death = locking::death_of([] {
        TestSource source;
        PageCache cache(source, seed_config());
        cache.test_fault(Fault::lose_on_flush);
        run_threads(cache, 1000, 1);
        cache.verify();
    });
    INFO(death.report);
    CHECK(death.says("pages lost: mapped"));
    // Without verify(), what is mapped tells: pages that are lost are mapped anew.
    TestSource source;
    PageCache cache(source, seed_config());
    cache.test_fault(Fault::lose_on_flush);
    for (int cycle = 0; cycle < 10; ++cycle)
        run_threads(cache, 2000, 2);
    CHECK(cache.stats().mapped > 5 * 2000);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
std::size_t address_space_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::size_t pages = 0;
    statm >> pages;
    return pages * page_bytes;
}

TEST_CASE("AT-OOM-4 ten thousand cycles survive with address space little above the peak",
          "[AT-OOM-4]") {
    const locking::Death death = locking::death_of([] {
        MmapSource source(MmapSource::HugePages::system_default);
        PageCacheConfig config = small_config();
        config.keep_cold_regions = 0;
        PageCache cache(source, config);
        std::vector<void*> pages(3 * region_pages);
        run_cycle(cache, pages, 100);
        for (void*& page : pages)
            page = cache.allocate();
        // What is mapped at the peak and no more than one region.
        const rlim_t limit = address_space_bytes() + region_bytes;
        const rlimit bound{limit, limit};
        if (::setrlimit(RLIMIT_AS, &bound) != 0) std::abort();
        for (void* page : pages)
            cache.deallocate(page);
        std::mt19937 random(4);
        for (int cycle = 0; cycle < 10000; ++cycle) {
            // Most cycles are small, each hundredth goes to the peak.
            const std::size_t count = cycle % 100 == 0 ? pages.size() : random() % 600;
            for (std::size_t i = 0; i < count; ++i) {
                pages[i] = cache.try_allocate();
                if (pages[i] == nullptr) std::abort();
            }
            for (std::size_t i = 0; i < count; ++i)
                cache.deallocate(pages[i]);
            if (cache.maintenance_due()) cache.maintain();
        }
        settle(cache);
        cache.verify();
    });
    INFO(death.report);
    CHECK_FALSE(death.aborted);
}
#endif

/// Takes single pages and runs until the source refuses, and gives all back.
/// Returns whether it has refused.
bool use_until_refused(PageCache& cache) {
    std::vector<void*> pages;
    std::vector<void*> runs;
    bool refused = false;
    for (int i = 0; i < 3000 && !refused; ++i) {
        void* page = cache.try_allocate();
        if (page == nullptr) refused = true;
        if (page != nullptr) pages.push_back(page);
        if (i % 100 == 0) {
            void* run = cache.try_allocate_run(40);
            if (run == nullptr) refused = true;
            if (run != nullptr) runs.push_back(run);
        }
        if (cache.maintenance_due()) cache.maintain();
    }
    void* huge = refused ? nullptr : cache.try_allocate_run(region_pages);
    if (huge == nullptr) refused = true;
    cache.verify();
    if (huge != nullptr) cache.deallocate_run(huge, region_pages);
    for (void* run : runs)
        cache.deallocate_run(run, 40);
    for (void* page : pages)
        cache.deallocate(page);
    cache.flush_thread();
    settle(cache);
    cache.verify();
    CHECK(cache.stats().in_use == 0);
    return refused;
}

TEST_CASE("AT-OOM-5 a source that refuses its n-th call breaks nothing, for every n",
          "[AT-OOM-5]") {
    std::size_t n = 1;
    for (bool refused = true; refused; ++n) {
        TestSource source;
        PageCache cache(source, small_config());
        source.fail_from(n);
        refused = use_until_refused(cache);
        CHECK((cache.stats().out_of_memory > 0) == refused);
        // A starved cache must not ask for maintenance again and again.
        cache.maintain();
        CHECK_FALSE(cache.maintenance_due());
        // And it recovers.
        source.fail_from(0);
        CHECK_FALSE(use_until_refused(cache));
    }
    CHECK(n > 10);
}

TEST_CASE("AT-OOM-5 the limit refuses like the source, and can be raised at run time",
          "[AT-OOM-5]") {
    TestSource source;
    PageCacheConfig config = small_config();
    config.mapped_pages_max = 2 * region_pages;
    PageCache cache(source, config);
    CHECK(use_until_refused(cache));
    CHECK(source.mapped_bytes() <= 2 * region_bytes);
    CHECK(cache.try_allocate_run(2 * region_pages) == nullptr);
    config.mapped_pages_max = 0;
    CHECK_FALSE(cache.reconfigure(config));
    CHECK_FALSE(use_until_refused(cache));
    config.mapped_pages_max = region_pages - 1;
    CHECK(config.error()->find("region") != std::string::npos);
}

TEST_CASE("AT-OOM-5 reclaim hooks are asked in turn before giving up, then the last words name all",
          "[AT-OOM-5]") {
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
    ReclaimHook empty{"an empty store", [](void*) noexcept { return false; }, nullptr};
    ReclaimHook hook{"a reserve",
                     [](void* context) noexcept {
                         auto& mine = *static_cast<Reserve*>(context);
                         ++mine.asked;
                         if (mine.pages.empty()) return false;
                         mine.cache.deallocate(mine.pages.back());
                         mine.pages.pop_back();
                         return true;
                     },
                     &reserve};
    cache.add_reclaim(empty);
    cache.add_reclaim(hook);
    cache.on_exhaustion(
        [](void*, locking::TextBuffer& report) noexcept { report.add({"\nwhat the owner knows"}); },
        nullptr);
    std::vector<void*> pages;
    while (void* page = cache.try_allocate())
        pages.push_back(page);
    CHECK(reserve.asked == 65);
    CHECK(pages.size() == region_pages - region_head_pages);
    CHECK(cache.stats().reclaims == 64);
    CHECK(locking::death_of([&] { cache.allocate(); })
              .says("out of memory: no page", "the kernel refused", "512 pages mapped",
                    "504 are in use", "a reserve", "an empty store", "what the owner knows",
                    "page_cache_growth_test.cc"));
    CHECK(locking::death_of([&] { cache.allocate_run(5); }).says("out of memory: no run"));
    cache.remove_reclaim(empty);
    cache.remove_reclaim(hook);
    for (void* page : pages)
        cache.deallocate(page);
}

// The defects of the same allocator that have no number of their own -----------------------------

std::vector<void*> take(PageCache& cache, std::size_t count) {
    std::vector<void*> pages(count);
    for (void*& page : pages)
        page = cache.allocate();
    return pages;
}

/// Most pages that one run of maintenance moved, and pages per call of the source.
struct Cooling {
    std::size_t moved_max = 0;
    double pages_per_call = 0;
};

Cooling cool_down(Fault fault) {
    TestSource source;
    PageCache cache(source, small_config());
    cache.test_fault(fault);
    for (void* page : take(cache, 2000))
        cache.deallocate(page);
    cache.flush_thread();
    Cooling cooling;
    while (cache.maintenance_due()) {
        cooling.moved_max = std::max(cooling.moved_max, cache.maintain());
    }
    const PageStats stats = cache.stats();
    cooling.pages_per_call =
        static_cast<double>(stats.pages_purged) / static_cast<double>(stats.purges);
    return cooling;
}

TEST_CASE("cooling is bounded and purges runs, and the test notices if it is not so") {
    const Cooling good = cool_down(Fault::none);
    CHECK(good.moved_max <= 64);
    CHECK(good.pages_per_call >= 16);
    CHECK(cool_down(Fault::ignore_bulk).moved_max > 64);
    CHECK(cool_down(Fault::purge_singly).pages_per_call == 1);
}

TEST_CASE("entering an RCU read section asks for no memory") {
    PageStats before;
    PageStats after;
    // The first section of a thread is the one that might need something.
    std::thread([&] {
        before = PageCache::process().stats();
        const locking::rcu::ReadSection section;
        after = PageCache::process().stats();
    }).join();
    CHECK(after.maps == before.maps);
    CHECK(after.in_use == before.in_use);
    CHECK(after.magazines == before.magazines);
}

TEST_CASE("a source of other page sizes keeps the law, for each size of a page") {
    for (const std::size_t granularity : {1, 4, 16}) {
        TestSource source;
        source.pretend_granularity(granularity * page_bytes);
        PageCache cache(source, small_config());
        std::vector<void*> pages = take(cache, 1500);
        std::vector<void*> kept;
        for (std::size_t i = 0; i < pages.size(); ++i) {
            if (i % 64 == 0) {
                kept.push_back(pages[i]);
            } else {
                cache.deallocate(pages[i]);
            }
        }
        void* huge = cache.allocate_run(region_pages + 1);
        std::memset(huge, 1, (region_pages + 1) * page_bytes);
        cache.deallocate_run(huge, region_pages + 1);
        settle(cache);
        cache.verify();
        CHECK(cache.stats().in_use == kept.size());
        CHECK(cache.stats().pages_purged % granularity == 0);
        for (void* page : kept)
            cache.deallocate(page);
    }
}

}  // namespace
}  // namespace tern::alloc
