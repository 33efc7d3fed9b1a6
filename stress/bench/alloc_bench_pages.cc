// Rows A7, A8 and A17: whole pages, and forks while they are used.

#include "stress/bench/alloc_bench.h"

#include <atomic>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace tern::bench {
namespace {

/// Limits as wide as the reference's; what cooling costs is the matter of other rows.
alloc::PageCache& wide_cache() {
    alloc::PageCacheConfig config;
    config.keep_pages_main_max = 32768;
    (void)alloc::PageCache::process().reconfigure(config);
    return alloc::PageCache::process();
}

struct CacheSide {
    alloc::PageCache& cache = wide_cache();

    void* take() { return cache.allocate(); }

    void give(void* page) { cache.deallocate(page); }

    /// As a loop does between two turns.
    void turn() {
        if (cache.maintenance_due()) cache.maintain();
    }
};

struct AlignedSide {
    void* take() { return std::aligned_alloc(alloc::page_bytes, alloc::page_bytes); }

    void give(void* page) { std::free(page); }

    void turn() {}
};

/// Takes a batch of pages, touches each and frees them; ns for one page.
template <class Side>
double page_batches(std::size_t batch, std::size_t pages) {
    Side side;
    std::vector<void*> held(batch);
    const auto once = [&] {
        for (void*& page : held) {
            page = side.take();
            *static_cast<std::size_t*>(page) = batch;
        }
        for (void* page : held)
            side.give(page);
        side.turn();
    };
    for (int i = 0; i < 3; ++i)
        once();
    const std::size_t rounds = pages / batch;
    const double start = thread_ns();
    for (std::size_t i = 0; i < rounds; ++i)
        once();
    return (thread_ns() - start) / static_cast<double>(rounds * batch);
}

template <class Side>
Sample one_thread(std::size_t batch, std::size_t pages) {
    return page_batches<Side>(batch, pages);
}

template <class Side>
Sample two_threads(std::size_t batch, std::size_t pages) {
    double other_ns = 0;
    std::thread other([&] { other_ns = page_batches<Side>(batch, pages); });
    const double ns = page_batches<Side>(batch, pages);
    other.join();
    return (ns + other_ns) / 2;
}

/// Forks while two threads take and free; each child does so too. Microseconds a fork.
template <class Side>
Sample forks() {
    constexpr int count = 200;
    std::atomic<bool> stop{false};
    std::array<std::thread, 2> threads;
    for (std::thread& thread : threads) {
        thread = std::thread([&] {
            while (!stop.load(std::memory_order_relaxed))
                page_batches<Side>(300, 300);
        });
    }
    const double ns = time_ns([&] {
        for (int i = 0; i < count; ++i) {
            const pid_t child = ::fork();
            if (child == 0) {
                ::alarm(10);
                page_batches<Side>(300, 300);
                ::_exit(0);
            }
            int status = 0;
            ::waitpid(child, &status, 0);
            // A child that hangs is ended by its alarm; the suite reports the row as failed.
            if (!WIFEXITED(status)) std::abort();
        }
    });
    stop.store(true);
    for (std::thread& thread : threads)
        thread.join();
    return ns / 1e3 / count;
}

constexpr std::size_t small = 32;
constexpr std::size_t large = 4096;

}  // namespace

void add_page_rows(Suite& suite) {
    suite
        .add({.id = "A7",
              .group = "pages",
              .text = "page taken, touched and freed, 32 at a time, one thread",
              .unit = "ns",
              .target = {.value = 2.2, .ratio = 0.28, .peer = "tcmalloc"}})
        .add("tern", [] { return one_thread<CacheSide>(small, 2'000'000); })
        .add_mallocs([] { return one_thread<AlignedSide>(small, 200'000); });
    suite
        .add({.id = "A7-2",
              .group = "pages",
              .text = "the same in two threads at once",
              .unit = "ns",
              .target = {.value = 2.2, .ratio = 0.28, .peer = "tcmalloc"}})
        .add("tern", [] { return two_threads<CacheSide>(small, 2'000'000); })
        .add_mallocs([] { return two_threads<AlignedSide>(small, 200'000); });
    suite
        .add({.id = "A8",
              .group = "pages",
              .text = "page taken, touched and freed, 4096 at a time",
              .unit = "ns",
              .target = {.value = 7, .ratio = 0.25, .peer = "tcmalloc"}})
        .add("tern", [] { return one_thread<CacheSide>(large, 1'000'000); })
        .add_mallocs([] { return one_thread<AlignedSide>(large, 100'000); });
    suite
        .add({.id = "A8-2",
              .group = "pages",
              .text = "the same in two threads at once",
              .unit = "ns",
              .target = {.value = 7, .ratio = 0.25, .peer = "tcmalloc"}})
        .add("tern", [] { return two_threads<CacheSide>(large, 1'000'000); })
        .add_mallocs([] { return two_threads<AlignedSide>(large, 100'000); });
    suite
        .add({.id = "A17",
              .group = "forks",
              .text = "fork under load, the child allocates; none may hang",
              .unit = "us",
              .rounds = 5})
        .add("tern", forks<CacheSide>)
        .add_mallocs(forks<AlignedSide>);
}

}  // namespace tern::bench
