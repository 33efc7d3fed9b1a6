// What users are called with: no lock of the library is held, so they may call the library again.
#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "loops/test_support.h"
#include "loops/watchdog.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using alloc::PageCache;
using alloc::ReclaimHook;
using alloc::TestSource;
using test::Action;
using test::Real;
using test::Stopper;
using test::TestLoop;

namespace {

enum Kind : unsigned { hook, trim, maintenance, kick, reclaim, slow, stuck, kinds };

/// One of each, with how many domains its caller held. All of them call back whatever takes a lock.
struct Callbacks {
    Callbacks(Runtime& runtime_, PageCache& cache_)
        : runtime(runtime_), cache(cache_), watchdog(runtime_.main_loop(), call<stuck>, this) {
        runtime.set_thread_trim({call<trim>, this});
        runtime.set_maintenance(
            [](void* self) {
                call<maintenance>(self);
                return false;
            },
            this);
        runtime.set_slow_report(milliseconds(1), call<slow>, this);
        cache.on_maintenance_due([](void* self) noexcept { call<kick>(self); }, this);
        cache.add_reclaim(reclaim_hook);
    }

    ~Callbacks() {
        cache.on_maintenance_due(nullptr, nullptr);
        cache.remove_reclaim(reclaim_hook);
    }

    Callbacks(const Callbacks&) = delete;
    Callbacks& operator=(const Callbacks&) = delete;

    template <Kind kind, class... Report>
    static void call(void* context, const Report&...) {
        auto& self = *static_cast<Callbacks*>(context);
        self.held[kind] = locking::held_count();
        self.runtime.report_threads();
        self.runtime.report_groups();
        self.runtime.main_loop().wake();
        self.cache.stats();
        ++self.calls[kind];
    }

    Runtime& runtime;
    PageCache& cache;
    ReclaimHook reclaim_hook{"nothing to give",
                             [](void* self) noexcept {
                                 call<reclaim>(self);
                                 return false;
                             },
                             this, nullptr};
    Watchdog watchdog;
    std::array<std::atomic<unsigned>, kinds> calls{};
    std::array<std::atomic<std::size_t>, kinds> held{};
};

/// Takes so many pages, or all there are, and gives them back.
void use_pages(PageCache& cache, std::size_t count) {
    std::vector<void*> pages;
    while (pages.size() < count) {
        void* const page = cache.try_allocate();
        if (page == nullptr) break;
        pages.push_back(page);
    }
    for (void* page : pages)
        cache.deallocate(page);
}

}  // namespace

TEST_CASE("no lock of the library is held while a callback runs, which may call it again") {
    TestSource source;
    PageCache cache(source, {.keep_pages_main_max = 128, .keep_pages_main_min = 0});
    Real real(2);
    Callbacks callbacks(real.runtime, cache);
    TestLoop loop(real.group, "l");
    Stopper stopper(real.runtime);
    stopper.add(loop.loop);
    // The last step: a thread ends.
    Action ended_action{[&](Turn&) { stopper.go(); }};
    Event ended(ended_action.callback());
    Action all_action{[&](Turn& turn) { real.group.set_threads(1, turn.loop(), ended); }};
    Event all(all_action.callback());
    Action worked_action{[&](Turn& turn) {
        callbacks.watchdog.set_limit(Duration());
        source.fail_from(1);
        use_pages(cache, SIZE_MAX);
        real.runtime.on_every_thread({Callbacks::call<hook>, &callbacks}, turn.loop(), all);
    }};
    Event worked(worked_action.callback());
    Action work_action{[&](Turn&) {
        use_pages(cache, 1000);
        while (callbacks.calls[stuck] == 0)
            std::this_thread::yield();
        worked.send(real.runtime.main_loop());
    }};
    Event work(work_action.callback());
    real.run([&](Turn&) {
        callbacks.watchdog.set_limit(milliseconds(5));
        work.send(loop.loop);
    });
    // The domain of the loop whose handler calls the library, and nothing else.
    constexpr std::array<std::size_t, kinds> of_caller{0, 0, 0, 1, 1, 0, 1};
    for (unsigned kind = 0; kind < kinds; ++kind) {
        INFO("callback " << kind);
        CHECK(callbacks.calls[kind] > 0);
        CHECK(callbacks.held[kind] == of_caller[kind]);
    }
}

}  // namespace tern::loops
