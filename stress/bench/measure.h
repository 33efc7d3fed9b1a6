#pragma once

/// What contestants measure with: a clock around many operations, a barrier for the optimiser, and
/// percentiles of single operations. Owned by nobody, callable from any thread. Nothing here
/// repeats a workload or judges a figure: rounds are the suite's, verdicts the result's.

#include "stress/bench/row.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace tern::bench {

using Clock = std::chrono::steady_clock;

inline double ns_since(Clock::time_point start) {
    return std::chrono::duration<double, std::nano>(Clock::now() - start).count();
}

/// Wall nanoseconds of `body()`, whatever threads take part.
template <class F>
double time_ns(F&& body) {
    const Clock::time_point start = Clock::now();
    body();
    return ns_since(start);
}

/// CPU time of the calling thread so far, in nanoseconds; does not run while others have the core.
double thread_ns();

/// CPU nanoseconds of this thread for one `body()` out of `operations`. For work of one thread that
/// never waits: on a busy machine it is the figure that wall time would give on an idle one.
template <class F>
double ns_per_operation(std::uint64_t operations, F&& body) {
    const double start = thread_ns();
    for (std::uint64_t i = 0; i < operations; ++i)
        body();
    return (thread_ns() - start) / static_cast<double>(operations);
}

/// The optimiser must have `value` in memory or a register here, and must assume it changed.
template <class T>
inline void keep(T& value) {
    asm volatile("" : "+m"(value) : : "memory");
}

/// Median and 99th percentile; takes the list, which must not be empty.
Sample of_latencies(std::vector<double> latencies);

/// Puts the calling thread on that core, modulo those there are; undone by unpin().
void pin_to_core(unsigned core);
void unpin();

/// User and system time of this process and its finished children, in seconds.
double cpu_seconds();

/// What threads have cost so far.
struct ThreadCosts {
    double cpu_ns = 0;
    double wake_ups = 0;  ///< times they gave the processor up to wait for something
};

/// Of all threads of this process but the calling one, as the kernel counts it.
ThreadCosts costs_of_other_threads();

/// A thread that sleeps as long as this lives. With it a program is threaded, as the daemons are
/// that the libraries are made for: the C library's mutexes and malloc leave their atomics out
/// while there is only one thread.
class Company {
  public:
    Company();
    ~Company();

    Company(const Company&) = delete;
    Company& operator=(const Company&) = delete;

  private:
    std::mutex mutex_;
    std::condition_variable leave_;
    bool leaving_ = false;
    std::thread thread_;
};

/// Resident memory of this process in MiB.
double resident_mib();

}  // namespace tern::bench
