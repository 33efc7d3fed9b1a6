// Read sections against those of liburcu, and reader/writer locks.

#include "locking/rcu.h"
#include "locking/shared_domain.h"
#include "stress/bench/locking_rows.h"
#include "stress/bench/measure.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

#ifdef TERN_BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif
#ifdef TERN_BENCH_TBB
#include <tbb/spin_rw_mutex.h>
#endif
#ifdef TERN_BENCH_URCU_MEMB
#define _LGPL_SOURCE
#include <urcu/urcu-memb.h>
#endif
#ifdef TERN_BENCH_URCU_QSBR
#include <urcu/urcu-qsbr.h>
#endif

namespace tern::bench {
namespace {

constexpr std::uint64_t sections = 4'000'000;

Sample tern_section() {
    std::uint64_t read = 0;
    return ns_per_operation(sections, [&] {
        const locking::rcu::ReadSection section;
        keep(read);
    });
}

#ifdef TERN_BENCH_URCU_MEMB
Sample memb_section() {
    urcu_memb_register_thread();
    std::uint64_t read = 0;
    const double ns = ns_per_operation(sections, [&] {
        urcu_memb_read_lock();
        keep(read);
        urcu_memb_read_unlock();
    });
    urcu_memb_unregister_thread();
    return ns;
}
#endif

#ifdef TERN_BENCH_URCU_QSBR
Sample qsbr_section() {
    urcu_qsbr_register_thread();
    std::uint64_t read = 0;
    // Its sections are free; the quiet state that must be told now and then is what costs.
    const double ns = ns_per_operation(sections, [&] {
        urcu_qsbr_read_lock();
        keep(read);
        urcu_qsbr_read_unlock();
        urcu_qsbr_quiescent_state();
    });
    urcu_qsbr_unregister_thread();
    return ns;
}
#endif

Sample shared_domain_read() {
    locking::SharedDomain<Depth<0>> domain;
    locking::ThreadEntry entry;
    std::uint64_t read = 0;
    return ns_per_operation(pairs, [&] {
        const locking::ReadGuard<Depth<0>> guard = domain.read(entry);
        keep(read);
    });
}

Sample shared_mutex_read() {
    std::shared_mutex mutex;
    std::uint64_t read = 0;
    return ns_per_operation(pairs, [&] {
        const std::shared_lock guard(mutex);
        keep(read);
    });
}

#ifdef TERN_BENCH_ABSL
Sample absl_read() {
    absl::Mutex mutex;
    std::uint64_t read = 0;
    return ns_per_operation(pairs, [&] {
        const absl::ReaderMutexLock guard(&mutex);
        keep(read);
    });
}
#endif

/// Grace periods while two readers read all the time: median and 99th percentile.
template <class Enter, class Wait>
Sample grace_us(Enter&& reader, Wait&& wait) {
    std::atomic<bool> stop{false};
    std::atomic<int> reading{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] { reader(stop, reading); });
    while (reading.load() < 2)
        std::this_thread::yield();
    std::vector<double> latencies;
    constexpr int grace_periods = 1000;
    for (int i = 0; i < grace_periods; ++i)
        latencies.push_back(time_ns(wait) / 1000);
    stop.store(true);
    for (std::thread& thread : threads)
        thread.join();
    return of_latencies(std::move(latencies));
}

Sample tern_grace() {
    return grace_us(
        [](std::atomic<bool>& stop, std::atomic<int>& reading) {
            reading.fetch_add(1);
            std::uint64_t read = 0;
            while (!stop.load(std::memory_order_relaxed)) {
                const locking::rcu::ReadSection section;
                for (int i = 0; i < 100; ++i)
                    keep(read);
            }
        },
        [] { locking::rcu::synchronize(); });
}

#ifdef TERN_BENCH_URCU_MEMB
Sample memb_grace() {
    return grace_us(
        [](std::atomic<bool>& stop, std::atomic<int>& reading) {
            urcu_memb_register_thread();
            reading.fetch_add(1);
            std::uint64_t read = 0;
            while (!stop.load(std::memory_order_relaxed)) {
                urcu_memb_read_lock();
                for (int i = 0; i < 100; ++i)
                    keep(read);
                urcu_memb_read_unlock();
            }
            urcu_memb_unregister_thread();
        },
        [] { urcu_memb_synchronize_rcu(); });
}
#endif

}  // namespace

void add_reader_rows(Suite& suite) {
    Row& section = suite.add({.id = "L12",
                              .group = "readers",
                              .text = "enter and leave a read section",
                              .unit = "ns",
                              .target = {.value = 1}});
    section.add("tern", tern_section);
    Row grace{.id = "L12b",
              .group = "readers",
              .text = "a grace period while two threads read",
              .unit = "us",
              .target = {.ratio = 1, .peer = "liburcu memb"}};
    grace.add("tern", tern_grace);
#ifdef TERN_BENCH_URCU_MEMB
    section.add("liburcu memb", memb_section);
    grace.add("liburcu memb", memb_grace);
#else
    section.leave_out("liburcu memb", "built without liburcu-dev");
    grace.leave_out("liburcu memb", "built without liburcu-dev");
#endif
#ifdef TERN_BENCH_URCU_QSBR
    section.add("liburcu qsbr", qsbr_section);
#else
    section.leave_out("liburcu qsbr", "built without liburcu-dev");
#endif
    suite.add(std::move(grace));
    Row& shared = suite.add({.id = "L13",
                             .group = "readers",
                             .text = "lock for reading and unlock, nobody writes",
                             .unit = "ns",
                             .target = {.ratio = 1, .peer = "std::shared_mutex"}});
    shared.add("tern", shared_domain_read).add("std::shared_mutex", shared_mutex_read);
#ifdef TERN_BENCH_ABSL
    shared.add("absl::Mutex", absl_read);
#endif
}

}  // namespace tern::bench
