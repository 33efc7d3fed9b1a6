#pragma once

/// A loop: events, timers and watchers that run one at a time, with the loop's domain held.
/// Thousands of loops share a few threads; a loop without anything to do is in no queue and costs
/// nothing. Its owner embeds it and keeps it until the event given to stop() has come. Handlers run
/// in turns; from outside, whoever holds the domain (LoopEntry) may use the same events, timers and
/// watchers. It never runs on two threads at once and never on a thread of another group.

#include "alloc/arena.h"
#include "locking/domain.h"
#include "loops/event.h"
#include "loops/event_queue.h"
#include "loops/loop_io.h"
#include "loops/misuse.h"
#include "loops/pace.h"
#include "loops/time.h"
#include "loops/timer.h"
#include "loops/timer_queue.h"
#include "loops/waiting.h"
#include "loops/watcher.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tern::loops {

class Loop;
class Runtime;
class ThreadGroup;
template <class T>
class Mailbox;
class Turn;
class Worker;
struct LoopCell;

/// The loop whose handlers this thread is running; nullptr outside of turns.
extern constinit thread_local Loop* running_loop;
/// The turn it is given.
extern constinit thread_local const Turn* running_turn;

/// Work put off to the end of the loop's present run; embedded like an Event, same thread only.
/// Deferring it twice counts once; destroying it before it ran aborts.
class Deferred {
  public:
    explicit Deferred(Callback callback) : callback_(callback) {}

    ~Deferred() { TERN_ASSERT(!pending_, "deferred work destroyed before it ran"); }

    Deferred(const Deferred&) = delete;
    Deferred& operator=(const Deferred&) = delete;

    bool pending() const { return pending_; }

  private:
    friend class Loop;
    friend class Turn;
    Callback callback_;
    Deferred* next_ = nullptr;
    bool pending_ = false;
};

/// What a handler is given: the time, the rest of its slice, and proof of the domain. Lent for one
/// call; the handlers of one run share it.
class Turn {
  public:
    Loop& loop() const { return loop_; }

    /// The time at most some microseconds ago; read anew by out_of_time().
    Instant now() const { return pace_.now(); }

    /// True when other loops should have the thread: send your own event again and return.
    bool out_of_time();
    /// The domain as a token for typed calls; aborts unless it is the loop's.
    template <locking::Level L>
    locking::Proof<L> holding(locking::Domain<L>& domain) const;
    /// Runs the callback after the handlers of this run, before the domain is released.
    void defer(Deferred& work);
    /// The scratch arena of the thread, for what is needed until the run ends; then all of it goes.
    /// For less than that, open an Arena::Scope on it. Ask here before you open one on
    /// alloc::scratch(): that would be the outer one, and end too early, which aborts.
    alloc::Arena& scratch();

  private:
    friend class Loop;
    friend class Worker;
    template <class T>
    friend class Mailbox;

    /// What a run may take.
    struct Limits {
        Pace* pace = nullptr;
        Worker* worker = nullptr;
        Instant end;                   ///< of the slice
        Instant yields_from;           ///< from then on it ends if the thread has others waiting
        std::uint32_t checks = 0;      ///< simulation: handlers until the slice counts as used up
        Function slowest = nullptr;    ///< out: what took longest, as far as time was looked at
        std::uint64_t slowest_ns = 0;  ///< out
    };

    Turn(Loop& loop, Limits& limits) : loop_(loop), pace_(*limits.pace), limits_(limits) {}

    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool virtual_time() const { return limits_.worker == nullptr; }

    /// After each handler; looks at the time the more rarely, the shorter the handlers are.
    bool spent(Function ran) { return (pace_.step() || virtual_time()) && check(ran); }

    bool check(Function ran);
    bool over() const;
    bool look_again() const;
    void wait_for_more() const;

    Loop& loop_;
    Pace& pace_;
    Limits& limits_;
    Moderation moderation_;
    Deferred* deferred_ = nullptr;
    Deferred** deferred_end_ = &deferred_;
    std::optional<alloc::Arena::Scope> scratch_;  ///< from the first use to the end of the run
};

/// Embedded in its owner, immovable. Domain and group are borrowed and outlive it; what its
/// handlers use is theirs alone while they run. Misuse aborts and names loop, thread and place.
class Loop {
  public:
    /// Placed on the least loaded thread of the group. The domain must outlive the loop. Any
    /// thread; may allocate.
    Loop(ThreadGroup& group, locking::DomainBase& domain, std::string_view name);
    /// Stopped before, or no thread of the runtime runs (any more); aborts otherwise.
    ~Loop();

    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    std::string_view name() const {
        const Extras* const extras = extras_.load(std::memory_order_acquire);
        return extras == nullptr || extras->name.empty() ? domain_.name() : extras->name;
    }

