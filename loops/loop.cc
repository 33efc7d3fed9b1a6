#include "loops/loop.h"

#include "loops/group_state.h"

#include <algorithm>
#include <array>

namespace tern::loops {

constinit thread_local Loop* running_loop = nullptr;

namespace {

// Handlers of one kind run before the other kinds get a chance again.
constexpr unsigned round_handlers = 64;
// Events that go on sending themselves are cut off there when their loop stops.
constexpr unsigned last_events_max = 100'000;
constexpr std::size_t reports_max = 32;
// So many ticks of the processor's counter may pass before the clock is read again: some
// microseconds at any frequency found in practice. Reading the counter costs less than the clock.
constexpr std::uint64_t ticks_between_reads = 16384;

std::uint64_t counter_ticks() {
#if defined(__x86_64__) || defined(__i386__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

std::uint64_t next_random(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

}  // namespace

Turn::Turn(Loop& loop, const Clock& clock, Instant now, Duration slice, std::uint32_t checks)
    : loop_(loop),
      clock_(clock),
      now_(now),
      end_(now_ + slice),
      ticks_(counter_ticks()),
      checks_(checks),
      virtual_time_(checks != 0) {}

void Turn::refresh() {
    now_ = clock_.now();
    ticks_ = counter_ticks();
}

bool Turn::out_of_time() {
    if (virtual_time_) {
        now_ = clock_.now();
        if (checks_ > 0) --checks_;
        return checks_ == 0;
    }
    const std::uint64_t ticks = counter_ticks();
    if (ticks == 0 || ticks - ticks_ > ticks_between_reads) refresh();
    return now_ >= end_;
}

void Turn::defer(Deferred& work) {
    if (work.pending_) return;
    work.pending_ = true;
    work.next_ = nullptr;
    *loop_.deferred_end_ = &work;
    loop_.deferred_end_ = &work.next_;
}

Loop::Loop(ThreadGroup& group, locking::DomainBase& domain, std::string_view name)
    : runtime_(group.runtime()),
      domain_(domain),
      cell_(runtime_.state_->cells.take()),
      name_(name),
      random_state_(runtime_.state_->options.seed) {
    const std::uint64_t number = runtime_.state_->loops_made.fetch_add(1);
    random_state_ += number * 0xd1342543de82ef95;
    cell_.loop = this;
    cell_.io_ready.store(false, std::memory_order_relaxed);
    GroupState::of(group).place(cell_);
}

Loop::~Loop() {
    if (cell_.read().state != LoopState::stopped) {
        TERN_ASSERT(!runtime_.running(), "loop ", name_, " destroyed without being stopped");
        const locking::TransitLock lock(domain_);
        retire();
        runtime_.state_->forget(cell_);
    }
    while (watchers_.next != &watchers_) {
        auto& watcher = *static_cast<Watcher*>(watchers_.next);
        forget(watcher);
        watcher.loop_ = nullptr;
    }
    change(cell_, [](LoopWord word) {
        return LoopStep{{LoopWord::no_owner, LoopState::vacant, 0, word.generation + 1}, false};
    });
    runtime_.state_->cells.give_back(cell_);
}

ThreadGroup& Loop::group() const {
    return cell_.group.load(std::memory_order_acquire)->face();
}

Instant Loop::now() const {
    return running_here() ? turn_->now() : runtime_.clock().now();
}

void Loop::wake() noexcept {
    loops::wake(cell_);
}

void Loop::stop(Loop& tell, Event& stopped) {
    TERN_ASSERT(tell_ == nullptr, "loop ", name_, " stopped twice");
    tell_ = &tell;
    stopped_event_ = &stopped;
    LoopCell& cell = cell_;
    change(cell, step_ask_stop);
    loops::wake(cell);
}

bool Loop::stopping() const {
    return cell_.read().has(LoopWord::stopping);
}

void Loop::move_to(ThreadGroup& group) {
    TERN_ASSERT(&group.runtime() == &runtime_, "loop ", name_, " moved to another runtime");
    cell_.group.store(&GroupState::of(group), std::memory_order_release);
    loops::wake(cell_);
}

std::uint64_t Loop::random() {
    return next_random(random_state_);
}

Duration Loop::jittered(Duration period, Duration jitter) {
    if (jitter.is_zero()) return period;
    const auto span = static_cast<std::uint64_t>(jitter.microseconds()) + 1;
    return period - Duration::from_microseconds(static_cast<std::int64_t>(random() % span));
}

// ------------------------------------------------------------------------------------------------

Loop::Outcome Loop::run(const RunLimits& limits) {
    const bool last = stopping();
    Turn turn(*this, *limits.clock, limits.now, limits.slice, limits.checks);
    turn_ = &turn;
    if (armed_ <= turn.now()) armed_ = Instant::never();
    bool more = false;
    do {
        more = run_timers(turn);
        more |= run_events(turn);
        more |= run_watchers(turn);
        run_deferred(turn);
    } while (more && !turn.out_of_time());
    if (last) {
        finish_events(turn);
        turn_ = nullptr;
        retire();
        return Outcome::stopped;
    }
    turn_ = nullptr;
    more = more || !events_.empty();
    return more ? Outcome::more : Outcome::idle;
}

bool Loop::run_timers(Turn& turn) {
    const Instant due = turn.now();
    for (unsigned i = 0; i < round_handlers; ++i) {
        Timer* const timer = timers_.first();
        if (timer == nullptr || timer->expiry_ > due) return false;
        if (timer->period_.is_zero()) {
            timers_.remove(*timer);
            timer->expiry_ = Instant::never();
        } else {
            Instant next = timer->expiry_ + jittered(timer->period_, timer->jitter_);
            if (next <= due) next = due + jittered(timer->period_, timer->jitter_);
            timer->expiry_ = next;
            timers_.set(*timer, next);
        }
        timer->function_(timer->context_, turn);
        if (turn.out_of_time()) break;
    }
    return timers_.earliest() <= due;
}

bool Loop::run_events(Turn& turn) {
    for (unsigned i = 0; i < round_handlers; ++i) {
        if (!run_event(turn)) return false;
        if (turn.out_of_time()) break;
    }
    return !events_.empty();
}

bool Loop::run_event(Turn& turn) {
    Event* const event = events_.pop();
    if (event == nullptr) return false;
    event->target_.store(nullptr, std::memory_order_release);
    event->function_(event->context_, turn);
    return true;
}

bool Loop::run_watchers(Turn& turn) {
    if (failures_) report_failures(turn);
    if (poller_ == nullptr || !cell_.io_ready.load(std::memory_order_relaxed)) return false;
    cell_.io_ready.store(false, std::memory_order_seq_cst);
    std::array<Poller::Report, reports_max> reports;
    const std::size_t count = poller_->wait(reports, Duration());
    bool more = count == reports.size();
    batch_ = std::span(reports).first(count);
    while (!batch_.empty()) {
        const Poller::Report report = batch_.front();
        batch_ = batch_.subspan(1);
        if (report.token == nullptr) continue;  // its watcher went away meanwhile
        static_cast<Watcher*>(report.token)->deliver(turn, report.ready);
        if (!batch_.empty() && turn.out_of_time()) {
            more = true;  // the rest is reported again
            break;
        }
    }
    batch_ = {};
    if (more) cell_.io_ready.store(true, std::memory_order_relaxed);
    return more;
}

void Loop::report_failures(Turn& turn) {
    failures_ = false;
    // A handler may destroy any watcher, so the search starts anew after each.
    for (Links* at = watchers_.next; at != &watchers_;) {
        auto& watcher = *static_cast<Watcher*>(at);
        at = at->next;
        if (!watcher.failed_) continue;
        watcher.failed_ = false;
        watcher.function_(watcher.context_, turn, Ready{.error = true});
        at = watchers_.next;
    }
}

void Loop::run_deferred(Turn& turn) {
    while (deferred_ != nullptr) {
        Deferred* const work = deferred_;
        deferred_ = work->next_;
        if (deferred_ == nullptr) deferred_end_ = &deferred_;
        work->pending_ = false;
        work->callback_.function(work->callback_.context, turn);
    }
}

/// What was sent before the stop runs; sends from then on are refused.
void Loop::finish_events(Turn& turn) {
    for (unsigned i = 0; i < last_events_max; ++i) {
        if (run_event(turn)) continue;
        run_deferred(turn);
        if (events_.try_close()) return;
    }
}

/// Nothing will run here any more: let go of everything that is tied to this loop.
void Loop::retire() {
    silent_ = true;
    timers_.clear();
    events_.close();
    for (Links* at = watchers_.next; at != &watchers_; at = at->next) {
        static_cast<Watcher*>(at)->watched_ = false;
    }
    if (watched_by_ != nullptr) watched_by_->poller().remove(poller_->descriptor());
    watched_by_ = nullptr;
    poller_.reset();
}

/// After a run, domain still held: tells the thread when to wake us and what to watch for us.
void Loop::settle_books(Worker& worker) {
    const Instant next = timers_.earliest();
    if (next < armed_) {
        // An earlier appointment that has become void is kept; it costs one empty run at most.
        armed_ = next;
        worker.set_deadline(cell_, next);
    }
    if (poller_ == nullptr || watched_by_ == &worker) return;
    if (watched_by_ != nullptr) watched_by_->poller().remove(poller_->descriptor());
    const int error = worker.poller().add(poller_->descriptor(), Interest::readable, &cell_);
    TERN_ASSERT(error == 0, "cannot watch loop ", name_, ", errno ", error);
    watched_by_ = &worker;
}

void Loop::timer_set(Instant when) {
    if (!running_here() && when < armed_) loops::wake(cell_);
}

/// The loop's poller, made with its first watcher; nullptr if the system refuses.
Poller* Loop::make_poller() {
    if (poller_ == nullptr) {
        poller_ = runtime_.state_->pollers.make(PollerUse::loop);
        if (poller_ != nullptr && !running_here()) loops::wake(cell_);
    }
    return poller_.get();
}

/// Takes the watcher out of the list and out of the reports not yet delivered.
void Loop::forget(Watcher& watcher) {
    for (Poller::Report& report : batch_) {
        if (report.token == &watcher) report.token = nullptr;
    }
    Links& links = watcher;
    links.previous->next = links.next;
    links.next->previous = links.previous;
    links.next = links.previous = nullptr;
}

}  // namespace tern::loops
