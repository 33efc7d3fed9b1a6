// How a worker waits for work: it looks around for a while, then it sleeps until it is woken or a
// timer is nearly due.
#include "locking/backoff.h"
#include "loops/group_state.h"
#include "loops/worker.h"

#include <algorithm>
#include <utility>

#include <sched.h>
#include <sys/resource.h>

namespace tern::loops {

namespace {

// A thread waits that long before it gives its caches back and goes to sleep for good.
constexpr Duration trim_delay = Duration::from_seconds(1);
// While spinning, the kernel is asked once per so many looks at memory.
constexpr unsigned looks_between_polls = 64;
// After so many waits without spinning it is tried again.
constexpr unsigned hand_overs_max = 64;
// A gap that long between two looks means that somebody else had the processor, and one that long
// that he needs it.
constexpr Duration yielded = Duration::from_microseconds(2);
constexpr Duration preempted = Duration::from_microseconds(20);
// RCU callbacks that still wait for readers are looked after that often by the main thread.
constexpr Duration reclaim_interval = Duration::from_milliseconds(10);

}  // namespace

Duration Worker::wait_time(Instant now) {
    if (backlog() != 0 || demands_.load(std::memory_order_relaxed) != 0) return Duration();
    if (group_.injected() != 0 && may_take(now)) return Duration();
    const Duration max_sleep = group_.limits().max_sleep;
    if (earliest().is_never()) return max_sleep;
    return std::clamp(earliest() - now, Duration(), max_sleep);
}

bool Worker::has_work() const noexcept {
    return backlog() != 0 || demands_.load(std::memory_order_seq_cst) != 0 ||
           group_.injected() != 0;
}

Worker::Nap Worker::nap(Duration timeout) {
    sleeping_.store(true, std::memory_order_seq_cst);
    group_.sleepers.fetch_add(1, std::memory_order_seq_cst);
    // Whoever queued something before it could see the flag is seen here.
    const std::size_t reports = poller_->wait(reports_, has_work() ? Duration() : timeout);
    group_.sleepers.fetch_sub(1, std::memory_order_seq_cst);
    return {reports, !sleeping_.exchange(false, std::memory_order_seq_cst)};
}

/// There has been no work since `since`. `timeout` counts from pace_.now(), which is the time of
/// waking when it returns.
void Worker::sleep(Duration timeout, Instant since) {
    const bool trims = !trimmed_ && runtime_.state_->trim.function != nullptr;
    if (trims) timeout = std::min(timeout, trim_delay);
    if (this == runtime_.state_->main_worker && reclaimed_) {
        timeout = std::min(timeout, reclaim_interval);
    }
    const Duration lead = wake_lead_.lead();
    const Instant begin = pace_.now();
    const Instant asleep_at = pace_.refresh();
    if (!timeout.is_infinite()) {
        timeout = std::max(timeout - (asleep_at - begin), Duration());
        // The rest is spun away.
        if (spin_limit_ > Duration() && timeout > lead) timeout = timeout - lead;
    }
    times_.asleep_until.store((asleep_at + timeout).microseconds(), std::memory_order_relaxed);
    times_.asleep_at.store(asleep_at.microseconds(), std::memory_order_relaxed);
    const Nap slept = nap(timeout);
    const Instant awake_at = pace_.refresh();
    if (slept.reports == 0 && !slept.roused && awake_at > asleep_at + timeout &&
        timeout > Duration()) {
        wake_lead_.learn(awake_at - (asleep_at + timeout));
    }
    last_wait_ = awake_at - since;
    times_.asleep_at.store(0, std::memory_order_relaxed);
    times_.idle.fetch_add((awake_at - asleep_at).microseconds(), std::memory_order_relaxed);
    // Only now: what it queues for itself while it counts as asleep would make it kick itself.
    deliver(slept.reports);
    if (trims && awake_at - asleep_at >= trim_delay && backlog() == 0) {
        const ThreadHook trim = runtime_.state_->trim;
        trim.function(trim.context);
        trimmed_ = true;
    }
}

/// Looks for work for some microseconds, because to sleep and be woken costs as much. True if there
/// is some. Sets pace_.now() if it looked.
bool Worker::spin(Duration timeout, Instant since) {
    if (spin_limit_ <= Duration()) return false;
    const bool nearly_due = timeout <= wake_lead_.lead();  // too little time to sleep
    const Duration limit = nearly_due ? timeout : std::min(timeout, spin_limit_);
    // It would have been in vain the last time, although to be woken took a part of that wait.
    if (!nearly_due && last_wait_ > limit * 2) return false;
    // If descriptors of ours become ready by whoever shares this processor, to sleep hands it over
    // with one call of the kernel, to yield and look takes two.
    if (hand_overs_ > 0 && !nearly_due) {
        --hand_overs_;
        return false;
    }
    const Instant start = pace_.refresh();
    if (!spin_budget_.allows(start)) return false;
    Instant now = start;
    for (bool look = !yields_first_; now - start < limit; look = true) {
        if (look && look_around()) {
            yields_first_ = false;
            last_wait_ = pace_.refresh() - since;
            return true;
        }
        const Instant before = now;
        if (nearly_due) {  // a processor given up now may come back too late
            now = pace_.refresh();
            continue;
        }
        // Whoever we keep from this processor may be the one we wait for.
        ::sched_yield();
        now = pace_.refresh();
        if (now - before > preempted) {
            spin_budget_.preempted(now, now - before);
            return false;
        }
        const bool shared = now - before > yielded;
        const bool reported = shared && look_at_poller();  // he may have sent us something
        if (has_work()) {
            yields_first_ = shared;
            if (reported && was_switched()) hand_overs_ = hand_overs_max;
            last_wait_ = now - since;
            return true;
        }
    }
    spin_budget_.spent(now - start);
    return false;
}

/// Whether the kernel has given our processor to another thread since the last call.
bool Worker::was_switched() {
    rusage usage{};
    ::getrusage(RUSAGE_THREAD, &usage);
    return std::exchange(switches_, usage.ru_nivcsw) != usage.ru_nivcsw;
}

/// At the descriptors once and at memory for a while.
bool Worker::look_around() {
    look_at_poller();
    for (unsigned i = 0; i < looks_between_polls; ++i) {
        if (has_work()) return true;
        locking::cpu_pause();
    }
    return false;
}

}  // namespace tern::loops
