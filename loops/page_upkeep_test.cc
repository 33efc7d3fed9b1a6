// The threads of a runtime look after a page cache: real threads on virtual time, real pages.
#include "loops/page_upkeep.h"

#include "alloc/arena.h"
#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "loops/lockstep_testing.h"
#include "loops/test_support.h"

#include <atomic>
#include <deque>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using alloc::PageCache;
using alloc::PageCacheConfig;
using alloc::PageStats;
using alloc::TestSource;
using test::Action;
using test::Control;
using test::Lockstep;
using test::TestLoop;

namespace {

constexpr PageCacheConfig small_cache{.keep_pages_main_max = 256,
                                      .keep_pages_main_min = 16,
                                      .cleanup_pages_bulk = 64,
                                      .keep_cold_regions = 1};

/// Takes so many pages and gives all of them back.
void use_pages(PageCache& cache, std::size_t count) {
    std::vector<void*> pages;
    for (std::size_t i = 0; i < count; ++i)
        pages.push_back(cache.allocate());
    for (void* page : pages)
        cache.deallocate(page);
}

/// A few threads on virtual time, and a cache that they may look after.
struct Threads {
    Threads(unsigned workers, bool kept) : lockstep(workers + 1) {
        GroupOptions options;
        options.threads = workers;
        group = &runtime.add_group(options);
        if (kept) keep_pages(runtime, cache);
    }

    /// Runs until something in it calls end(); each action in the main loop, so long after the
    /// start.
    void run(std::vector<std::pair<Duration, Action>> actions) {
        std::deque<Timer> timers;
        {
            const LoopEntry entry(runtime.main_loop());
            for (auto& [delay, action] : actions)
                timers.emplace_back(runtime.main_loop(), action.callback()).in(delay);
        }
        runtime.run();
        cache.on_maintenance_due(nullptr, nullptr);
        const LoopEntry entry(runtime.main_loop());
        timers.clear();
    }

    void end() {
        lockstep.finish();
        runtime.quit();
    }

    Lockstep lockstep;
    TestSource source;
    PageCache cache{source, small_cache};
    locking::Domain<Control> domain{"main"};
    Runtime runtime{lockstep.options(domain)};
    ThreadGroup* group = nullptr;
};

/// What threads keep for themselves.
struct Kept {
    std::size_t pages = 0;                ///< in magazines
    std::atomic<std::size_t> scratch{0};  ///< bytes
};

/// What three threads keep 0.1 and 5 seconds after they have used pages and scratch memory.
void use_and_sleep(bool looked_after, Kept& soon, Kept& late) {
    Threads threads(3, looked_after);
    std::deque<TestLoop> loops;
    std::deque<Timer> timers;
    Action use{[&](Turn& turn) {
        use_pages(threads.cache, 100);
        turn.scratch().allocate(100);
        threads.lockstep.work(milliseconds(10));
    }};
    for (int i = 0; i < 3; ++i) {
        Loop& loop = loops.emplace_back(*threads.group, "l").loop;
        const LoopEntry entry(loop);
        timers.emplace_back(loop, use.callback()).in(milliseconds(1));
    }
    Kept* now = &soon;
    Action asked_action{[&](Turn&) {
        if (now == &late) threads.end();
        now = &late;
    }};
    Event asked(asked_action.callback());
    Action ask{[&](Turn& turn) {
        now->pages = threads.cache.stats().magazines;
        const auto add = [](void* sum) {
            *static_cast<std::atomic<std::size_t>*>(sum) += alloc::scratch().held_bytes();
        };
        threads.runtime.on_every_thread({add, &now->scratch}, turn.loop(), asked);
    }};
    threads.run({{milliseconds(100), ask}, {seconds(5), ask}});
    for (std::size_t i = 0; i < timers.size(); ++i) {
        const LoopEntry entry(loops[i].loop);
        timers[i].stop();
    }
}

/// The cache three seconds after a thread has used very many pages, while all threads slept.
PageStats after_a_burst(bool looked_after) {
    Threads threads(1, looked_after);
    TestLoop loop(*threads.group, "l");
    PageStats result;
    Action burst{[&](Turn&) { use_pages(threads.cache, 4000); }};
    Action look{[&](Turn&) {
        result = threads.cache.stats();
        threads.end();
    }};
    Timer first(loop.loop, burst.callback());
    Timer second(loop.loop, look.callback());
    {
        const LoopEntry entry(loop.loop);
        first.in(milliseconds(1));
        second.in(seconds(3));
    }
    threads.run({});
    const LoopEntry entry(loop.loop);
    first.stop();
    second.stop();
    return result;
}

}  // namespace

TEST_CASE("AT-THR-6 a thread that sleeps keeps neither pages nor scratch memory", "[AT-THR-6]") {
    Kept soon;
    Kept late;
    use_and_sleep(true, soon, late);
    CHECK(soon.pages > 0);
    CHECK(soon.scratch > 0);
    CHECK(late.pages == 0);
    CHECK(late.scratch == 0);
    // Without anybody to look after them they would stay.
    Kept still;
    Kept for_ever;
    use_and_sleep(false, still, for_ever);
    CHECK(for_ever.pages == still.pages);
    CHECK(for_ever.scratch == still.scratch);
}

TEST_CASE("AT-THR-6 a burst of pages is cooled and given back without another call", "[AT-THR-6]") {
    const PageStats kept = after_a_burst(true);
    CHECK(kept.hot <= small_cache.keep_pages_main_max);
    CHECK(kept.kept() <= 2 * small_cache.keep_pages_main_max);
    CHECK(kept.magazines == 0);
    CHECK(kept.unmaps > 0);
    CHECK(after_a_burst(false).kept() > 3000);
}

}  // namespace tern::loops
