#pragma once

/// The threads of one process and the main loop, which is pinned to the thread that calls run().
/// One per program (tests make many); it must outlive its loops. Threads are spawned by start() or
/// run(), after groups were added, and joined when run() returns. It drives the maintenance of the
/// libraries below (RCU callbacks, per-thread caches). It never runs user code with a lock of its
/// own.

#include "locking/domain.h"
#include "loops/event.h"
#include "loops/loop.h"
#include "loops/poller.h"
#include "loops/thread_group.h"
#include "loops/time.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tern::loops {

class GroupState;
class RuntimeState;

/// What a runtime is made of. All that is pointed to is borrowed and outlives it.
struct RuntimeOptions {
    /// Domain of the main loop; required, outlives the runtime.
    locking::DomainBase* main_domain = nullptr;
    std::string_view main_name = "main";
    const Clock* clock = nullptr;      ///< nullptr: the machine's
    PollerFactory* pollers = nullptr;  ///< nullptr: the system's
    std::uint64_t seed = 0x7465726e;   ///< for jitter; simulation seeds its choices with it too
    bool threads = true;               ///< false: SimRuntime steps it, nothing is spawned
};

/// Something for each thread to do once, between its loops. The function gets no domain.
struct ThreadHook {
    void (*function)(void* context) = nullptr;
    void* context = nullptr;
};

/// A loop and the time its handlers took so far.
struct LoopReport {
    std::string name;
    Duration used;
};

/// One thread at one moment, one line of "show threads". `working`, `overhead` and `idle` are sums
/// since it started.
struct ThreadReport {
    std::string group;
    unsigned index = 0;  ///< in its group
    std::int64_t system_id = 0;
    bool busy = false;
    Duration working;        ///< in handlers
    Duration overhead;       ///< the toolkit's own
    Duration idle;           ///< waiting in the kernel
    Duration running_since;  ///< how long the present handler run takes; zero between runs
    std::vector<LoopReport> loops;
};

/// A group of threads at one moment.
struct GroupReport {
    std::string name;
    GroupKind kind = GroupKind::worker;
    unsigned threads = 0;
    GroupLimits limits;
    std::uint32_t waiting = 0;  ///< loops that no thread has picked up yet
    Duration waiting_for;       ///< how long the first of them already
};

/// A loop held its thread for longer than the limit. Called on that thread, no domain held.
struct SlowRun {
    std::string_view loop;
    std::string_view group;
    Duration took;
    /// The handler that took most of it, as far as time was looked at: runs of short handlers are
    /// timed together, so the first long one among them may pass for its neighbour, once.
    Function handler = nullptr;
};

/// `run` and its texts are lent for the call.
using SlowSink = void (*)(void* context, const SlowRun& run);

/// Owns groups, threads and the main loop; immovable. quit(), reports and hooks are for any thread,
/// the rest for the thread that made it.
class Runtime {
  public:
    explicit Runtime(const RuntimeOptions& options);
    ~Runtime();

    Runtime(const Runtime&) = delete;
    Runtime& operator=(const Runtime&) = delete;

    /// The group lives as long as the runtime. Added after start(), its threads start at once.
    ThreadGroup& add_group(const GroupOptions& options);
    ThreadGroup& main_group();
    Loop& main_loop();

    /// Spawns the threads of all groups, whether or not they have loops yet.
    void start();
    /// start(), then runs the main loop in this thread until quit(); then ends all threads.
    void run();
    /// Any thread, and signal-safe enough for handlers of signalfd; returns at once.
    void quit() noexcept;
    /// Whether threads may be running loops (from start() to the end of run()).
    bool running() const;

    const Clock& clock() const { return clock_; }

    /// Runs the hook once in every thread; then `done` is sent to `tell`.
    void on_every_thread(ThreadHook hook, Loop& tell, Event& done);

    /// Work to be done by some thread that is about to sleep or has been without a pause for long:
    /// returns true if there is more. Set before start().
    using Maintenance = bool (*)(void* context);
    void set_maintenance(Maintenance function, void* context);
    /// Called by a thread about to sleep for long and by a thread that ends: give caches back.
    void set_thread_trim(ThreadHook hook);

    /// Reports runs longer than `limit`; set before start(). The limit alone may change later.
    void set_slow_report(Duration limit, SlowSink sink, void* context);
    void set_slow_limit(Duration limit);

    /// Snapshot of all threads and groups; any thread.
    std::vector<ThreadReport> report_threads() const;
    std::vector<GroupReport> report_groups() const;

  private:
    friend class GroupState;
    friend class Loop;
    friend class LoopIo;
    friend class SimRuntime;
    friend class ThreadGroup;
    friend class Worker;
    friend class RuntimeState;

    void end_threads();

    SteadyClock own_clock_;
    const Clock& clock_;
    std::unique_ptr<RuntimeState> state_;
    std::unique_ptr<Loop> main_loop_;
};

}  // namespace tern::loops
