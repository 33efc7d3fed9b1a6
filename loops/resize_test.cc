// A group of another size: nothing is lost on the way, neither work nor memory nor descriptors.
#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "loops/page_upkeep.h"
#include "loops/test_support.h"

#include <array>
#include <atomic>
#include <deque>
#include <optional>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::loops {

using alloc::PageCache;
using alloc::PageStats;
using alloc::TestSource;
using test::Action;
using test::open_descriptors;
using test::Real;
using test::Stopper;
using test::system_threads;
using test::TestLoop;

namespace {

/// Pages that are nowhere.
std::size_t lost(const PageStats& pages) {
    return pages.mapped - pages.in_use - pages.magazines - pages.hot - pages.dirty - pages.cold -
           pages.overhead;
}

/// Loops with a timer that takes a few pages and gives them back.
struct Traffic {
    Traffic(Real& real, PageCache& cache_, std::size_t count)
        : cache(cache_), stopper(real.runtime) {
        for (std::size_t i = 0; i < count; ++i) {
            stopper.add(loops.emplace_back(real.group, "l").loop);
            timers.emplace_back(loops.back().loop, tick, this);
        }
    }

    void begin() {
        for (std::size_t i = 0; i < loops.size(); ++i) {
            const LoopEntry entry(loops[i].loop);
            timers[i].every(microseconds(200));
        }
    }

    static void tick(void* context, Turn&) {
        auto& self = *static_cast<Traffic*>(context);
        ++self.ticks;
        std::array<void*, 5> pages;
        for (void*& page : pages)
            page = self.cache.allocate();
        for (void* page : pages)
            self.cache.deallocate(page);
    }

    PageCache& cache;
    Stopper stopper;
    std::deque<TestLoop> loops;
    std::deque<Timer> timers;
    std::atomic<std::uint64_t> ticks{0};
};

/// What is left in the cache when a group has had so many sizes under traffic.
PageStats change_sizes(PageCache& cache, int changes) {
    const std::size_t threads_before = system_threads();
    Real real(4);
    keep_pages(real.runtime, cache);
    Traffic traffic(real, cache, 12);
    std::mt19937 random(5);
    std::optional<Event> resized;
    Action resized_action{[&](Turn& turn) {
        if (changes-- > 0) {
            real.group.set_threads(1 + static_cast<unsigned>(random() % 12), turn.loop(), *resized);
        } else if (changes == -1) {
            real.group.set_threads(3, turn.loop(), *resized);
        } else {
            CHECK(real.group.threads() == 3);
            CHECK(system_threads() == threads_before + 3);
            traffic.stopper.go();
        }
    }};
    resized.emplace(resized_action.callback());
    real.run([&](Turn& turn) {
        traffic.begin();
        real.group.set_threads(7, turn.loop(), *resized);
    });
    CHECK(traffic.ticks > 12);
    cache.on_maintenance_due(nullptr, nullptr);
    cache.flush_thread();
    return cache.stats();
}

}  // namespace

TEST_CASE("AT-THR-2 the number of threads changes under traffic and nothing is lost",
          "[AT-THR-2]") {
    const std::size_t threads = system_threads();
    const std::size_t descriptors = open_descriptors();
    // All threads together fill less than one region.
    const alloc::PageCacheConfig config{.keep_pages_main_max = 64,
                                        .keep_pages_main_min = 4,
                                        .cleanup_pages_bulk = 16,
                                        .magazine_pages = 4};
    TestSource source;
    PageCache cache(source, config);
    const PageStats left = change_sizes(cache, 40);
    CHECK(lost(left) == 0);
    CHECK(left.in_use == 0);
    CHECK(left.magazines == 0);
    CHECK(left.maps == 1);
    cache.verify();
    CHECK(system_threads() == threads);
    CHECK(open_descriptors() == descriptors);

    PageCache leaking(source, config);
    leaking.test_fault(PageCache::TestFault::lose_on_flush);
    CHECK(lost(change_sizes(leaking, 10)) > 0);
}

TEST_CASE("AT-THR-3 a shrinking group waits for the run that goes on", "[AT-THR-3]") {
    Real real(2);
    TestLoop a(real.group, "a");
    TestLoop b(real.group, "b");
    std::atomic<bool> release{false};
    std::atomic<int> waiting{0};
    std::atomic<int> ended{0};
    bool resized = false;
    Action spin{[&](Turn&) {
        ++waiting;
        while (!release.load())
            std::this_thread::yield();
        ++ended;
    }};
    Event event_a(spin.callback());
    Event event_b(spin.callback());
    Stopper stopper(real.runtime);
    stopper.add(a.loop);
    stopper.add(b.loop);
    Action done_action{[&](Turn&) {
        CHECK(ended.load() >= 1);  // the thread that left had a run to finish
        resized = true;
        stopper.go();
    }};
    Event done(done_action.callback());
    real.run([&](Turn&) {
        event_a.send(a.loop);
        event_b.send(b.loop);
        while (waiting.load() < 2)
            std::this_thread::yield();
        real.group.set_threads(1, real.runtime.main_loop(), done);
        release = true;
    });
    CHECK(resized);
}

}  // namespace tern::loops
