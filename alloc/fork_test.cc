// A process that forks while its threads allocate: the child can go on, and its books are right.

#include "alloc/arena.h"
#include "alloc/page_cache.h"
#include "alloc/page_source_test.h"
#include "alloc/slab_shared.h"

#include <atomic>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

namespace tern::alloc {
namespace {

/// Exit status of a child that does `work`; -1 if a signal ended it. A child that hangs is ended by
/// its alarm.
int status_of_child(const std::function<bool()>& work) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGABRT, SIG_DFL);
        ::alarm(60);
        ::_exit(work() ? 0 : 1);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct Item {
    std::uint64_t words[6];
};

TEST_CASE("the child of a fork counts what it cannot reach as handed out and goes on") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    SharedSlab<Item> slab(cache, "items");
    std::atomic<int> step{0};
    std::thread other([&] {
        cache.deallocate(cache.allocate());
        slab.destroy(slab.make());
        step.store(1);
        while (step.load() == 1)
            std::this_thread::yield();
    });
    while (step.load() == 0)
        std::this_thread::yield();
    const PageStats before = cache.stats();
    CHECK(before.magazines > 0);
    CHECK(status_of_child([&] {
              cache.verify();
              slab.verify();
              // The other thread's stock is out of reach, and nothing else.
              const bool settled = cache.stats().magazines == 0 && slab.stats().live <= 64;
              Item& item = slab.make();
              slab.destroy(item);
              void* page = cache.allocate();
              cache.deallocate(page);
#ifndef __SANITIZE_THREAD__  // which does not allow it
              std::thread([&] { cache.deallocate(cache.allocate()); }).join();
#endif
              cache.verify();
              slab.verify();
              return settled && cache.stats().in_use <= before.in_use + before.magazines + 1;
          }) == 0);
    step.store(2);
    other.join();
    cache.verify();
}

TEST_CASE("forks in the middle of everything leave a child that can allocate") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    SharedSlab<Item> slab(cache, "items");
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 2; ++seed) {
        threads.emplace_back([&, seed] {
            std::mt19937 random(seed);
            std::vector<void*> pages;
            std::vector<Item*> items;
            while (!stop.load()) {
                for (auto n = random() % 200; n != 0; --n) {
                    pages.push_back(cache.allocate());
                    items.push_back(&slab.make());
                }
                for (void* page : pages)
                    cache.deallocate(page);
                for (Item* item : items)
                    slab.destroy(*item);
                pages.clear();
                items.clear();
                if (random() % 4 == 0) cache.flush_thread();
                if (cache.maintenance_due()) cache.maintain();
            }
        });
    }
    int failed = 0;
    for (int i = 0; i < 40; ++i) {
        failed += status_of_child([&] {
                      cache.verify();
                      slab.verify();
                      std::vector<void*> pages(300);
                      for (void*& page : pages)
                          page = cache.allocate();
                      for (int n = 0; n < 200; ++n)
                          slab.destroy(slab.make());
                      for (void* page : pages)
                          cache.deallocate(page);
                      cache.verify();
                      slab.verify();
                      return true;
                  }) == 0
                      ? 0
                      : 1;
    }
    stop.store(true);
    for (std::thread& thread : threads)
        thread.join();
    CHECK(failed == 0);
    cache.verify();
    slab.verify();
}

}  // namespace
}  // namespace tern::alloc