    locking::DomainBase& domain() const { return domain_; }

    /// Aborts unless the calling thread holds the domain; `what` says what was touched.
    void assert_held(std::string_view what, locking::Here where = locking::Here::now()) const {
        if (!domain_.held_by_this_thread()) [[unlikely]]
            misuse_without_domain(*this, what, where);
    }

    ThreadGroup& group() const;

    Runtime& runtime() const;

    /// Reads the clock; in handlers Turn::now() is cheaper.
    Instant now() const;

    /// Makes the loop run soon even if nothing is queued; events and timers do that themselves.
    void wake() noexcept;

    /// Asks it to stop: what was sent before runs once more, then nothing runs, and `stopped` is
    /// sent to `tell`. From then on the owner may destroy the loop. Any thread outside of RCU read
    /// sections, once; twice aborts. May allocate. An idle loop whose domain nobody else holds has
    /// stopped when this returns, and its thread was not woken for it.
    void stop(Loop& tell, Event& stopped, locking::Here where = locking::Here::now());
    bool stopping() const;

    /// Continues on a thread of the other group from its next run on. Any thread. A group of
    /// another runtime aborts.
    void move_to(ThreadGroup& group);

    /// The part of it that threads hand to each other; for reports.
    const LoopCell& cell() const { return cell_; }

    /// Whether the calling thread runs handlers of this loop now.
    bool running_here() const { return running_loop == this; }

    /// A random number from the loop's own sequence, seeded when first asked; needs the domain.
    std::uint64_t random();

    /// Total time its handlers took; any thread.
    Duration time_used() const;

  private:
    friend class Event;
    friend class Timer;
    friend class Watcher;
    friend class WatchSlot;
    friend class LoopIo;
    friend class Worker;
    friend class Runtime;

    enum class Outcome : std::uint8_t { idle, more, stopped };

    /// What few loops have, or only at their end.
    struct Extras {
        std::string name;                ///< if it is not that of the domain
        std::uint64_t random_state = 0;  ///< seeded when it was made
        Loop* tell = nullptr;            ///< from stop() on
        Event* stopped = nullptr;
    };

    Extras& extras();
    Outcome run(Turn::Limits& limits);
    bool run_events(Turn& turn);
    bool gather_events(Turn& turn);
    bool run_timers(Turn& turn);
    void report_failures(Turn& turn);
    void run_deferred(Turn& turn);
    void finish_events(Turn& turn);
    bool retire_idle();
    void retire();
    void set_timer(Timer& timer, Instant when);
    LoopIo& io();
    static void forget(Watcher& watcher);
    void settle_io(Worker& worker);
    void settle_books(Worker& worker);
    Duration jittered(Duration period, Duration jitter);

    /// Stopped; nothing runs any more.
    bool silent() const;
    bool events_wait() const;

    // A loop that has nothing to do is kept small: 40 bytes, and its cell. What is written with
    // each event stands in the cell, since senders read what stands here.
    LoopCell& cell_;
    locking::DomainBase& domain_;
    std::atomic<Extras*> extras_{nullptr};  ///< made when the first of them is needed
    std::unique_ptr<LoopIo> io_;            ///< made with the first watcher
    TimerQueue timers_;
};

/// Scoped direct access from outside of the loop's turns: holds its domain, so it waits for the run
/// in progress. A value of a frame. Subject to the lock order (the main loop may enter a protocol's
/// loop, never the other way round).
class [[nodiscard]] LoopEntry {
  public:
    explicit LoopEntry(Loop& loop, locking::Here where = locking::Here::now())
        : loop_(loop), where_(where) {
        loop_.domain().lock_erased(where_);
    }

    ~LoopEntry() { loop_.domain().unlock_erased(where_); }

    LoopEntry(const LoopEntry&) = delete;
    LoopEntry& operator=(const LoopEntry&) = delete;

    Loop& loop() const { return loop_; }

    template <locking::Level L>
    locking::Proof<L> holding(locking::Domain<L>& domain) const {
        TERN_ASSERT(&domain == &loop_.domain(), "not the domain of loop ", loop_.name());
        return domain.proof();
    }

  private:
    Loop& loop_;
    locking::Here where_;
};

// ------------------------------------------------------------------------------------------------

template <locking::Level L>
locking::Proof<L> Turn::holding(locking::Domain<L>& domain) const {
    TERN_ASSERT(&domain == &loop_.domain(), "not the domain of loop ", loop_.name());
    return domain.proof();
}

}  // namespace tern::loops
