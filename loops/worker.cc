#include "loops/worker.h"

#include "locking/rcu.h"
#include "loops/group_state.h"
#include "loops/thread_slice.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tern::loops {

namespace {

// How long a thread with work at hand leaves the kernel unasked.
constexpr Duration poll_interval = Duration::from_microseconds(500);
constexpr std::size_t reclaim_budget = 256;
constexpr unsigned long timer_slack_ns = 1;
// See GroupOptions::spin.
constexpr Duration usual_spin = Duration::from_microseconds(20);
constexpr Duration latency_spin = Duration::from_microseconds(100);
// If others get the processor before a latency thread does, so long it is not offered again.
constexpr Duration way_interval = Duration::from_microseconds(50);
// So many woken loops run in a row before one that waits for time gets its turn.
constexpr unsigned favoured_max = 8;
// A wait that short was none.
constexpr Duration at_once = Duration::from_microseconds(2);

/// Simulation does not wait.
Duration spin_limit(const GroupOptions& options, const RuntimeOptions& given) {
    if (given.clock != nullptr) return {};
    return options.spin.value_or(options.kind == GroupKind::latency ? latency_spin : usual_spin);
}

}  // namespace

Worker::Worker(GroupState& group, std::uint16_t index, std::unique_ptr<Poller> poller)
    : group_(group),
      runtime_(group.runtime()),
      index_(index),
      poller_(std::move(poller)),
      woken_(group.balanced() ? Takers::anyone : Takers::owner),
      waiting_(group.balanced() ? Takers::anyone : Takers::owner),
      spin_limit_(spin_limit(group.options(), runtime_.state_->options)),
      meter_(group.options().busy_enter, group.options().busy_leave, group.options().force_idle),
      pace_(runtime_.clock(), runtime_.state_->options.clock == nullptr) {}

void Worker::enqueue(LoopCell& cell) noexcept {
    if (running_loop != nullptr && running_loop->cell_.home == this) {
        woken_.add(cell);  // we are this thread
        return;
    }
    woken_.push(cell);
    if (rouse()) return;
    // The thread is awake. If it is stuck in a long run, somebody idle may take this over.
    if (!group_.balanced() || group_.sleepers.load(std::memory_order_relaxed) == 0) return;
    if (running_for(runtime_.clock().now()) > help_delay) group_.rouse_one();
}

bool Worker::wanted(Instant now) const noexcept {
    if (group_.defects().never_wanted) return false;
    return woken_.size() != 0 || now >= earliest() || demands_.load() != 0;
}

bool Worker::overdue(Instant now) const noexcept {
    if (times_.asleep_at.load(std::memory_order_relaxed) == 0) return false;
    return !sleeping_.load(std::memory_order_relaxed) ||
           now.microseconds() >= times_.asleep_until.load(std::memory_order_relaxed);
}

void Worker::make_way(Instant now) noexcept {
    const Worker* other = runtime_.state_->latency_workers.load(std::memory_order_acquire);
    while (other != nullptr && (other == this || !other->overdue(now)))
        other = other->next_latency;
    if (other == nullptr || now - made_way_ < way_interval) return;
    made_way_ = now;
    ::sched_yield();
}

bool Worker::rouse() noexcept {
    if (!sleeping_.load(std::memory_order_seq_cst)) return false;
    if (!sleeping_.exchange(false, std::memory_order_seq_cst)) return false;
    poller_->kick();
    return true;
}

void Worker::demand(std::uint32_t what) noexcept {
    demands_.fetch_or(what, std::memory_order_seq_cst);
    rouse();
}

void Worker::add_hook(HookRun& hook) {
    {
        const std::lock_guard lock(hooks_lock_);
        hooks_.push_back(&hook);
    }
    demand(hooks);
}

void Worker::run_hooks() {
    std::vector<HookRun*> due;
    {
        const std::lock_guard lock(hooks_lock_);
        due.swap(hooks_);
        demands_.fetch_and(~hooks);
    }
    for (HookRun* run : due) {
        run->hook.function(run->hook.context);
        run->ran();
    }
}

Duration Worker::running_for(Instant now) const noexcept {
    const std::int64_t started = run_started_us_.load(std::memory_order_relaxed);
    if (started == 0) return Duration();
    return std::max(now - Instant::from_microseconds(started), Duration());
}

void Worker::serve() {
    system_id_.store(::syscall(SYS_gettid), std::memory_order_relaxed);
    was_switched();  // counts from here
    // Deadlines are gathered per loop already; the kernel need not add 50 microseconds to each.
    ::prctl(PR_SET_TIMERSLACK, timer_slack_ns);
    if (group_.options().kind == GroupKind::latency) ask_for_slice(group_.options().kernel_slice);
    last_tick_ = turn_begin_ = last_poll_ = pace_.refresh();
    started_us_.store(last_tick_.microseconds(), std::memory_order_relaxed);
    while (!demanded(leave | end))
        turn();
    run_hooks();
    if (demanded(end)) return;
    hand_over();
    // Whoever dropped a loop may have been content with waking us for it.
    if (group_.injected() != 0) group_.rouse_one();
    run_hooks();
    if (meter_.busy()) group_.busy.fetch_sub(1);
    const ThreadHook trim = runtime_.state_->trim;
    if (trim.function != nullptr) trim.function(trim.context);
    busy_.store(false, std::memory_order_relaxed);
    // Whoever serves here next counts from its own start.
    started_us_.store(0, std::memory_order_relaxed);
    times_.working_ns.store(0, std::memory_order_relaxed);
    times_.idle.store(0, std::memory_order_relaxed);
    meter_ = BusyMeter(group_.options().busy_enter, group_.options().busy_leave,
                       group_.options().force_idle);
    runtime_.state_->worker_ended(*this);
}

