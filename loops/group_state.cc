#include "loops/group_state.h"

#include <algorithm>

#include <pthread.h>

namespace tern::loops {

void HookRun::ran() {
    if (pending.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    done->send(*tell);
    delete this;
}

GroupState::GroupState(Runtime& runtime, const GroupOptions& options)
    : runtime_(runtime), options_(options), face_(*this) {
    TERN_ASSERT(options.threads >= 1 && options.threads <= ThreadGroup::threads_max, "group ",
                options.name, " with ", options.threads, " threads");
    set_limits(options.limits);
    const std::lock_guard lock(lock_);
    for (unsigned i = 0; i < options.threads; ++i)
        hire();
}

void GroupState::set_limits(const GroupLimits& limits) noexcept {
    max_latency_us_.store(limits.max_latency.microseconds(), std::memory_order_relaxed);
    min_slice_us_.store(limits.min_slice.microseconds(), std::memory_order_relaxed);
    max_slice_us_.store(limits.max_slice.microseconds(), std::memory_order_relaxed);
    max_sleep_us_.store(limits.max_sleep.microseconds(), std::memory_order_relaxed);
}

/// Makes one more member; the lock is held.
Worker& GroupState::hire() {
    Worker* worker = nullptr;
    if (!vacant_.empty()) {
        worker = vacant_.back();
        vacant_.pop_back();
    } else {
        std::unique_ptr<Poller> poller = runtime_.state_->pollers.make(PollerUse::thread);
        TERN_ASSERT(poller != nullptr, "no poller for a thread of group ", options_.name);
        worker = workers_
                     .emplace_back(std::make_unique<Worker>(
                         *this, static_cast<std::uint16_t>(workers_.size()), std::move(poller)))
                     .get();
        if (options_.kind == GroupKind::latency) {
            std::atomic<const Worker*>& newest = runtime_.state_->latency_workers;
            worker->next_latency = newest.load(std::memory_order_relaxed);
            while (!newest.compare_exchange_weak(worker->next_latency, worker)) {
            }
        }
    }
    worker->member = true;
    members_.push_back(worker);
    member_count_.store(static_cast<unsigned>(members_.size()), std::memory_order_relaxed);
    return *worker;
}

void GroupState::spawn(Worker& worker) {
    if (options_.kind == GroupKind::pinned || !runtime_.state_->options.threads) return;
    worker.thread = std::thread([&worker] { worker.serve(); });
    std::string name = options_.name.substr(0, 10) + "-" + std::to_string(worker.index());
    pthread_setname_np(worker.thread.native_handle(), name.c_str());
}

void GroupState::start() {
    const std::lock_guard lock(lock_);
    if (started_) return;
    started_ = true;
    for (Worker* worker : members_)
        spawn(*worker);
}

void GroupState::set_threads(unsigned count, Resize& resize) {
    TERN_ASSERT(options_.kind != GroupKind::pinned, "the main thread is always one");
    TERN_ASSERT(count >= 1 && count <= ThreadGroup::threads_max, "group ", options_.name, " with ",
                count, " threads");
    bool freed = false;
    {
        const std::lock_guard lock(lock_);
        while (members_.size() < count) {
            Worker& worker = hire();
            if (started_) spawn(worker);
        }
        while (members_.size() > count) {
            Worker& worker = *members_.back();
            members_.pop_back();
            worker.member = false;
            worker.resize = &resize;
            resize.pending.fetch_add(1);
            worker.demand(Worker::leave);
            if (!started_) {  // there is no thread to do it
                worker.hand_over();
                worker.resize = nullptr;
                worker.rest();
                vacant_.push_back(&worker);
                resize.pending.fetch_sub(1);
            }
            freed = true;
        }
        member_count_.store(static_cast<unsigned>(members_.size()), std::memory_order_relaxed);
    }
    if (!freed) rouse_one();
}

void GroupState::recycle(Worker& worker) {
    worker.rest();
    const std::lock_guard lock(lock_);
    vacant_.push_back(&worker);
}

void GroupState::place(LoopCell& cell) {
    const std::lock_guard lock(lock_);
    const Instant now = runtime_.clock().now();
    loads_.clear();
    for (const Worker* worker : members_)
        loads_.push_back({worker->loops(), worker->load(now)});
    Worker& worker = *members_[choose_thread(loads_)];
    cell.group.store(this, std::memory_order_release);
    cell.moved_ms.store(0, std::memory_order_relaxed);
    worker.adopt(cell);
    change(cell, [&worker](LoopWord word) {
        word.owner = worker.index();
        word.state = LoopState::idle;
        word.flags = 0;
        return LoopStep{word, false};
    });
}

void GroupState::inject(LoopCell& cell) {
    if (injector_.size() == 0) {
        injected_since_us_.store(runtime_.clock().now().microseconds(), std::memory_order_relaxed);
    }
    injector_.push(cell);
    rouse_one();
}

bool GroupState::rouse_one() noexcept {
    if (sleepers.load(std::memory_order_seq_cst) == 0 || defects_.wakes_nobody) return false;
    const std::lock_guard lock(lock_);
    for (Worker* worker : members_) {
        if (worker->rouse()) return true;
    }
    return false;
}

bool GroupState::hand(LoopCell& cell, std::uint16_t to) {
    const std::lock_guard lock(lock_);
    if (to >= workers_.size() || !workers_[to]->member) return false;
    workers_[to]->push(cell);
    workers_[to]->rouse();
    return true;
}

}  // namespace tern::loops
