// One thread and locks that nobody else wants.

#include "locking/domain.h"
#include "locking/futex_mutex.h"
#include "locking/lock_timings.h"
#include "stress/bench/locking_rows.h"
#include "stress/bench/measure.h"

#include <mutex>
#include <thread>

#include <pthread.h>

#ifdef TERN_BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif
#ifdef TERN_BENCH_TBB
#include <tbb/spin_mutex.h>
#endif

namespace tern::bench {
namespace {

using locking::Domain;
using locking::Guard;
using locking::ThreadEntry;

/// Takes and leaves a lock of the standard's kind.
template <class Mutex>
Sample standard_pair() {
    Mutex mutex;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        mutex.lock();
        keep(guarded);
        mutex.unlock();
    });
}

Sample domain_pair() {
    Domain<Depth<0>> domain;
    ThreadEntry entry;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        const Guard<Depth<0>> guard = domain.lock(entry);
        keep(guarded);
    });
}

Sample domain_pair_dynamic() {
    Domain<Depth<0>> domain;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        const Guard<Depth<0>> guard = domain.lock_dynamic();
        keep(guarded);
    });
}

Sample pthread_pair() {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        pthread_mutex_lock(&mutex);
        keep(guarded);
        pthread_mutex_unlock(&mutex);
    });
}

Sample checking_pthread_pair() {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_t mutex;
    pthread_mutex_init(&mutex, &kind);
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        pthread_mutex_lock(&mutex);
        keep(guarded);
        pthread_mutex_unlock(&mutex);
    });
}

Sample domain_nest() {
    Domain<Depth<0>> a;
    Domain<Depth<1>> b;
    Domain<Depth<2>> c;
    Domain<Depth<3>> d;
    ThreadEntry entry;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs / 4, [&] {
        Guard<Depth<0>> first = a.lock(entry);
        Guard<Depth<1>> second = b.lock(first);
        Guard<Depth<2>> third = c.lock(second);
        const Guard<Depth<3>> fourth = d.lock(third);
        keep(guarded);
    });
}

template <class Mutex>
Sample standard_nest() {
    Mutex mutexes[4];
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs / 4, [&] {
        const std::lock_guard first(mutexes[0]);
        const std::lock_guard second(mutexes[1]);
        const std::lock_guard third(mutexes[2]);
        const std::lock_guard fourth(mutexes[3]);
        keep(guarded);
    });
}

/// A check takes less than a turn of a loop, so a turn has several of them.
template <class Check>
double ns_per_check(Check&& check) {
    constexpr std::uint64_t in_a_turn = 8;
    return ns_per_operation(pairs,
                            [&] {
#pragma GCC unroll 8
                                for (std::uint64_t i = 0; i < in_a_turn; ++i)
                                    check();
                            }) /
           in_a_turn;
}

Sample domain_assert_held() {
    Domain<Depth<0>> domain;
    const Guard<Depth<0>> guard = domain.lock_dynamic();
    std::uint64_t guarded = 0;
    return ns_per_check([&] {
        domain.assert_held();
        keep(guarded);
    });
}

/// What people write beside a std::mutex.
Sample owner_compared() {
    std::thread::id owner = std::this_thread::get_id();
    std::uint64_t guarded = 0;
    return ns_per_check([&] {
        keep(owner);
        if (owner != std::this_thread::get_id()) std::abort();
        keep(guarded);
    });
}

Sample domain_siblings() {
    Domain<Depth<0>> a;
    Domain<Depth<0>> b;
    ThreadEntry entry;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs / 2, [&] {
        const locking::PairLock<Depth<0>> pair(entry, b, a);
        keep(guarded);
    });
}

Sample scoped_lock_pair() {
    std::mutex a;
    std::mutex b;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs / 2, [&] {
        const std::scoped_lock pair(b, a);
        keep(guarded);
    });
}

Sample domain_try() {
    Domain<Depth<0>> domain;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        const locking::TryGuard<Depth<0>> guard = domain.try_lock();
        keep(guarded);
    });
}

Sample pthread_try() {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        if (pthread_mutex_trylock(&mutex) != 0) return;
        keep(guarded);
        pthread_mutex_unlock(&mutex);
    });
}