void Worker::turn() {
    const Instant now = turn_begin_ = pace_.now();
    if (now >= earliest()) fire(now);
    if (demanded(hooks)) run_hooks();
    if (group_.injected() != 0) take_injected(now);
    const Instant after = run_ready(now);
    if (group_.balanced()) balance(after);
    Duration wait = wait_time(after);
    if (wait.is_zero() && after - last_poll_ < poll_interval) return;
    maintain();
    if (wait > Duration()) {
        if (spin(wait, after)) {
            count_turn(wait);
            last_poll_ = pace_.now();
            return;
        }
        wait = wait_time(pace_.now());
        if (wait > Duration() && group_.balanced()) wait = look_for_work(wait, pace_.now());
    }
    count_turn(wait);
    if (meter_.busy() && group_.balanced()) drop_loops(pace_.now());
    if (wait > Duration()) {
        sleep(wait, after);
    } else {
        look_at_poller();
        pace_.refresh();
    }
    last_poll_ = pace_.now();
}

/// `wait`: how long the thread could have waited for the kernel after this turn.
void Worker::count_turn(Duration wait) {
    const bool was_busy = meter_.busy();
    if (meter_.feed(wait) == was_busy) return;
    busy_.store(!was_busy, std::memory_order_relaxed);
    was_busy ? group_.busy.fetch_sub(1) : group_.busy.fetch_add(1);
}

/// Runs loops, round after round, until there are none, a deadline has come, or it is time to ask
/// the kernel.
Instant Worker::run_ready(Instant now) {
    const Instant until = now + poll_interval;
    Duration slice;
    for (std::uint32_t left = 0; now < until; --left) {
        if (left == 0) {
            if (now >= earliest() || demands_.load(std::memory_order_relaxed) != 0) break;
            left = backlog();
            if (left == 0) break;
            const GroupLimits limits = group_.limits();
            slice = time_slice({limits.max_latency, limits.min_slice, limits.max_slice},
                               now - turn_begin_, left);
        }
        LoopCell* const cell = pop();
        if (cell == nullptr) break;
        if (give_away(*cell)) continue;
        offer_help(*cell, now);
        now = run_cell(*cell, slice, 0);
        trimmed_ = false;
    }
    return now;
}

LoopCell* Worker::pop() noexcept {
    const bool woken = woken_.size() != 0;
    if (woken && (waiting_.size() == 0 || favoured_ < favoured_max)) {
        if (LoopCell* const cell = woken_.pop()) {
            favoured_ = waiting_.size() == 0 ? 0 : favoured_ + 1;
            return cell;
        }
    }
    favoured_ = 0;
    if (LoopCell* const cell = waiting_.pop()) return cell;
    return woken_.pop();
}

LoopCell* Worker::give() noexcept {
    if (LoopCell* const cell = waiting_.pop()) return cell;
    return woken_.pop();
}

/// A popped loop that belongs elsewhere: another group by its owner's wish, another thread by the
/// balancer's.
bool Worker::give_away(LoopCell& cell) {
    GroupState* const group = cell.group.load(std::memory_order_acquire);
    if (group != &group_) {
        if (cell.home != nullptr) cell.home->disown(cell);
        group->inject(cell);
        return true;
    }
    // Looked at first: almost always there is no wish.
    if (cell.hand_to.load(std::memory_order_relaxed) == LoopCell::nobody) return false;
    const std::uint16_t target = cell.hand_to.exchange(LoopCell::nobody, std::memory_order_relaxed);
    if (target == LoopCell::nobody || target == index_) return false;
    if (cell.read().has(LoopWord::stopping)) return false;
    return group_.hand(cell, target);
}

