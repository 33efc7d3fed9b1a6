#include "loops/loop.h"

#include "locking/backoff.h"
#include "loops/group_state.h"
#include "loops/watch_slot.h"

#include <algorithm>

namespace tern::loops {

constinit thread_local Loop* running_loop = nullptr;
constinit thread_local const Turn* running_turn = nullptr;

namespace {

// Handlers of one kind run before the other kinds get a chance again.
constexpr unsigned round_handlers = 64;
// Events that go on sending themselves are cut off there when their loop stops.
constexpr unsigned last_events_max = 100'000;

std::uint64_t next_random(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

}  // namespace

bool Turn::out_of_time() {
    pace_.look();
    if (virtual_time()) {
        if (limits_.checks > 0) --limits_.checks;
        return limits_.checks == 0;
    }
    return over();
}

bool Turn::check(Function ran) {
    const std::uint64_t took_ns = pace_.look();
    if (took_ns > limits_.slowest_ns) {
        limits_.slowest_ns = took_ns;
        limits_.slowest = ran;
    }
    if (virtual_time()) {
        if (limits_.checks > 0) --limits_.checks;
        return limits_.checks == 0;
    }
    return over();
}

/// The slice is used up, or a part of it and others wait for the thread.
bool Turn::over() const {
    const Instant now = pace_.now();
    limits_.worker->make_way(now);
    limits_.worker->call_for_help(now);
    return now >= limits_.end || (now >= limits_.yields_from && limits_.worker->wanted(now));
}

/// Whether descriptors had something to say once more. What was put off is not kept waiting.
bool Turn::look_again() const {
    return deferred_ == nullptr && !virtual_time() && limits_.worker->look_again();
}

/// Before a look at the inbox that will find something, unless others need the thread.
void Turn::wait_for_more() const {
    if (!moderation_.waits() || virtual_time() || limits_.worker->backlog() != 0) return;
    for (unsigned i = 0; i < Moderation::pauses; ++i)
        locking::cpu_pause();
}

void Turn::defer(Deferred& work) {
    if (work.pending_) return;
    work.pending_ = true;
    work.next_ = nullptr;
    *deferred_end_ = &work;
    deferred_end_ = &work.next_;
}

alloc::Arena& Turn::scratch() {
    alloc::Arena& arena = alloc::scratch();
    if (!scratch_) scratch_.emplace(arena);
    return arena;
}

Loop::Loop(ThreadGroup& group, locking::DomainBase& domain, std::string_view name)
    : cell_(GroupState::of(group).runtime().state_->cells.take()), domain_(domain) {
    cell_.loop = this;
    cell_.group.store(&GroupState::of(group), std::memory_order_relaxed);
    if (name != domain.name()) extras().name = name;
    cell_.inbox.open();
    GroupState::of(group).place(cell_);
}

Loop::~Loop() {
    Runtime& owner = runtime();
    const LoopWord word = cell_.read();
    if (word.state != LoopState::stopped) {
        if (word.state == LoopState::running) {
            misuse_of_loop(*this, "loop destroyed while running", locking::Here::now());
        }
        if (owner.running()) {
            misuse_of_loop(*this, "loop destroyed without being stopped", locking::Here::now());
        }
        const locking::TransitLock lock(domain_);
        retire();
        owner.state_->forget(cell_);
    }
    while (io_ != nullptr && io_->watchers.next != &io_->watchers) {
        auto& watcher = *static_cast<Watcher*>(io_->watchers.next);
        forget(watcher);
        watcher.loop_ = nullptr;
    }
    change(cell_, [](LoopWord old) {
        return LoopStep{{LoopWord::no_owner, LoopState::vacant, 0, old.generation + 1}, false};
    });
    delete extras_.load(std::memory_order_relaxed);
    owner.state_->cells.give_back(cell_);
}

/// Any thread may be the first that needs them.
Loop::Extras& Loop::extras() {
    Extras* seen = extras_.load(std::memory_order_acquire);
    if (seen != nullptr) return *seen;
    RuntimeState& state = *runtime().state_;
    auto made = std::make_unique<Extras>();
    made->random_state =
        state.options.seed + state.random_sequences.fetch_add(1) * 0xd1342543de82ef95;
    if (!extras_.compare_exchange_strong(seen, made.get(), std::memory_order_acq_rel)) return *seen;
    return *made.release();
}

ThreadGroup& Loop::group() const {
    return cell_.group.load(std::memory_order_acquire)->face();
}

Runtime& Loop::runtime() const {
    return cell_.group.load(std::memory_order_acquire)->runtime();
}

Duration Loop::time_used() const {
    const std::uint64_t ns = cell_.used_ns.load(std::memory_order_relaxed);
    return Duration::from_microseconds(static_cast<std::int64_t>(ns / 1000));
}

bool Loop::silent() const {
    return cell_.inbox.closed();
}

bool Loop::events_wait() const {
    return !cell_.events.empty() || !cell_.inbox.empty();
}

Instant Loop::now() const {
    return running_here() ? running_turn->now() : runtime().clock().now();
}

void Loop::wake() noexcept {
    loops::wake(cell_);
}

void Loop::stop(Loop& tell, Event& stopped, locking::Here where) {
    Extras& end = extras();
    if (end.tell != nullptr) [[unlikely]]
        misuse_of_loop(*this, "loop stopped twice", where);
    end.tell = &tell;
    end.stopped = &stopped;
    LoopCell& cell = cell_;
    bool ours = false;
    change(cell, [&ours](LoopWord word) {
        ours = word.state == LoopState::idle;
        return step_ask_stop(word);
    });
    if (!ours) {
        loops::wake(cell);
    } else if (retire_idle()) {
        Worker::finish_stop(cell);
    } else {
        Worker::let_run(cell);
    }
}

/// The loop was idle and is ours: nothing has to run, so no thread has to wake up for it. False if
/// an event has come meanwhile, or somebody uses the domain.
bool Loop::retire_idle() {
    const bool held = domain_.held_by_this_thread();
    if (!held && !domain_.try_lock_erased()) return false;
    const bool last = cell_.events.empty() && cell_.inbox.try_close();
    if (last) retire();
    if (!held) domain_.unlock_erased();
    return last;
}

bool Loop::stopping() const {
    return cell_.read().has(LoopWord::stopping);
}

void Loop::move_to(ThreadGroup& group) {
    TERN_ASSERT(&group.runtime() == &runtime(), "loop ", name(), " moved to another runtime");
    // Before the word is looked at: a run that has begun by then ends by looking here.
    cell_.group.store(&GroupState::of(group), std::memory_order_seq_cst);
    loops::wake(cell_);
}

std::uint64_t Loop::random() {
    return next_random(extras().random_state);
}

Duration Loop::jittered(Duration period, Duration jitter) {
    if (jitter.is_zero()) return period;
    const auto span = static_cast<std::uint64_t>(jitter.microseconds()) + 1;
    return period - Duration::from_microseconds(static_cast<std::int64_t>(random() % span));
}

// ------------------------------------------------------------------------------------------------

Loop::Outcome Loop::run(Turn::Limits& limits) {
    const bool last = stopping();
    Turn turn(*this, limits);
    running_turn = &turn;
    bool more = false;
    do {
        more = run_timers(turn);
        more |= run_events(turn);
        report_failures(turn);
        run_deferred(turn);
    } while (more && !turn.out_of_time());
    if (last) {
        finish_events(turn);
        retire();
        running_turn = nullptr;
        return Outcome::stopped;
    }
    running_turn = nullptr;
    more = more || events_wait();
    return more ? Outcome::more : Outcome::idle;
}

bool Loop::run_timers(Turn& turn) {
    const Instant due = turn.now();
    for (unsigned i = 0; i < round_handlers; ++i) {
        Timer* const timer = timers_.take_due(due);
        if (timer == nullptr) return false;
        if (timer->period_.is_zero()) {
            timer->expiry_ = Instant::never();
        } else {
            Instant next = timer->expiry_ + jittered(timer->period_, timer->jitter_);
            if (next <= due) next = due + jittered(timer->period_, timer->jitter_);
            timers_.set(*timer, next);
        }
        const Function function = timer->function_;
        function(timer->context_, turn);
        if (turn.spent(function)) break;
    }
    return timers_.earliest() <= due;
}

bool Loop::run_events(Turn& turn) {
    for (unsigned i = 0; i < round_handlers; ++i) {
        if (cell_.events.empty() && !gather_events(turn)) return false;
        const Callback event = cell_.events.pop();
        event.function(event.context, turn);
        if (turn.spent(event.function)) break;
    }
    return events_wait();
}

/// False if nothing has come.
bool Loop::gather_events(Turn& turn) {
    if (!cell_.inbox.empty()) {
        turn.wait_for_more();
        turn.moderation_.took(cell_.events.gather(cell_.inbox));
    } else if (io_ != nullptr && turn.look_again()) {
        cell_.events.gather(cell_.inbox);
    }
    return !cell_.events.empty();
}

void Loop::report_failures(Turn& turn) {
    if (io_ == nullptr || !io_->failures) return;
    io_->failures = false;
    // A handler may destroy any watcher, so the search starts anew after each.
    Links& watchers = io_->watchers;
    for (Links* at = watchers.next; at != &watchers;) {
        auto& watcher = *static_cast<Watcher*>(at);
        at = at->next;
        if (!watcher.failed_) continue;
        watcher.failed_ = false;
        watcher.function_(watcher.context_, turn, Ready{.error = true});
        at = watchers.next;
    }
}

void Loop::run_deferred(Turn& turn) {
    while (turn.deferred_ != nullptr) {
        Deferred* const work = turn.deferred_;
        turn.deferred_ = work->next_;
        if (turn.deferred_ == nullptr) turn.deferred_end_ = &turn.deferred_;
        work->pending_ = false;
        work->callback_.function(work->callback_.context, turn);
    }
}

/// What was sent before the stop runs; sends from then on are refused.
void Loop::finish_events(Turn& turn) {
    for (unsigned i = 0; i < last_events_max; ++i) {
        if (cell_.events.empty()) cell_.events.gather(cell_.inbox);
        if (!cell_.events.empty()) {
            const Callback event = cell_.events.pop();
            event.function(event.context, turn);
            continue;
        }
        run_deferred(turn);
        if (cell_.events.empty() && cell_.inbox.try_close()) return;
    }
}

/// Nothing will run here any more: let go of everything that is tied to this loop.
void Loop::retire() {
    timers_.clear();
    cell_.events.close(cell_.inbox);
    while (!cell_.events.empty())
        WatchSlot::drop(cell_.events.pop());
    if (io_ != nullptr) io_->retire();
}

/// Before a run, domain held: what descriptors say comes to this thread from now on.
void Loop::settle_io(Worker& worker) {
    if (io_ != nullptr) io_->settle(worker);
}

/// After a run, domain still held: tells the thread when to wake us.
void Loop::settle_books(Worker& worker) {
    const Instant next = timers_.earliest();
    // An earlier appointment that has become void is kept; it costs one empty run at most. What
    // counts is whether the books still have it: another thread's clock may be ahead of ours.
    if (next < cell_.deadline) worker.set_deadline(cell_, next);
}

void Loop::set_timer(Timer& timer, Instant when) {
    if (running_here()) {
        timers_.set(timer, when);
        return;
    }
    // Of what was the earliest before the thread knows, or the loop has been woken to tell it.
    const Instant before = timers_.earliest();
    timers_.set(timer, when);
    if (when < before) loops::wake(cell_);
}

LoopIo& Loop::io() {
    // From outside, home may be changing hands.
    if (io_ == nullptr)
        io_ = std::make_unique<LoopIo>(*this, running_here() ? cell_.home : nullptr);
    return *io_;
}

void Loop::forget(Watcher& watcher) {
    Links& links = watcher;
    links.previous->next = links.next;
    links.next->previous = links.previous;
    links.next = links.previous = nullptr;
}

}  // namespace tern::loops
