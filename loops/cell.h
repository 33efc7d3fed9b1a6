#pragma once

/// The part of a loop that threads hand to each other.
/// Cells are owned by the runtime and recycled as cells only: a late wake-up through a stale
/// pointer (a readiness report, a sender overtaken by a stop) finds a valid word and at worst wakes
/// a loop for nothing. That is why no wake-up path needs a lock or a grace period.

#include "locking/futex_mutex.h"
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

struct LoopCell {
    static constexpr std::uint32_t no_index = UINT32_MAX;
    static constexpr std::uint16_t nobody = UINT16_MAX;

    std::atomic<std::uint64_t> word{0};
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

    std::atomic<bool> io_ready{false};  ///< the thread's poller reported our poller

    // Of whoever has popped the cell; read by the balancer of its home.
    std::atomic<std::uint16_t> hand_to{nobody};  ///< the balancer's wish: a worker of its group
    std::atomic<std::uint32_t> load_ns{0};       ///< run time, halved every load window
    std::atomic<std::uint16_t> load_window{0};
    std::atomic<std::uint16_t> owed_us{0};  ///< of its slice, given up for others; comes on top
    std::atomic<std::int64_t> moved_us{0};

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

/// Any thread; what it should see has been queued before.
void wake(LoopCell& cell) noexcept;

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

/// Cells waiting to be run. Pushing is lock-free for any thread, popping takes a short lock, so
/// that idle threads may help themselves.
class ReadyQueue {
  public:
    void push(LoopCell& cell) noexcept;
    LoopCell* pop() noexcept;
    /// Takes a certain cell out; false if it is not here. Linear; for teardown.
    bool remove(LoopCell& cell) noexcept;

    std::uint32_t size() const noexcept { return size_.load(std::memory_order_seq_cst); }

  private:
    void gather() noexcept;

    std::atomic<std::uint32_t> size_{0};  ///< counted before the push: a sleeper sees it first
    std::atomic<LoopCell*> incoming_{nullptr};
    locking::FutexMutex mutex_;
    LoopCell* first_ = nullptr;
    LoopCell* last_ = nullptr;
};

}  // namespace tern::loops
