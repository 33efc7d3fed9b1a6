#include "loops/cell.h"

#include "loops/worker.h"

namespace tern::loops {

namespace {

/// Two inlined atomics where std::mutex has two calls; it is taken for each run of a loop.
class ShortLock {
  public:
    explicit ShortLock(locking::FutexMutex& mutex) : mutex_(mutex) {
        if (!mutex_.try_lock()) mutex_.lock_contended();
    }

    ~ShortLock() { mutex_.unlock(); }

    ShortLock(const ShortLock&) = delete;
    ShortLock& operator=(const ShortLock&) = delete;

  private:
    locking::FutexMutex& mutex_;
};

}  // namespace

void wake(LoopCell& cell) noexcept {
    // Whoever makes it READY also enqueues it; until then nobody can pop it, so `home` is stable.
    if (change(cell, step_wake).enqueue) cell.home->enqueue(cell);
}

LoopCell& CellStore::take() {
    const std::lock_guard lock(mutex_);
    if (vacant_ == nullptr) {
        if (fresh_ == chunk_cells) {
            chunks_.push_back(std::make_unique<LoopCell[]>(chunk_cells));
            fresh_ = 0;
        }
        return chunks_.back()[fresh_++];
    }
    LoopCell& cell = *vacant_;
    vacant_ = cell.home_next;
    cell.home_next = nullptr;
    return cell;
}

void CellStore::give_back(LoopCell& cell) {
    cell.loop = nullptr;
    cell.hand_to.store(LoopCell::nobody, std::memory_order_relaxed);
    cell.load_ns.store(0, std::memory_order_relaxed);
    cell.owed_us.store(0, std::memory_order_relaxed);
    cell.deadline = Instant::never();
    const std::lock_guard lock(mutex_);
    cell.home_next = vacant_;
    vacant_ = &cell;
}

void ReadyQueue::push(LoopCell& cell) noexcept {
    size_.fetch_add(1, std::memory_order_seq_cst);
    LoopCell* head = incoming_.load(std::memory_order_relaxed);
    do {
        cell.queue_next = head;
    } while (!incoming_.compare_exchange_weak(head, &cell, std::memory_order_release,
                                              std::memory_order_relaxed));
}

void ReadyQueue::gather() noexcept {
    LoopCell* newest = incoming_.exchange(nullptr, std::memory_order_acquire);
    LoopCell* const end = newest;
    LoopCell* oldest = nullptr;
    while (newest != nullptr) {
        LoopCell* const next = newest->queue_next;
        newest->queue_next = oldest;
        oldest = newest;
        newest = next;
    }
    if (oldest == nullptr) return;
    (first_ == nullptr ? first_ : last_->queue_next) = oldest;
    last_ = end;
}

LoopCell* ReadyQueue::pop() noexcept {
    if (size_.load(std::memory_order_relaxed) == 0) return nullptr;
    const ShortLock lock(mutex_);
    if (first_ == nullptr) gather();
    LoopCell* const cell = first_;
    if (cell == nullptr) return nullptr;
    first_ = cell->queue_next;
    if (first_ == nullptr) last_ = nullptr;
    cell->queue_next = nullptr;
    size_.fetch_sub(1, std::memory_order_seq_cst);
    return cell;
}

bool ReadyQueue::remove(LoopCell& cell) noexcept {
    const ShortLock lock(mutex_);
    gather();
    LoopCell* previous = nullptr;
    for (LoopCell* at = first_; at != nullptr; previous = at, at = at->queue_next) {
        if (at != &cell) continue;
        (previous == nullptr ? first_ : previous->queue_next) = cell.queue_next;
        if (last_ == &cell) last_ = previous;
        cell.queue_next = nullptr;
        size_.fetch_sub(1, std::memory_order_seq_cst);
        return true;
    }
    return false;
}

}  // namespace tern::loops
