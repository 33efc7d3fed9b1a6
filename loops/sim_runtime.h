#pragma once

/// Runs all loops of a Runtime on the calling thread, in an order drawn from a seed, on virtual
/// time. The same seed gives the same run, so every interleaving found bad can be replayed. Loops,
/// events, timers and watchers are the real ones; only clock, poller and the choice of the next
/// loop differ. Owned by a test or a simulation; one thread.

#include "loops/runtime.h"
#include "loops/sim_clock.h"
#include "loops/sim_poller.h"

#include <cstdint>
#include <functional>

namespace tern::loops {

/// Owns its runtime, clock and descriptors; the domain of the main loop is borrowed. One thread.
class SimRuntime {
  public:
    SimRuntime(locking::DomainBase& main_domain, std::uint64_t seed);
    ~SimRuntime();

    SimRuntime(const SimRuntime&) = delete;
    SimRuntime& operator=(const SimRuntime&) = delete;

    Runtime& runtime() { return runtime_; }

    SimClock& clock() { return clock_; }

    SimDescriptors& descriptors() { return descriptors_; }

    /// Runs one loop that has something to do now; false if none has.
    bool step();
    /// Runs whatever can run without time passing; false if still busy after `steps`.
    bool settle(std::uint64_t steps = 1'000'000);
    /// Lets time pass until `when` (or for `span`), stopping at each timer on the way.
    void run_until(Instant when);

    void run_for(Duration span) { run_until(clock_.now() + span); }

    /// Lets time pass until the condition holds, at most `limit`; returns whether it holds.
    bool run_while_not(const std::function<bool()>& condition, Duration limit);
    /// The next moment at which a timer makes something run.
    Instant next_timer() const;

    std::uint64_t steps() const { return steps_; }

  private:
    void collect();
    std::uint64_t random(std::uint64_t below);

    SimClock clock_;
    SimDescriptors descriptors_;
    Runtime runtime_;
    std::uint64_t random_;
    std::uint64_t steps_ = 0;
};

}  // namespace tern::loops
