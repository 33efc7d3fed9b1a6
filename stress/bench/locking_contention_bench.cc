// Several threads want one lock: what an acquisition costs, and how evenly they get it.

#include "locking/domain.h"
#include "stress/bench/locking_rows.h"
#include "stress/bench/measure.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>
#include <utility>
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
};

/// Threads that want one lock all the time, for as long as that many milliseconds: with a number of
/// acquisitions for each, the first would be through before the last has begun.
template <class Each>
double crowd_ns(unsigned thread_count, unsigned window_ms, Each&& each) {
    std::atomic<unsigned> ready{0};
    std::atomic<bool> go{false};
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < thread_count; ++i) {
        threads.emplace_back([&, i] {
            ready.fetch_add(1);
            go.wait(false);
            while (!stop.load(std::memory_order_relaxed))
                each(i);
        });
    }
    while (ready.load() < thread_count)
        std::this_thread::yield();
    return time_ns([&] {
        go.store(true);
        go.notify_all();
        std::this_thread::sleep_for(std::chrono::milliseconds(window_ms));
        stop.store(true);
        for (std::thread& thread : threads)
            thread.join();
    });
}

template <class Lock>
double acquisition_ns(Load load) {
    Lock lock;
    std::uint64_t guarded = 0;
    const double took = crowd_ns(load.threads, 30, [&](unsigned) {
        lock.lock();
        ++guarded;
        work(load.inside_ns);
        lock.unlock();
        work(load.inside_ns);
    });
    return took / static_cast<double>(guarded);
}

/// The waits of four threads of which one holds the lock for half a microsecond at nearly any time.
struct Waits {
    double longest_ns = 0;
    double sum_ns = 0;
    std::size_t count = 0;

    void add(double waited_ns) {
        constexpr double waited_ns_min = 1000;  // less is the way in
        if (waited_ns < waited_ns_min) return;
        longest_ns = std::max(longest_ns, waited_ns);
        sum_ns += waited_ns;
        ++count;
    }
};

template <class Lock>
Waits waits_of_four() {
    constexpr unsigned thread_count = 4;
    Lock lock;

    struct alignas(64) OfOne {
        Waits waits;
    };

    std::vector<OfOne> threads(thread_count);
    crowd_ns(thread_count, 100, [&](unsigned i) {
        const Clock::time_point start = Clock::now();
        lock.lock();
        const double waited = ns_since(start);
        work(500);
        lock.unlock();
        threads[i].waits.add(waited);
    });
    Waits all;
    for (const OfOne& one : threads) {
        all.longest_ns = std::max(all.longest_ns, one.waits.longest_ns);
        all.sum_ns += one.waits.sum_ns;
        all.count += one.waits.count;
    }
    return all;
}

template <class Lock>
Sample unfairness() {
    const Waits waits = waits_of_four<Lock>();
    return waits.count == 0 ? 1.0
                            : waits.longest_ns * static_cast<double>(waits.count) / waits.sum_ns;
}

template <class Lock>
Sample longest_wait_ms() {
    return waits_of_four<Lock>().longest_ns / 1e6;
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
    add_load(suite, "L10", "an acquisition, four threads, empty hold", {4, 0});
    add_load(suite, "L10b", "an acquisition, two threads, empty hold", {2, 0});
    add_load(suite, "L10c", "an acquisition, four threads, hold of about 100 ns", {4, 100});
    add_load(suite, "L10d", "an acquisition, four threads, hold of about 1 us", {4, 1000});
    Row fair{.id = "L10e",
             .group = "contention",
             .text = "longest wait by mean wait, four threads",
             .unit = "times",
             .target = {.value = 20}};
    fair.add("tern", unfairness<DomainLock>).add("std::mutex", unfairness<std::mutex>);
    Row longest{.id = "L10f",
                .group = "contention",
                .text = "longest wait in 100 ms, four threads",
                .unit = "ms",
                .target = {.ratio = 1, .peer = "std::mutex"}};
    longest.add("tern", longest_wait_ms<DomainLock>).add("std::mutex", longest_wait_ms<std::mutex>);
#ifdef TERN_BENCH_ABSL
    fair.add("absl::Mutex", unfairness<AbslLock>);
    longest.add("absl::Mutex", longest_wait_ms<AbslLock>);
#endif
    suite.add(std::move(fair));
    suite.add(std::move(longest));
}

}  // namespace tern::bench
