#pragma once
/// `watchdog warning` and `watchdog timeout`: notices handlers that keep a thread for too long. A
/// run that ended is logged with the name of its loop; a run that does not end stops the process,
/// as only a restart can help then. Owned by the daemon; the thread that watches the others exists
/// only while there is a timeout. It never touches a loop itself.

#include "locking/domain.h"
#include "loops/runtime.h"
#include "loops/watchdog.h"
#include "router/base/lock_order.h"
#include "router/base/log.h"
#include "router/config/config.h"

#include <optional>

namespace tern::daemon {

class ThreadWatch {
  public:
    /// Before the runtime starts.
    ThreadWatch(loops::Runtime& runtime, Logger& log);
    ThreadWatch(const ThreadWatch&) = delete;
    ThreadWatch& operator=(const ThreadWatch&) = delete;
    ~ThreadWatch();

    /// Main loop held.
    void configure(const config::WatchdogConfig& config);

  private:
    static void on_slow(void* watch, const loops::SlowRun& run);
    static void on_stuck(void* watch, const loops::ThreadReport& thread);

    loops::Runtime& runtime_;
    Logger& log_;
    LogLimit limit_{10, 50};
    locking::Domain<level::Service> domain_{"watchdog"};
    std::optional<loops::Loop> loop_;
    std::optional<loops::Watchdog> watchdog_;
};

}  // namespace tern::daemon