Instant Worker::run_cell(LoopCell& cell, Duration slice, std::uint32_t checks) {
    const Instant now = pace_.now();
    if (cell.home != this) {
        if (cell.home != nullptr) cell.home->disown(cell);
        adopt(cell);
        cell.moved_ms.store(stamp_ms(now), std::memory_order_relaxed);
        // The loops it stepped aside for are those of the other thread.
        cell.rest_us.store(0, std::memory_order_relaxed);
        group_.moves.fetch_add(1, std::memory_order_relaxed);
    }
    change(cell, [this](LoopWord word) { return step_run(word, index_); });
    Loop& loop = *cell.loop;
    run_started_us_.store(now.microseconds(), std::memory_order_relaxed);
    const auto rest = Duration::from_microseconds(cell.rest_us.load(std::memory_order_relaxed));
    if (!rest.is_zero()) slice = std::min(slice, rest);
    const Duration patience = std::min(slice, group_.limits().min_slice);
    Turn::Limits limits{.pace = &pace_, .end = now + slice, .yields_from = now + patience};
    limits.worker = checks == 0 ? this : nullptr;
    limits.checks = checks;
    const std::uint64_t before_ns = pace_.spent_ns();
    called_for_help_ = false;
    pace_.begin();
    loop.domain_.lock_erased();
    loop.settle_io(*this);
    running_loop = &loop;
    const Loop::Outcome outcome = loop.run(limits);
    running_loop = nullptr;
    if (outcome != Loop::Outcome::stopped) loop.settle_books(*this);
    loop.domain_.unlock_erased();
    pace_.finish();
    run_started_us_.store(0, std::memory_order_relaxed);
    count_run(cell, pace_.spent_ns() - before_ns, limits.slowest);
    if (outcome == Loop::Outcome::stopped) {
        finish_stop(cell);
    } else {
        put_back(cell, outcome == Loop::Outcome::more, limits.end);
    }
    return pace_.now();
}

/// After a run that might have lasted until `slice_end`. A loop that stepped aside for others with
/// work left goes on as the first of those that wait for time, with the rest of its slice. At the
/// end of the queue a timer that keeps step with the round of the loops would always cut the same.
void Worker::put_back(LoopCell& cell, bool more, Instant slice_end) {
    const std::int64_t rest = more ? (slice_end - pace_.now()).microseconds() : 0;
    const auto kept = static_cast<std::uint16_t>(std::clamp<std::int64_t>(rest, 0, UINT16_MAX));
    cell.rest_us.store(kept, std::memory_order_relaxed);
    if (!end_run(cell, more)) return;
    if (kept != 0) {
        waiting_.add_first(cell);
    } else {
        (more ? waiting_ : woken_).add(cell);
    }
}

bool Worker::end_run(LoopCell& cell, bool more) const {
    // A move that found the loop READY left no mark; it may have come when we had popped it and
    // looked at its group already. The store there and this load are in one order with the word.
    const bool moved = cell.group.load(std::memory_order_seq_cst) != &group_;
    return change(cell, [&](LoopWord word) { return step_done(word, more || moved); }).enqueue;
}

void Worker::finish_stop(LoopCell& cell) {
    const Loop::Extras& asked = cell.loop->extras();
    Loop& tell = *asked.tell;
    Event& stopped = *asked.stopped;
    cell.home->disown(cell);
    change(cell, step_stopped);
    stopped.send(tell);  // the loop may be gone from here on
}

void Worker::let_run(LoopCell& cell) noexcept {
    change(cell, [](LoopWord word) { return step_done(word, true); });
    loops::enqueue(cell);
}

void Worker::count_run(LoopCell& cell, std::uint64_t took_ns, Function slowest) {
    const auto add = [took_ns](std::atomic<std::uint64_t>& sum) {
        sum.store(sum.load(std::memory_order_relaxed) + took_ns, std::memory_order_relaxed);
    };
    const Loop& loop = *cell.loop;
    add(times_.working_ns);
    add(cell.used_ns);
    tick_work_ns_ += took_ns;
    count_load(cell, took_ns, pace_.now());
    const RuntimeState& state = *runtime_.state_;
    const auto took = Duration::from_microseconds(static_cast<std::int64_t>(took_ns / 1000));
    last_took_ = took;
    if (took.microseconds() > state.slow_limit_us.load(std::memory_order_relaxed)) [[unlikely]] {
        state.slow_sink(state.slow_context, {loop.name(), group_.options().name, took, slowest});
    }
}

void Worker::fire(Instant now) {
    std::array<LoopCell*, 32> due;
    std::size_t count = due.size();
    while (count == due.size()) {
        count = 0;
        {
            const std::lock_guard lock(books_);
            while (count < due.size() && !deadlines_.empty() && deadlines_[0]->deadline <= now) {
                due[count++] = deadlines_[0];
                heap_remove(*deadlines_[0]);
            }
            update_earliest();
        }
        for (std::size_t i = 0; i < count; ++i)
            wake(*due[i]);
    }
}

bool Worker::look_at_poller() {
    const std::size_t count = poller_->wait(reports_, Duration());
    deliver(count);
    return count != 0;
}

bool Worker::look_again() {
    return heard_ && last_wait_ < at_once && look_at_poller();
}

/// The first `count` reports.
void Worker::deliver(std::size_t count) {
    heard_ = count != 0;
    WatchSlots& slots = runtime_.state_->slots;
    for (const Poller::Report& report : std::span(reports_).first(count))
        slots.report(report);
}

void Worker::maintain() {
    if (locking::rcu::reclaim_due()) locking::rcu::reclaim(reclaim_budget);
    if (this != runtime_.state_->main_worker) return;
    reclaimed_ = locking::rcu::reclaim_due();
    const RuntimeState& state = *runtime_.state_;
    if (state.maintenance != nullptr && state.maintenance(state.maintenance_context)) {
        reclaimed_ = true;
    }
}

}  // namespace tern::loops
