#pragma once

/// One thread's part of the scheduler: its queue of runnable loops, its books of the loops that
/// live here, its poller, and the turn that serves them. Internal to loops/; owned by its group and
/// kept until the runtime ends, so that late wake-ups always find it. Only enqueue(), demand() and
/// the reports may be called by other threads. It holds none of its locks while handlers run.

#include "loops/cell.h"
#include "loops/loop.h"
#include "loops/pace.h"
#include "loops/placement.h"
#include "loops/poller.h"
#include "loops/runtime.h"
#include "loops/thread_group.h"
#include "loops/waiting.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace tern::loops {

struct HookRun;
struct Resize;

class Worker {
  public:
    Worker(GroupState& group, std::uint16_t index, std::unique_ptr<Poller> poller);

    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    std::uint16_t index() const { return index_; }

    GroupState& group() const { return group_; }

    Poller& poller() { return *poller_; }

    /// Any thread: the cell is READY and the caller's.
    void enqueue(LoopCell& cell) noexcept;

    void push(LoopCell& cell) noexcept { woken_.push(cell); }

    /// Whether somebody but the loop that runs needs this thread now.
    bool wanted(Instant now) const noexcept;

    /// Any thread: it has something to do (what descriptors report aside), waits in the kernel and
    /// has not been let out yet.
    bool overdue(Instant now) const noexcept;
    /// Between two handlers: offers the processor if a latency thread is overdue. The kernel takes
    /// it away from us at its next tick only, which is milliseconds.
    void make_way(Instant now) noexcept;
    /// The same: if this run has become long and others wait behind it, an idle thread is woken to
    /// take some of them; once per run.
    void call_for_help(Instant now) noexcept;

    /// Any thread: makes it look up; true if it slept.
    bool rouse() noexcept;

    /// How a sleep ended: with reports of the poller, by somebody's rouse(), or by time.
    struct Nap {
        std::size_t reports;
        bool roused;
    };

    /// Says that it sleeps, looks for work once more, and waits in the poller if there is none.
    Nap nap(Duration timeout);

    static constexpr std::uint32_t leave = 1;  ///< hand everything over and end
    static constexpr std::uint32_t end = 2;    ///< the runtime ends: just end
    static constexpr std::uint32_t hooks = 4;  ///< run queued hooks
    void demand(std::uint32_t what) noexcept;

    bool demanded(std::uint32_t what) const noexcept { return (demands_.load() & what) != 0; }

    void add_hook(HookRun& hook);

    /// Books; the caller has the cell popped, or nobody else can know it.
    void adopt(LoopCell& cell);
    void disown(LoopCell& cell);
    void set_deadline(LoopCell& cell, Instant at);

    std::size_t loops() const { return home_count_.load(std::memory_order_relaxed); }

    /// The thread's body, or for the main thread: until told to end.
    void serve();
    /// Hands all loops to the group; others go on waking them meanwhile.
    void hand_over();

    /// Its thread has ended; ready for another one.
    void rest() { demands_.store(0); }

    /// At the end of a run: the descriptors, if they had something without a wait the last time.
    /// That saves the way through the turn. True if there was something.
    bool look_again();

    // Pieces of a turn; SimRuntime calls them one by one.
    void fire(Instant now);
    bool look_at_poller();
    void run_hooks();
    /// `checks`: zero in real time, else handlers until the slice counts as used up.
    Instant run_cell(LoopCell& cell, Duration slice, std::uint32_t checks);

    /// The end of a run that has left work behind or not: whether the loop has to be queued again.
    bool end_run(LoopCell& cell, bool more) const;

    /// The end of a loop that nobody can find any more; the cell is RUNNING and the caller's.
    static void finish_stop(LoopCell& cell);
    /// Gives such a cell to its thread to run.
    static void let_run(LoopCell& cell) noexcept;

    /// Simulation: the time as of which it runs loops.
    void set_now(Instant now) { pace_.set(now); }

    /// The next loop to run: woken ones first, but those that wait for time get their share.
    LoopCell* pop() noexcept;
    /// For other threads: those that wait for time first.
    LoopCell* give() noexcept;

    /// A time as it is kept in cells; never zero.
    static std::uint32_t stamp_ms(Instant now) {
        return std::max(static_cast<std::uint32_t>(now.microseconds() / 1000), 1U);
    }

    bool remove(LoopCell& cell) noexcept { return woken_.remove(cell) || waiting_.remove(cell); }

    Instant earliest() const {
        return Instant::from_microseconds(earliest_us_.load(std::memory_order_relaxed));
    }

    std::uint32_t backlog() const noexcept { return woken_.size() + waiting_.size(); }

    bool asleep() const noexcept { return sleeping_.load(std::memory_order_seq_cst); }

