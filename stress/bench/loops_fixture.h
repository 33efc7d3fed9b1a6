#pragma once

/// What the rows of `loops` share: a runtime with one group of threads, run from the measuring
/// thread, and the peers' loops as values that clean up after themselves. Each contestant makes its
/// own and drops it when its call ends. Nothing here measures.

#include "locking/domain.h"
#include "loops/event.h"
#include "loops/loop.h"
#include "loops/runtime.h"
#include "loops/thread_group.h"
#include "loops/timer.h"
#include "stress/bench/measure.h"

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#ifdef TERN_BENCH_LIBUV
#include <uv.h>
#endif
#ifdef TERN_BENCH_LIBEVENT
#include <event2/event.h>
#include <event2/thread.h>
#endif

namespace tern::bench {

class Suite;

// The rows by what they are about; loops_bench.cc calls them all.
void add_posting_rows(Suite& suite);
void add_event_rows(Suite& suite);
void add_timer_rows(Suite& suite);
void add_scale_rows(Suite& suite);
void add_fairness_rows(Suite& suite);
void add_socket_rows(Suite& suite);

struct Main {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "main";
};

struct Side {
    static constexpr locking::LockRank rank = 200;
    static constexpr std::string_view name = "side";
};

/// A loop with the domain it needs.
struct OwnLoop {
    OwnLoop(loops::ThreadGroup& group, std::string_view name)
        : domain(name), loop(group, domain, name) {}

    locking::Domain<Side> domain;
    loops::Loop loop;
};

/// Calls a lambda in a loop.
struct Job {
    explicit Job(std::function<void(loops::Turn&)> body_) : body(std::move(body_)) {}

    static void call(void* self, loops::Turn& turn) { static_cast<Job*>(self)->body(turn); }

    std::function<void(loops::Turn&)> body;
    loops::Event event{call, this};
};

struct Machine {
    explicit Machine(const loops::GroupOptions& options)
        : runtime(loops::RuntimeOptions{.main_domain = &domain}),
          group(runtime.add_group(options)) {}

    /// Runs `body` in the main loop, and everything else until runtime.quit().
    void run(std::function<void(loops::Turn&)> body) {
        Job first(std::move(body));
        first.event.send(runtime.main_loop());
        runtime.run();
    }

    locking::Domain<Main> domain;
    loops::Runtime runtime;
    loops::ThreadGroup& group;
};

/// Where the two sides of a row run. Threads of one core wake each other in a tenth of the time
/// that it takes between two, and the kernel puts them either way; a row that means one of both
/// says so.
enum class Cores : unsigned char { any, one, two };

/// The placement of one call: both sides take theirs, and the measuring thread is freed at the end.
class Placement {
  public:
    explicit Placement(Cores cores) : cores_(cores) {}

    ~Placement() { unpin(); }

    Placement(const Placement&) = delete;
    Placement& operator=(const Placement&) = delete;

    /// For the calling thread, which is `side` 0 or 1.
    void take(unsigned side) const {
        if (cores_ != Cores::any) pin_to_core(cores_ == Cores::one ? 0 : side);
    }

  private:
    const Cores cores_;
};

inline loops::GroupOptions workers(unsigned threads) {
    loops::GroupOptions options;
    options.threads = threads;
    return options;
}

}  // namespace tern::bench
