// Several threads want one lock: what an acquisition costs, and how evenly they get it.

#include "locking/domain.h"
#include "stress/bench/locking_rows.h"
#include "stress/bench/measure.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#ifdef TERN_BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif
#ifdef TERN_BENCH_TBB
#include <tbb/queuing_mutex.h>
#include <tbb/spin_mutex.h>
#endif

namespace tern::bench {
namespace {

struct DomainLock {
    locking::Domain<Depth<0>> domain;

    void lock() { domain.lock_erased(); }

    void unlock() { domain.unlock_erased(); }
};

#ifdef TERN_BENCH_ABSL
struct AbslLock {
    absl::Mutex mutex;

    void lock() { mutex.Lock(); }

    void unlock() { mutex.Unlock(); }
};
#endif

/// Work of about so many nanoseconds.
void work(unsigned ns) {
    std::uint64_t x = ns;
    for (unsigned i = 0; i < ns; ++i) {
        x = x * 3 + 1;
        keep(x);
    }
}

struct Load {
    unsigned threads;
    unsigned inside_ns;
    std::uint64_t each;
};

template <class Lock>
double acquisition_ns(Load load) {
    Lock lock;
    std::atomic<unsigned> ready{0};
    std::atomic<bool> go{false};
    std::uint64_t guarded = 0;
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < load.threads; ++i) {
        threads.emplace_back([&] {
            ready.fetch_add(1);
            go.wait(false);
            for (std::uint64_t n = 0; n < load.each; ++n) {
                lock.lock();
                ++guarded;
                work(load.inside_ns);
                lock.unlock();
                work(load.inside_ns);
            }
        });
    }
    while (ready.load() < load.threads)
        std::this_thread::yield();
    const double took = time_ns([&] {
        go.store(true);
        go.notify_all();
        for (std::thread& thread : threads)
            thread.join();
    });
    keep(guarded);
    return took / static_cast<double>(load.threads * load.each);
}

/// The longest wait of anybody by the mean of those that waited at all.
template <class Lock>
Sample unfairness() {
    constexpr unsigned thread_count = 4;
    constexpr std::uint64_t each = 20'000;
    constexpr double waited_ns_min = 1000;
    Lock lock;
    std::vector<std::vector<double>> waits(thread_count);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < thread_count; ++i) {
        threads.emplace_back([&, i] {
            for (std::uint64_t n = 0; n < each; ++n) {
                const Clock::time_point start = Clock::now();
                lock.lock();
                const double waited = ns_since(start);
                work(500);
                lock.unlock();
                if (waited > waited_ns_min) waits[i].push_back(waited);
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    double sum = 0;
    double longest = 0;
    std::size_t count = 0;
    for (const std::vector<double>& of_one : waits) {
        for (const double wait : of_one) {
            sum += wait;
            longest = std::max(longest, wait);
            ++count;
        }
    }
    return count == 0 ? 1.0 : longest / (sum / static_cast<double>(count));
}

void add_load(Suite& suite, std::string_view id, std::string_view text, Load load) {
    Row& row = suite.add({.id = std::string(id),
                          .group = "contention",
                          .text = std::string(text),
                          .unit = "ns",
                          .target = {.ratio = 1.11, .peer = "std::mutex"}});
    row.add("tern", [load] { return Sample(acquisition_ns<DomainLock>(load)); });
    row.add("std::mutex", [load] { return Sample(acquisition_ns<std::mutex>(load)); });
#ifdef TERN_BENCH_ABSL
    row.add("absl::Mutex", [load] { return Sample(acquisition_ns<AbslLock>(load)); });
#else
    row.leave_out("absl::Mutex", "built without libabsl-dev");
#endif
#ifdef TERN_BENCH_TBB
    row.add("tbb::spin_mutex", [load] { return Sample(acquisition_ns<tbb::spin_mutex>(load)); });
#else
    row.leave_out("tbb::spin_mutex", "built without libtbb-dev");
#endif
}

}  // namespace

void add_contention_rows(Suite& suite) {
    add_load(suite, "L10", "an acquisition, four threads, empty hold", {4, 0, 100'000});
    add_load(suite, "L10b", "an acquisition, two threads, empty hold", {2, 0, 200'000});
    add_load(suite, "L10c", "an acquisition, four threads, hold of about 100 ns", {4, 100, 20'000});
    add_load(suite, "L10d", "an acquisition, four threads, hold of about 1 us", {4, 1000, 4'000});
    Row& fair = suite.add({.id = "L10e",
                           .group = "contention",
                           .text = "longest wait by mean wait, four threads",
                           .unit = "times",
                           .target = {.value = 20}});
    fair.add("tern", unfairness<DomainLock>).add("std::mutex", unfairness<std::mutex>);
#ifdef TERN_BENCH_ABSL
    fair.add("absl::Mutex", unfairness<AbslLock>);
#endif
}

}  // namespace tern::bench