    bool busy() const noexcept { return busy_.load(std::memory_order_relaxed); }

    /// How long the present run takes; zero between runs.
    Duration running_for(Instant now) const noexcept;
    Load load(Instant now) const noexcept;
    ThreadReport report(Instant now) const;

    std::thread thread;        ///< not for the main thread; joined by the runtime
    Resize* resize = nullptr;  ///< whose completion its end counts for
    bool member = false;       ///< takes part in its group; under the group's lock
    /// Of the list of the runtime's latency workers, which only grows.
    const Worker* next_latency = nullptr;

  private:
    /// A run longer than that lets idle threads help with what waits behind it.
    static constexpr Duration help_delay = Duration::from_milliseconds(1);

    struct Times {
        std::atomic<std::uint64_t> working_ns{0};  ///< written by the thread alone
        std::atomic<std::int64_t> idle{0};
        std::atomic<std::int64_t> asleep_at{0};  ///< when the present sleep began; 0: awake
        std::atomic<std::int64_t> asleep_until{0};
    };

    void turn();
    Instant run_ready(Instant now);
    bool give_away(LoopCell& cell);
    void count_run(LoopCell& cell, std::uint64_t took_ns, Function slowest);
    void put_back(LoopCell& cell, bool more, Instant slice_end);
    void take_injected(Instant now);
    bool may_take(Instant now) const;
    void drop_loops(Instant now);
    void balance(Instant now);
    void offer_help(const LoopCell& cell, Instant now);
    Duration look_for_work(Duration wait, Instant now);
    bool steal_from(Worker& victim, Instant now);
    void even_out();
    void move_load(Instant now);
    bool spin(Duration timeout, Instant since);
    bool look_around();
    bool was_switched();
    std::vector<Load> home_loads(Instant now, std::vector<LoopCell*>& cells) const;

    bool has_work() const noexcept;

    bool stuck(Instant now) const noexcept { return running_for(now) > help_delay; }

    Duration wait_time(Instant now);
    void sleep(Duration timeout, Instant since);
    void count_turn(Duration wait);
    void deliver(std::size_t count);
    void maintain();
    void count_load(LoopCell& cell, std::uint64_t took_ns, Instant now);
    void update_earliest();
    void heap_set(LoopCell& cell, Instant at);
    void heap_remove(LoopCell& cell);
    void heap_place(std::size_t index, LoopCell* cell);
    void heap_up(std::size_t index, LoopCell* cell);
    void heap_down(std::size_t index, LoopCell* cell);

    GroupState& group_;
    Runtime& runtime_;
    const std::uint16_t index_;
    std::unique_ptr<Poller> poller_;
    std::array<Poller::Report, 256> reports_;  ///< of the last look
    ReadyQueue woken_;                         ///< something has come for them
    ReadyQueue waiting_;                       ///< they had used up their slice with work left
    std::atomic<bool> sleeping_{false};
    std::atomic<std::uint32_t> demands_{0};
    std::atomic<bool> busy_{false};
    std::atomic<std::int64_t> run_started_us_{0};
    std::atomic<std::int64_t> system_id_{0};
    std::atomic<std::int64_t> started_us_{0};

    mutable std::mutex books_;
    LoopCell* home_ = nullptr;          // list of the loops that live here
    std::vector<LoopCell*> deadlines_;  // heap, earliest first
    std::atomic<std::size_t> home_count_{0};
    std::atomic<std::int64_t> earliest_us_{Instant::never().microseconds()};

    std::mutex hooks_lock_;
    std::vector<HookRun*> hooks_;

    // Of the thread itself.
    const Duration spin_limit_;
    BusyMeter meter_;
    Pace pace_;
    Duration last_took_;     ///< the run before
    unsigned favoured_ = 0;  ///< woken loops run in a row while others waited for time
    Instant turn_begin_;
    Instant last_poll_;
    Instant last_tick_;
    std::uint64_t tick_work_ns_ = 0;
    unsigned imbalance_ = 0;  ///< ticks in a row
    unsigned crowding_ = 0;   ///< ticks in a row
    SpinBudget spin_budget_;
    WakeLead wake_lead_;
    Instant made_way_;
    bool called_for_help_ = false;               ///< in the present run
    Duration last_wait_ = Duration::infinite();  ///< until there was work again
    long switches_ = 0;                          ///< by the kernel, against our will
    unsigned hand_overs_ = 0;                    ///< waits still to come without spinning
    bool yields_first_ = false;  ///< work came last when somebody else had this processor
    bool heard_ = false;         ///< the last look at the poller found something
    bool trimmed_ = true;
    bool reclaimed_ = false;
    std::atomic<std::uint32_t> load_{0};
    std::atomic<std::int64_t> load_at_us_{0};
    Times times_;
};

}  // namespace tern::loops
