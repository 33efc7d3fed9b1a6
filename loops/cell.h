#pragma once

/// The part of a loop that threads hand to each other.
/// Cells are owned by the runtime and recycled as cells only: a late wake-up through a stale
/// pointer (a readiness report, a sender overtaken by a stop) finds a valid word and at worst wakes
/// a loop for nothing. That is why no wake-up path needs a lock or a grace period.

#include "locking/futex_mutex.h"
#include "loops/event_queue.h"
#include "loops/loop_word.h"
#include "loops/time.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace tern::loops {

class GroupState;
class Loop;
class Worker;

/// 120 bytes; whose each part is stands beside it. Memory of a cell stays a cell until the runtime
/// ends, whatever becomes of its loop.
struct LoopCell {
    static constexpr std::uint32_t no_index = UINT32_MAX;
    static constexpr std::uint16_t nobody = UINT16_MAX;

    // What senders write.
    std::atomic<std::uint64_t> word{0};
    EventInbox inbox;
    std::atomic<GroupState*> group{nullptr};  ///< where it should run
    LoopCell* queue_next = nullptr;           ///< of the one queue it is in
    Loop* loop = nullptr;

    // In the books of the worker `home`, under its books lock. `home` itself changes only in the
    // hands of whoever has popped the cell.
    Worker* home = nullptr;
    LoopCell* home_next = nullptr;
    LoopCell* home_previous = nullptr;
    Instant deadline = Instant::never();
    std::uint32_t heap_index = no_index;

    // Of whoever has popped the cell; read by the balancer of its home.
    std::atomic<std::uint16_t> hand_to{nobody};  ///< the balancer's wish: a worker of its group
    std::atomic<std::uint32_t> load_ns{0};       ///< run time, halved every load window
    std::atomic<std::uint16_t> load_window{0};
    std::atomic<std::uint16_t> rest_us{0};   ///< of a slice cut short for others; 0: a new one
    std::atomic<std::uint32_t> moved_ms{0};  ///< when it came here from another thread; 0: never

    std::atomic<std::uint32_t> queue_depth{
        0};  ///< of those pushed and not yet gathered, this one included

    // Of the holder of the domain, who writes it with each event: 64 bytes behind what senders do.
    EventQueue events;
    std::atomic<std::uint64_t> used_ns{0};  ///< written by whoever runs it

    LoopWord read() const { return LoopWord::unpack(word.load(std::memory_order_seq_cst)); }
};

/// Applies `step(old)` atomically; returns what was installed (or found unchanged).
template <class Step>
LoopStep change(LoopCell& cell, Step&& step) noexcept {
    std::uint64_t old = cell.word.load(std::memory_order_seq_cst);
    for (;;) {
        const LoopStep result = step(LoopWord::unpack(old));
        const std::uint64_t next = result.next.pack();
        if (next == old) return result;
        if (cell.word.compare_exchange_weak(old, next, std::memory_order_seq_cst)) return result;
    }
}

/// Puts a cell that has become READY into the queue of its thread.
void enqueue(LoopCell& cell) noexcept;

/// Any thread; what it should see has been queued before.
inline void wake(LoopCell& cell) noexcept {
    // Whoever makes it READY also enqueues it; until then nobody can pop it, so `home` is stable.
    if (change(cell, step_wake).enqueue) enqueue(cell);
}

/// All cells of a runtime; grows to the largest number of loops at one time.
class CellStore {
  public:
    LoopCell& take();
    void give_back(LoopCell& cell);

  private:
    static constexpr std::size_t chunk_cells = 64;

    std::mutex mutex_;
    std::vector<std::unique_ptr<LoopCell[]>> chunks_;
    std::size_t fresh_ = chunk_cells;  ///< cells of the last chunk that were given out
    LoopCell* vacant_ = nullptr;
};

/// Who takes cells out of a queue.
enum class Takers : std::uint8_t {
    owner,   ///< the thread it belongs to, and whoever tears down when no thread runs
    anyone,  ///< idle threads help themselves
};

/// Cells waiting to be run. Any thread may push, without a lock. Taking out needs a short lock
/// where others take too; where only the owner does, neither that nor what it queues for itself
/// needs any locked instruction. How many there are is not counted apart: the newest knows how many
/// stand below it, and what has been gathered is counted by the taker.
class ReadyQueue {
  public:
    explicit ReadyQueue(Takers takers) : shared_(takers == Takers::anyone) {}

    void push(LoopCell& cell) noexcept;
    /// The same for the owner of the queue.
    void add(LoopCell& cell) noexcept;
    /// By the owner: before all others.
    void add_first(LoopCell& cell) noexcept;
    LoopCell* pop() noexcept;
    /// Takes a certain cell out; false if it is not here. Linear; for teardown.
    bool remove(LoopCell& cell) noexcept;

    /// Never zero while something is here; else a good guess while others push and take.
    std::uint32_t size() const noexcept {
        // In this order: who gathers counts before it takes the chain away.
        const LoopCell* const newest = incoming_.load(std::memory_order_seq_cst);
        const std::uint32_t gathered = gathered_.load(std::memory_order_seq_cst);
        if (newest == nullptr) return gathered;
        return gathered + newest->queue_depth.load(std::memory_order_relaxed);
    }

  private:
    class Taking;

    void gather() noexcept;
    void append(LoopCell& first, LoopCell& last, std::uint32_t count) noexcept;

    void count(std::uint32_t gathered) noexcept {
        gathered_.store(gathered, std::memory_order_release);
    }

    const bool shared_;
    std::atomic<std::uint32_t> gathered_{0};    ///< of the list from first_ to last_
    std::atomic<LoopCell*> incoming_{nullptr};  ///< newest first
    locking::FutexMutex mutex_;
    LoopCell* first_ = nullptr;
    LoopCell* last_ = nullptr;
};

}  // namespace tern::loops
