#pragma once

/// A set of threads that run the same kind of loops.
/// Groups are made by and owned by the Runtime. Worker groups balance: busy threads give loops
/// away, idle ones take them. Latency groups place loops by count and leave them alone; a loop
/// never runs on a thread of another group. The number of threads may change while they run; loops
/// of a thread that goes are handed over, none is lost. Any thread may call; nothing here waits.

#include "loops/event.h"
#include "loops/time.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tern::loops {

class GroupState;
class Loop;
class Runtime;

/// What kind of loops the threads are for; fixed when the group is made.
enum class GroupKind : std::uint8_t {
    pinned,   ///< one thread, the one that calls Runtime::run()
    worker,   ///< balanced
    latency,  ///< placed by count, never moved
};

/// How a thread shares its time; may change while the group runs.
struct GroupLimits {
    Duration max_latency = Duration::from_milliseconds(300);  ///< goal for one round of all loops
    Duration min_slice = Duration::from_microseconds(200);    ///< a loop gets at least that
    Duration max_slice = Duration::from_milliseconds(2);      ///< and at most that
    Duration max_sleep = Duration::infinite();  ///< an idle thread looks around that often

    friend bool operator==(const GroupLimits&, const GroupLimits&) = default;
};

/// How a group is made; see `limits` for what may change while it runs. The last three are for
/// worker groups. Tools of the system show the first ten bytes of the name and a thread's index.
struct GroupOptions {
    std::string name = "worker";
    GroupKind kind = GroupKind::worker;
    unsigned threads = 1;
    GroupLimits limits = {};
    /// Threads look for work that long before they sleep, unless they waited for more than twice as
    /// long the last time; in vain for a twentieth of the time at most, and not while others need
    /// the processor. Zero: never. Not given: 20 us, about what it costs to be woken, and 100 us in
    /// latency groups.
    std::optional<Duration> spin = {};
    /// What threads of latency groups ask of the kernel (`thread_slice.h`); zero: nothing.
    Duration kernel_slice = Duration::from_microseconds(100);
    unsigned busy_enter = 4;  ///< consecutive turns without waiting that make a thread busy
    unsigned busy_leave = 4;  ///< and turns with waiting that end it
    Duration force_idle = Duration::from_milliseconds(300);  ///< one such wait ends it at once
    Duration cool_down = Duration::from_seconds(1);  ///< a loop that moved stays for that long
    bool steal = true;
    bool balance = true;
};

/// The face of a group, owned by its runtime and as old. Any thread may call it.
class ThreadGroup {
  public:
    std::string_view name() const;
    GroupKind kind() const;
    const GroupOptions& options() const;
    Runtime& runtime() const;

    /// Threads that take part now (those on their way out not counted).
    unsigned threads() const;
    static constexpr unsigned threads_max = 1024;

    /// Grows or shrinks to `count` (1 to threads_max; else, and for the main group, it aborts).
    /// `done` is sent to `tell` when the change is complete, that is when threads that go have
    /// handed over their loops and ended. Both are borrowed until then.
    void set_threads(unsigned count, Loop& tell, Event& done);

    /// Each thread obeys from its next turn on.
    void set_limits(const GroupLimits& limits);
    GroupLimits limits() const;

    /// Loops that changed threads since the start.
    std::uint64_t moves() const;

  private:
    friend class GroupState;

    explicit ThreadGroup(GroupState& state) : state_(state) {}

    GroupState& state_;
};

}  // namespace tern::loops
