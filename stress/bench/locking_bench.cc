// Rows L1 to L12: lock domains, their checks, and RCU, against the mutexes people know.

#include "locking/domain.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <mutex>

#include <pthread.h>

#ifdef TERN_BENCH_ABSL
#include <absl/synchronization/mutex.h>
#endif

namespace tern::bench {
namespace {

constexpr std::uint64_t pairs = 2'000'000;

struct Outer {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "outer";
};

Sample domain_pair() {
    locking::Domain<Outer> domain;
    locking::ThreadEntry entry;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        const locking::Guard<Outer> guard = domain.lock(entry);
        keep(guarded);
    });
}

Sample std_mutex_pair() {
    std::mutex mutex;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        const std::lock_guard guard(mutex);
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

#ifdef TERN_BENCH_ABSL
Sample absl_pair() {
    absl::Mutex mutex;
    std::uint64_t guarded = 0;
    return ns_per_operation(pairs, [&] {
        const absl::MutexLock guard(&mutex);
        keep(guarded);
    });
}
#endif

void add_mutex_rows(Suite& suite) {
    Row& pair = suite.add({.id = "L1",
                           .group = "mutexes",
                           .text = "lock and unlock, order checked, nobody else wants it",
                           .unit = "ns",
                           .target = {.value = 4.8, .ratio = 0.83, .peer = "pthread_mutex"}});
    pair.add("tern", domain_pair).add("pthread_mutex", pthread_pair);
    pair.add("std::mutex", std_mutex_pair);
#ifdef TERN_BENCH_ABSL
    pair.add("absl::Mutex", absl_pair);
#else
    pair.leave_out("absl::Mutex", "built without libabsl-dev");
#endif
}

}  // namespace
}  // namespace tern::bench

int main(int argc, char** argv) {
    tern::bench::Suite suite("locking");
    tern::bench::add_mutex_rows(suite);
    return suite.main(argc, argv);
}
