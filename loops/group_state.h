#pragma once

/// What stands behind ThreadGroup and Runtime: members, the injector of loops without a thread, the
/// requests in flight. Internal to loops/. Owned by the runtime, lives as long as it does. The lock
/// of a group may be held while a worker's books are taken, never the other way round.

#include "loops/cell.h"
#include "loops/event.h"
#include "loops/poller_epoll.h"
#include "loops/runtime.h"
#include "loops/thread_group.h"
#include "loops/watch_slot.h"
#include "loops/worker.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace tern::loops {

/// A change of the number of threads until all that go are gone.
struct Resize {
    std::atomic<unsigned> pending{0};
    Loop* tell = nullptr;
    Event* done = nullptr;
};

/// A hook until all threads ran it.
struct HookRun {
    ThreadHook hook;
    std::atomic<unsigned> pending{0};
    Loop* tell = nullptr;
    Event* done = nullptr;

    /// One thread has run it; the last one reports and deletes.
    void ran();
};

/// Defects that a test brings back, to show that it would see them.
struct Defects {
    bool wakes_nobody = false;     ///< loops are given away and nobody is woken to take them
    bool never_wanted = false;     ///< a run takes its whole slice, whoever waits for the thread
    bool delivers_paused = false;  ///< what was read out of the poller comes in spite of a pause
    bool resumes_all = false;      ///< one resume ends the pauses of all reasons
    bool repeats_errors = false;   ///< as the kernel does, while nothing is wanted
};

class GroupState {
  public:
    GroupState(Runtime& runtime, const GroupOptions& options);

    static GroupState& of(ThreadGroup& group) { return group.state_; }

    Runtime& runtime() const { return runtime_; }

    ThreadGroup& face() { return face_; }

    const GroupOptions& options() const { return options_; }

    bool balanced() const { return options_.kind == GroupKind::worker; }

    /// Home for a new loop: the member with the fewest.
    void place(LoopCell& cell);
    /// A loop without a thread: some member will pick it up.
    void inject(LoopCell& cell);

    LoopCell* pick() noexcept { return injector_.pop(); }

    bool remove_injected(LoopCell& cell) { return injector_.remove(cell); }

    std::uint32_t injected() const noexcept { return injector_.size(); }

    /// Since when the injector has not been empty.
    Instant injected_since() const {
        return Instant::from_microseconds(injected_since_us_.load(std::memory_order_relaxed));
    }

    /// Wakes one sleeping member, if there is one.
    bool rouse_one() noexcept;
    /// Hands a popped cell to the worker of that index; false if it is no member (any more).
    bool hand(LoopCell& cell, std::uint16_t to);

    void start();
    void set_threads(unsigned count, Resize& resize);

    void set_limits(const GroupLimits& limits) noexcept;

    /// Twice in each run, so inline: callers read what they need.
    GroupLimits limits() const noexcept {
        const auto read = [](const std::atomic<std::int64_t>& us) {
            return Duration::from_microseconds(us.load(std::memory_order_relaxed));
        };
        return {read(max_latency_us_), read(min_slice_us_), read(max_slice_us_),
                read(max_sleep_us_)};
    }

    unsigned threads() const { return member_count_.load(std::memory_order_relaxed); }

    /// Calls `visit(Worker&)` for each member, with the group's lock held.
    template <class F>
    void for_members(F&& visit) const {
        const std::lock_guard lock(lock_);
        for (Worker* worker : members_)
            visit(*worker);
    }

    /// The same for all workers there ever were.
    template <class F>
    void for_all(F&& visit) const {
        const std::lock_guard lock(lock_);
        for (const std::unique_ptr<Worker>& worker : workers_)
            visit(*worker);
    }

    /// A worker that has ended and been joined may be used again.
    void recycle(Worker& worker);

    const Defects& defects() const { return defects_; }

    void test_defects(const Defects& defects) { defects_ = defects; }

    std::atomic<unsigned> sleepers{0};
    std::atomic<unsigned> busy{0};
    std::atomic<std::uint64_t> moves{0};

  private:
    Worker& hire();
    void spawn(Worker& worker);

    Runtime& runtime_;
    GroupOptions options_;
    ThreadGroup face_;
    ReadyQueue injector_{Takers::anyone};
    std::atomic<std::int64_t> injected_since_us_{0};
    std::atomic<unsigned> member_count_{0};
    // The limits, each by itself: a turn may see some of before and some of after.
    std::atomic<std::int64_t> max_latency_us_;
    std::atomic<std::int64_t> min_slice_us_;
    std::atomic<std::int64_t> max_slice_us_;
    std::atomic<std::int64_t> max_sleep_us_;
    mutable std::mutex lock_;
    std::vector<std::unique_ptr<Worker>> workers_;
    std::vector<Worker*> members_;
    std::vector<Worker*> vacant_;
    std::vector<ThreadLoad> loads_;  ///< scratch of place()
    bool started_ = false;
    Defects defects_;
};

/// What stands behind Runtime, which owns it. Set before threads run, atomic, or under `lock`.
class RuntimeState {
  public:
    explicit RuntimeState(const RuntimeOptions& given);

    RuntimeOptions options;
    EpollFactory epoll;
    PollerFactory& pollers;
    CellStore cells;
    WatchSlots slots;
    std::atomic<bool> running{false};
    std::atomic<std::uint64_t> random_sequences{0};       ///< of loops that have one
    std::atomic<const Worker*> latency_workers{nullptr};  ///< newest first

    Runtime::Maintenance maintenance = nullptr;
    void* maintenance_context = nullptr;
    ThreadHook trim;
    std::atomic<std::int64_t> slow_limit_us{Duration::infinite().microseconds()};
    SlowSink slow_sink = nullptr;
    void* slow_context = nullptr;

    mutable std::mutex lock;  ///< for what follows; taken before a group's lock
    std::vector<std::unique_ptr<GroupState>> groups;
    std::vector<Worker*> ended;  ///< to be joined by the main loop
    std::vector<std::unique_ptr<Resize>> resizes;

    GroupState& main() const { return *groups.front(); }

    Worker* main_worker = nullptr;
    Loop* main_loop = nullptr;
    Event reap;

    /// The last act of a thread that leaves.
    void worker_ended(Worker& worker);
    void join_ended();
    void complete(Resize& resize);
    void forget(LoopCell& cell);
};

}  // namespace tern::loops
