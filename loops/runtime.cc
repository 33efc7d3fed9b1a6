#include "loops/runtime.h"

#include "locking/check.h"
#include "loops/group_state.h"

#include <algorithm>

namespace tern::loops {

RuntimeState::RuntimeState(const RuntimeOptions& given)
    : options(given),
      pollers(given.pollers != nullptr ? *given.pollers : epoll),
      reap([](void* state, Turn&) { static_cast<RuntimeState*>(state)->join_ended(); }, this) {}

void RuntimeState::worker_ended(Worker& worker) {
    {
        const std::lock_guard guard(lock);
        ended.push_back(&worker);
    }
    reap.send(*main_loop);
}

void RuntimeState::join_ended() {
    std::vector<Worker*> gone;
    {
        const std::lock_guard guard(lock);
        gone.swap(ended);
    }
    for (Worker* worker : gone) {
        if (worker->thread.joinable()) worker->thread.join();
        Resize* const resize = worker->resize;
        worker->resize = nullptr;
        worker->group().recycle(*worker);
        if (resize == nullptr || resize->pending.fetch_sub(1) != 1) continue;
        complete(*resize);
    }
}

void RuntimeState::complete(Resize& resize) {
    resize.done->send(*resize.tell);
    const std::lock_guard guard(lock);
    std::erase_if(resizes, [&resize](const auto& each) { return each.get() == &resize; });
}

/// The loop's owner destroys it while no thread runs.
void RuntimeState::forget(LoopCell& cell) {
    Worker* const home = cell.home;
    bool queued = false;
    {
        const std::lock_guard guard(lock);
        for (const std::unique_ptr<GroupState>& group : groups) {
            queued = queued || group->remove_injected(cell);
            group->for_all([&](Worker& worker) { queued = queued || worker.remove(cell); });
        }
    }
    if (home != nullptr) home->disown(cell);
}

Runtime::Runtime(const RuntimeOptions& options)
    : clock_(options.clock != nullptr ? *options.clock : own_clock_),
      state_(std::make_unique<RuntimeState>(options)) {
    TERN_ASSERT(options.main_domain != nullptr, "a runtime needs the domain of its main loop");
    GroupOptions main;
    main.name = options.main_name;
    main.kind = GroupKind::pinned;
    state_->groups.push_back(std::make_unique<GroupState>(*this, main));
    state_->main().for_members([this](Worker& worker) { state_->main_worker = &worker; });
    main_loop_ =
        std::make_unique<Loop>(state_->main().face(), *options.main_domain, options.main_name);
    state_->main_loop = main_loop_.get();
}

Runtime::~Runtime() {
    end_threads();
    main_loop_.reset();
}

ThreadGroup& Runtime::add_group(const GroupOptions& options) {
    TERN_ASSERT(options.kind != GroupKind::pinned, "only the main group is pinned");
    auto group = std::make_unique<GroupState>(*this, options);
    ThreadGroup& face = group->face();
    const std::lock_guard lock(state_->lock);
    if (running()) group->start();
    state_->groups.push_back(std::move(group));
    return face;
}

ThreadGroup& Runtime::main_group() {
    return state_->main().face();
}

Loop& Runtime::main_loop() {
    return *main_loop_;
}

bool Runtime::running() const {
    return state_->running.load(std::memory_order_acquire);
}

void Runtime::start() {
    const std::lock_guard lock(state_->lock);
    if (state_->running.exchange(true)) return;
    for (const std::unique_ptr<GroupState>& group : state_->groups)
        group->start();
}

void Runtime::run() {
    TERN_ASSERT(state_->options.threads, "a runtime without threads is stepped by SimRuntime");
    start();
    state_->main_worker->serve();
    end_threads();
}

void Runtime::end_threads() {
    if (!running()) return;
    std::vector<std::thread> threads;
    {
        const std::lock_guard lock(state_->lock);
        for (const std::unique_ptr<GroupState>& group : state_->groups) {
            group->for_all([&](Worker& worker) {
                worker.demand(Worker::end);
                if (worker.thread.joinable()) threads.push_back(std::move(worker.thread));
            });
        }
    }
    for (std::thread& thread : threads)
        thread.join();
    state_->running.store(false, std::memory_order_release);
}

void Runtime::quit() noexcept {
    state_->main_worker->demand(Worker::end);
}

void Runtime::on_every_thread(ThreadHook hook, Loop& tell, Event& done) {
    auto* const run = new HookRun{hook, {1}, &tell, &done};
    {
        const std::lock_guard lock(state_->lock);
        for (const std::unique_ptr<GroupState>& group : state_->groups) {
            group->for_members([run](Worker& worker) {
                run->pending.fetch_add(1);
                worker.add_hook(*run);
            });
        }
    }
    run->ran();
}

void Runtime::set_maintenance(Maintenance function, void* context) {
    state_->maintenance = function;
    state_->maintenance_context = context;
}

void Runtime::set_thread_trim(ThreadHook hook) {
    state_->trim = hook;
}

void Runtime::set_slow_report(Duration limit, SlowSink sink, void* context) {
    state_->slow_sink = sink;
    state_->slow_context = context;
    set_slow_limit(limit);
}

void Runtime::set_slow_limit(Duration limit) {
    TERN_ASSERT(state_->slow_sink != nullptr || limit.is_infinite(), "slow runs without a sink");
    state_->slow_limit_us.store(limit.microseconds(), std::memory_order_relaxed);
}

std::vector<ThreadReport> Runtime::report_threads() const {
    std::vector<ThreadReport> reports;
    const Instant now = clock_.now();
    const std::lock_guard lock(state_->lock);
    for (const std::unique_ptr<GroupState>& group : state_->groups) {
        group->for_members([&](Worker& worker) { reports.push_back(worker.report(now)); });
    }
    return reports;
}

std::vector<GroupReport> Runtime::report_groups() const {
    std::vector<GroupReport> reports;
    const Instant now = clock_.now();
    const std::lock_guard lock(state_->lock);
    for (const std::unique_ptr<GroupState>& group : state_->groups) {
        GroupReport& report = reports.emplace_back();
        report.name = group->options().name;
        report.kind = group->options().kind;
        report.threads = group->threads();
        report.limits = group->limits();
        report.waiting = group->injected();
        if (report.waiting != 0) report.waiting_for = now - group->injected_since();
    }
    return reports;
}

// ------------------------------------------------------------------------------------------------

std::string_view ThreadGroup::name() const {
    return state_.options().name;
}

GroupKind ThreadGroup::kind() const {
    return state_.options().kind;
}

const GroupOptions& ThreadGroup::options() const {
    return state_.options();
}

Runtime& ThreadGroup::runtime() const {
    return state_.runtime();
}

unsigned ThreadGroup::threads() const {
    return state_.threads();
}

void ThreadGroup::set_limits(const GroupLimits& limits) {
    state_.set_limits(limits);
}

GroupLimits ThreadGroup::limits() const {
    return state_.limits();
}

std::uint64_t ThreadGroup::moves() const {
    return state_.moves.load(std::memory_order_relaxed);
}

void ThreadGroup::set_threads(unsigned count, Loop& tell, Event& done) {
    RuntimeState& runtime = *state_.runtime().state_;
    auto owned = std::make_unique<Resize>();
    Resize& resize = *owned;
    resize.tell = &tell;
    resize.done = &done;
    resize.pending.store(1);  // ours, so that it cannot complete half-way
    {
        const std::lock_guard lock(runtime.lock);
        runtime.resizes.push_back(std::move(owned));
    }
    state_.set_threads(count, resize);
    if (resize.pending.fetch_sub(1) == 1) runtime.complete(resize);
}

}  // namespace tern::loops