/// What measuring adds to a pair: batches with and without it take turns.
Sample sampled_timings() {
    Domain<Depth<0>> plain;
    Domain<Depth<0>> measured;
    locking::LockTimings timings;
    {
        const Guard<Depth<0>> guard = measured.lock_dynamic();
        measured.measure(&timings);
    }
    std::uint64_t guarded = 0;
    double added = 0;
    constexpr int batches = 50;
    for (int i = 0; i < batches; ++i) {
        for (Domain<Depth<0>>* domain : {&plain, &measured}) {
            const double took = ns_per_operation(pairs / batches, [&] {
                const Guard<Depth<0>> guard = domain->lock_dynamic();
                keep(guarded);
            });
            added += domain == &measured ? took : -took;
        }
    }
    return added / batches;
}

/// The same for a clock read at each end of each hold.
Sample timed_always() {
    Domain<Depth<0>> plain;
    std::uint64_t guarded = 0;
    double added = 0;
    constexpr int batches = 50;
    for (int i = 0; i < batches; ++i) {
        added -= ns_per_operation(pairs / batches, [&] {
            const Guard<Depth<0>> guard = plain.lock_dynamic();
            keep(guarded);
        });
        added += ns_per_operation(pairs / batches, [&] {
            const Guard<Depth<0>> guard = plain.lock_dynamic();
            std::uint64_t held = locking::ticks_now();
            keep(guarded);
            held = locking::ticks_now() - held;
            keep(held);
        });
    }
    return added / batches;
}

void add_pair_rows(Suite& suite) {
    Row& pair = suite.add({.id = "L1",
                           .group = "mutexes",
                           .text = "lock and unlock, order checked, nobody else wants it",
                           .unit = "ns",
                           .target = {.value = 4.8, .ratio = 0.83, .peer = "pthread_mutex"}});
    pair.add("tern", domain_pair).add("pthread_mutex", pthread_pair);
    pair.add("std::mutex", standard_pair<std::mutex>);
    pair.add("pthread, checking", checking_pthread_pair);
#ifdef TERN_BENCH_ABSL
    pair.add("absl::Mutex", [] {
        absl::Mutex mutex;
        std::uint64_t guarded = 0;
        return Sample(ns_per_operation(pairs, [&] {
            const absl::MutexLock guard(&mutex);
            keep(guarded);
        }));
    });
#else
    pair.leave_out("absl::Mutex", "built without libabsl-dev");
#endif
#ifdef TERN_BENCH_TBB
    pair.add("tbb::spin_mutex", standard_pair<tbb::spin_mutex>);
#else
    pair.leave_out("tbb::spin_mutex", "built without libtbb-dev");
#endif
    Row& nest = suite.add({.id = "L2",
                           .group = "mutexes",
                           .text = "four nested locks",
                           .unit = "ns",
                           .target = {.value = 18, .ratio = 0.82, .peer = "std::mutex"}});
    nest.add("tern", domain_nest).add("std::mutex", standard_nest<std::mutex>);
#ifdef TERN_BENCH_TBB
    nest.add("tbb::spin_mutex", standard_nest<tbb::spin_mutex>);
#endif
}

}  // namespace

void add_mutex_rows(Suite& suite) {
    add_pair_rows(suite);
    suite
        .add({.id = "L3",
              .group = "checks",
              .text = "is the domain held by this thread",
              .unit = "ns",
              .target = {.value = 0.5}})
        .add("tern", domain_assert_held)
        .add("thread::id compared", owner_compared);
    suite
        .add({.id = "L4",
              .group = "checks",
              .text = "lock and unlock with the order known to the compiler",
              .unit = "ns",
              .target = {.ratio = 1.02, .peer = "tern, order checked late"}})
        .add("tern", domain_pair)
        .add("tern, order checked late", domain_pair_dynamic)
        .add("tern's bare mutex, no checks", standard_pair<locking::FutexMutex>);
    suite
        .add({.id = "L6",
              .group = "mutexes",
              .text = "two locks of one level, in whatever order they are named",
              .unit = "ns",
              .target = {.ratio = 1, .peer = "std::scoped_lock"}})
        .add("tern", domain_siblings)
        .add("std::scoped_lock", scoped_lock_pair);
    suite
        .add({.id = "L7",
              .group = "mutexes",
              .text = "try to lock, and unlock",
              .unit = "ns",
              .target = {.ratio = 1, .peer = "pthread_mutex"}})
        .add("tern", domain_try)
        .add("pthread_mutex", pthread_try);
    suite
        .add({.id = "L9",
              .group = "checks",
              .text = "what histograms of holds and waits add to a pair",
              .unit = "ns",
              .target = {.value = 0.4}})
        .add("tern", sampled_timings)
        .add("tern, every hold timed", timed_always);
}

}  // namespace tern::bench
