#include "loops/cell.h"

#include "loops/worker.h"

namespace tern::loops {

void enqueue(LoopCell& cell) noexcept {
    cell.home->enqueue(cell);
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
    cell.rest_us.store(0, std::memory_order_relaxed);
    cell.used_ns.store(0, std::memory_order_relaxed);
    cell.deadline = Instant::never();
    const std::lock_guard lock(mutex_);
    cell.home_next = vacant_;
    vacant_ = &cell;
}

/// The right to take out. The lock is two inlined atomics where std::mutex has two calls.
class ReadyQueue::Taking {
  public:
    explicit Taking(ReadyQueue& queue) TERN_NO_THREAD_SAFETY_ANALYSIS : queue_(queue) {
        if (queue_.shared_) queue_.mutex_.lock();
    }

    ~Taking() TERN_NO_THREAD_SAFETY_ANALYSIS {
        if (queue_.shared_) queue_.mutex_.unlock();
    }

    Taking(const Taking&) = delete;
    Taking& operator=(const Taking&) = delete;

  private:
    ReadyQueue& queue_;
};

void ReadyQueue::push(LoopCell& cell) noexcept {
    // Acquired, since it is looked at: its depth was written before it was pushed.
    LoopCell* head = incoming_.load(std::memory_order_acquire);
    do {
        cell.queue_next = head;
        // The head may have been taken, and pushed elsewhere, meanwhile: then the swap fails.
        const std::uint32_t below =
            head == nullptr ? 0 : head->queue_depth.load(std::memory_order_relaxed);
        cell.queue_depth.store(below + 1, std::memory_order_relaxed);
    } while (!incoming_.compare_exchange_weak(head, &cell, std::memory_order_seq_cst,
                                              std::memory_order_acquire));
}

void ReadyQueue::add(LoopCell& cell) noexcept {
    if (shared_) {
        push(cell);
        return;
    }
    if (incoming_.load(std::memory_order_relaxed) != nullptr) gather();
    cell.queue_next = nullptr;
    append(cell, cell, 1);
}

void ReadyQueue::add_first(LoopCell& cell) noexcept {
    const Taking taking(*this);
    cell.queue_next = first_;
    first_ = &cell;
    if (last_ == nullptr) last_ = &cell;
    count(gathered_.load(std::memory_order_relaxed) + 1);
}

void ReadyQueue::append(LoopCell& first, LoopCell& last, std::uint32_t count_) noexcept {
    (first_ == nullptr ? first_ : last_->queue_next) = &first;
    last_ = &last;
    count(gathered_.load(std::memory_order_relaxed) + count_);
}

/// Turns what was pushed round and appends it.
void ReadyQueue::gather() noexcept {
    const std::uint32_t before = gathered_.load(std::memory_order_relaxed);
    count(before + 1);
    LoopCell* newest = incoming_.exchange(nullptr, std::memory_order_acq_rel);
    LoopCell* const end = newest;
    LoopCell* oldest = nullptr;
    std::uint32_t found = 0;
    while (newest != nullptr) {
        LoopCell* const next = newest->queue_next;
        newest->queue_next = oldest;
        oldest = newest;
        newest = next;
        ++found;
    }
    count(before);
    if (oldest != nullptr) append(*oldest, *end, found);
}

LoopCell* ReadyQueue::pop() noexcept {
    if (size() == 0) return nullptr;
    const Taking taking(*this);
    if (first_ == nullptr) gather();
    LoopCell* const cell = first_;
    if (cell == nullptr) return nullptr;
    first_ = cell->queue_next;
    if (first_ == nullptr) last_ = nullptr;
    cell->queue_next = nullptr;
    count(gathered_.load(std::memory_order_relaxed) - 1);
    return cell;
}

bool ReadyQueue::remove(LoopCell& cell) noexcept {
    const Taking taking(*this);
    gather();
    LoopCell* previous = nullptr;
    for (LoopCell* at = first_; at != nullptr; previous = at, at = at->queue_next) {
        if (at != &cell) continue;
        (previous == nullptr ? first_ : previous->queue_next) = cell.queue_next;
        if (last_ == &cell) last_ = previous;
        cell.queue_next = nullptr;
        count(gathered_.load(std::memory_order_relaxed) - 1);
        return true;
    }
    return false;
}

}  // namespace tern::loops
