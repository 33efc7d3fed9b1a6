#include "loops/sim_runtime.h"

#include "locking/rcu.h"
#include "loops/group_state.h"

#include <algorithm>
#include <vector>

namespace tern::loops {

namespace {

// A run ends after that many handlers at most, so that loops interleave although time stands still.
constexpr std::uint64_t checks_max = 32;
constexpr Duration virtual_slice = Duration::from_seconds(1);

RuntimeOptions options(locking::DomainBase& domain,
                       const Clock& clock,
                       PollerFactory& pollers,
                       std::uint64_t seed) {
    RuntimeOptions result;
    result.main_domain = &domain;
    result.clock = &clock;
    result.pollers = &pollers;
    result.seed = seed;
    result.threads = false;
    return result;
}

}  // namespace

SimRuntime::SimRuntime(locking::DomainBase& main_domain, std::uint64_t seed)
    : runtime_(options(main_domain, clock_, descriptors_, seed)), random_(seed) {
    runtime_.start();
    // Between steps nothing runs, so loops may be destroyed without a stop.
    runtime_.state_->running.store(false);
}

SimRuntime::~SimRuntime() = default;

std::uint64_t SimRuntime::random(std::uint64_t below) {
    random_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = random_;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) % below;
}

/// What threads would notice by themselves: due timers, ready descriptors, demands.
void SimRuntime::collect() {
    const Instant now = clock_.now();
    std::vector<Worker*> leaving;
    for (const auto& group : runtime_.state_->groups) {
        group->start();
        group->for_all([&](Worker& worker) {
            if (worker.demanded(Worker::hooks)) worker.run_hooks();
            worker.fire(now);
            worker.look_at_poller();
            if (worker.demanded(Worker::leave)) leaving.push_back(&worker);
        });
    }
    for (Worker* worker : leaving) {
        worker->hand_over();
        runtime_.state_->worker_ended(*worker);
        worker->rest();
    }
    if (locking::rcu::reclaim_due()) locking::rcu::reclaim(SIZE_MAX);
    const RuntimeState& state = *runtime_.state_;
    if (state.maintenance != nullptr) state.maintenance(state.maintenance_context);
}

bool SimRuntime::step() {
    collect();
    std::vector<LoopCell*> ready;
    for (const auto& group : runtime_.state_->groups) {
        while (LoopCell* cell = group->pick())
            ready.push_back(cell);
        group->for_all([&](Worker& worker) {
            while (LoopCell* cell = worker.pop())
                ready.push_back(cell);
        });
    }
    if (ready.empty()) return false;
    const std::size_t choice = random(ready.size());
    LoopCell& cell = *ready[choice];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(choice));
    for (LoopCell* other : ready)
        other->group.load()->inject(*other);

    std::vector<Worker*> workers;
    GroupState& group = *cell.group.load();
    group.for_members([&](Worker& worker) { workers.push_back(&worker); });
    Worker& worker = *workers[random(workers.size())];
    const auto checks = static_cast<std::uint32_t>(1 + random(checks_max));
    ++steps_;
    runtime_.state_->running.store(true);
    worker.set_now(clock_.now());
    worker.run_cell(cell, virtual_slice, checks);
    runtime_.state_->running.store(false);
    return true;
}

bool SimRuntime::settle(std::uint64_t steps) {
    while (steps-- > 0) {
        if (!step()) return true;
    }
    return false;
}

Instant SimRuntime::next_timer() const {
    Instant next = Instant::never();
    for (const auto& group : runtime_.state_->groups) {
        group->for_all([&](Worker& worker) { next = std::min(next, worker.earliest()); });
    }
    return next;
}

void SimRuntime::run_until(Instant when) {
    for (;;) {
        settle();
        const Instant next = next_timer();
        if (next > when) break;
        clock_.advance_to(next);
    }
    clock_.advance_to(when);
    settle();
}

bool SimRuntime::run_while_not(const std::function<bool()>& condition, Duration limit) {
    const Instant end = clock_.now() + limit;
    for (;;) {
        if (condition()) return true;
        if (step()) continue;
        const Instant next = next_timer();
        if (next > end) {
            clock_.advance_to(end);
            return condition();
        }
        clock_.advance_to(next);
    }
}

}  // namespace tern::loops
