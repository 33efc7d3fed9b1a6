#include "router/daemon/thread_watch.h"

#include "loops/loop.h"

#include <cstdlib>

namespace tern::daemon {

namespace {

double seconds(loops::Duration span) {
    return static_cast<double>(span.microseconds()) / 1e6;
}

}  // namespace

ThreadWatch::ThreadWatch(loops::Runtime& runtime, Logger& log) : runtime_(runtime), log_(log) {
    runtime_.set_slow_report(loops::Duration::infinite(), on_slow, this);
}

ThreadWatch::~ThreadWatch() {
    if (!watchdog_) return;
    const locking::TransitLock lock(domain_);
    watchdog_.reset();
}

void ThreadWatch::configure(const config::WatchdogConfig& config) {
    runtime_.set_slow_limit(config.warning.is_zero() ? loops::Duration::infinite()
                                                     : config.warning);
    if (!watchdog_) {
        if (config.timeout.is_zero()) return;
        loops::ThreadGroup& group =
            runtime_.add_group({.name = "watchdog", .kind = loops::GroupKind::latency});
        loop_.emplace(group, domain_, "watchdog");
        const locking::TransitLock lock(domain_);
        watchdog_.emplace(*loop_, on_stuck, this);
    }
    const locking::TransitLock lock(domain_);
    watchdog_->set_limit(config.timeout);
}

/// On the slow thread, with nothing held.
void ThreadWatch::on_slow(void* context, const loops::SlowRun& run) {
    auto& self = *static_cast<ThreadWatch*>(context);
    self.log_.log_limited(self.limit_, Severity::warning, {},
                          "Loop {} of thread group {} took {:.3f} s in one turn", run.loop,
                          run.group, seconds(run.took));
}

void ThreadWatch::on_stuck(void* context, const loops::ThreadReport& thread) {
    auto& self = *static_cast<ThreadWatch*>(context);
    self.log_.log(Severity::fatal, {},
                  "Thread {} of group {} has not come back for {:.3f} s, aborting", thread.index,
                  thread.group, seconds(thread.running_since));
    std::abort();
}

}  // namespace tern::daemon
