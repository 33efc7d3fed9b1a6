// The books of a worker: which loops live here and when the earliest timer of each is due.
#include "loops/group_state.h"
#include "loops/worker.h"

#include <algorithm>
#include <thread>

namespace tern::loops {

void Worker::adopt(LoopCell& cell) {
    const std::lock_guard lock(books_);
    cell.home = this;
    cell.home_previous = nullptr;
    cell.home_next = home_;
    if (home_ != nullptr) home_->home_previous = &cell;
    home_ = &cell;
    home_count_.fetch_add(1, std::memory_order_relaxed);
    if (!cell.deadline.is_never()) heap_set(cell, cell.deadline);
    update_earliest();
}

void Worker::disown(LoopCell& cell) {
    const std::lock_guard lock(books_);
    const Instant deadline = cell.deadline;
    if (cell.heap_index != LoopCell::no_index) {
        heap_remove(cell);
        cell.deadline = deadline;  // travels along
    }
    (cell.home_previous == nullptr ? home_ : cell.home_previous->home_next) = cell.home_next;
    if (cell.home_next != nullptr) cell.home_next->home_previous = cell.home_previous;
    cell.home_next = cell.home_previous = nullptr;
    cell.home = nullptr;
    update_earliest();
    home_count_.fetch_sub(1, std::memory_order_release);
}

void Worker::set_deadline(LoopCell& cell, Instant at) {
    const std::lock_guard lock(books_);
    heap_set(cell, at);
    update_earliest();
}

void Worker::update_earliest() {
    const Instant first = deadlines_.empty() ? Instant::never() : deadlines_[0]->deadline;
    earliest_us_.store(first.microseconds(), std::memory_order_relaxed);
}

void Worker::heap_place(std::size_t index, LoopCell* cell) {
    deadlines_[index] = cell;
    cell->heap_index = static_cast<std::uint32_t>(index);
}

void Worker::heap_up(std::size_t index, LoopCell* cell) {
    while (index > 0) {
        const std::size_t parent = (index - 1) / 2;
        if (!(cell->deadline < deadlines_[parent]->deadline)) break;
        heap_place(index, deadlines_[parent]);
        index = parent;
    }
    heap_place(index, cell);
}

void Worker::heap_down(std::size_t index, LoopCell* cell) {
    for (;;) {
        std::size_t child = 2 * index + 1;
        if (child >= deadlines_.size()) break;
        if (child + 1 < deadlines_.size() &&
            deadlines_[child + 1]->deadline < deadlines_[child]->deadline) {
            ++child;
        }
        if (!(deadlines_[child]->deadline < cell->deadline)) break;
        heap_place(index, deadlines_[child]);
        index = child;
    }
    heap_place(index, cell);
}

void Worker::heap_set(LoopCell& cell, Instant at) {
    cell.deadline = at;
    if (cell.heap_index == LoopCell::no_index) {
        deadlines_.push_back(&cell);
        heap_up(deadlines_.size() - 1, &cell);
        return;
    }
    heap_up(cell.heap_index, &cell);
    heap_down(cell.heap_index, &cell);
}

void Worker::heap_remove(LoopCell& cell) {
    const std::size_t index = cell.heap_index;
    cell.heap_index = LoopCell::no_index;
    cell.deadline = Instant::never();
    LoopCell* const last = deadlines_.back();
    deadlines_.pop_back();
    if (index == deadlines_.size()) return;
    last->heap_index = static_cast<std::uint32_t>(index);
    heap_up(index, last);
    heap_down(last->heap_index, last);
}

void Worker::hand_over() {
    while (!demanded(end) && (home_count_.load(std::memory_order_acquire) > 0 || backlog() != 0)) {
        std::vector<LoopCell*> taken;
        {
            const std::lock_guard lock(books_);
            for (LoopCell* cell = home_; cell != nullptr; cell = cell->home_next) {
                if (change(*cell, step_take_idle).enqueue) taken.push_back(cell);
            }
        }
        while (LoopCell* cell = pop())
            taken.push_back(cell);
        for (LoopCell* cell : taken) {
            if (cell->home != nullptr) cell->home->disown(*cell);
            cell->group.load(std::memory_order_acquire)->inject(*cell);
        }
        // What is left has been popped by another thread or is on its way into the queue.
        if (taken.empty()) std::this_thread::yield();
    }
}

ThreadReport Worker::report(Instant now) const {
    ThreadReport report;
    report.group = group_.options().name;
    report.index = index_;
    report.system_id = system_id_.load(std::memory_order_relaxed);
    report.busy = busy();
    const std::uint64_t working_ns = times_.working_ns.load(std::memory_order_relaxed);
    report.working = Duration::from_microseconds(static_cast<std::int64_t>(working_ns / 1000));
    report.idle = Duration::from_microseconds(times_.idle.load(std::memory_order_relaxed));
    if (const std::int64_t asleep = times_.asleep_at.load(std::memory_order_relaxed); asleep != 0) {
        report.idle += now - Instant::from_microseconds(asleep);
    }
    report.running_since = running_for(now);
    const std::int64_t started = started_us_.load(std::memory_order_relaxed);
    if (started != 0) {
        const Duration alive = now - Instant::from_microseconds(started);
        report.overhead = std::max(alive - report.working - report.idle, Duration());
    }
    const std::lock_guard lock(books_);
    for (const LoopCell* cell = home_; cell != nullptr; cell = cell->home_next) {
        report.loops.push_back({std::string(cell->loop->name()), cell->loop->time_used()});
    }
    return report;
}

}  // namespace tern::loops
