#pragma once

/// What one thread holds right now: its stack of domains and its RCU read sections.
/// Private to the library; other headers include it because the fast paths are inline. One object
/// per thread, found by one TLS offset and written by its thread only. Nearly everything in it may
/// be read by others, for grace periods and reports, and is atomic, without order where that is
/// enough. It never allocates and has no destructor.

#include "locking/check.h"
#include "locking/lock_rank.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern::locking {

class RankedLock;

/// Depth of the deepest chain of domains one thread may hold.
inline constexpr std::size_t held_depth_max = 48;

/// One lock held: which, taken where, the highest rank held so far, and since when if that is
/// timed.
class HeldEntry {
  public:
    HeldEntry() = default;

    constexpr explicit HeldEntry(LockRank floor) : rest_(floor) {}

    void set(const RankedLock* lock, Here where, LockRank floor, bool shared) {
        lock_.store(lock, std::memory_order_relaxed);
        file_.store(where.file, std::memory_order_relaxed);
        rest_.store(static_cast<std::uint64_t>(static_cast<std::uint32_t>(where.line)) << 32 |
                        static_cast<std::uint64_t>(shared) << 16 | floor,
                    std::memory_order_relaxed);
    }

    const RankedLock* lock() const { return lock_.load(std::memory_order_relaxed); }

    Here where() const {
        return {file_.load(std::memory_order_relaxed), static_cast<int>(rest() >> 32)};
    }

    /// The next lock must rank above this.
    LockRank floor() const { return static_cast<LockRank>(rest()); }

    bool shared() const { return (rest() >> 16 & 1) != 0; }

    // The thread's alone; set() leaves it as it is.
    std::uint64_t timed_from = 0;  ///< in ticks; 0 if this hold is not timed

  private:
    std::uint64_t rest() const { return rest_.load(std::memory_order_relaxed); }

    std::atomic<const RankedLock*> lock_{nullptr};
    std::atomic<const char*> file_{""};
    std::atomic<std::uint64_t> rest_{0};  ///< line, shared, floor
};

/// Where a thread stands that is not in the list: above it there is no rank, so that the first lock
/// comes to introduce the thread. Never written.
extern constinit HeldEntry outside_of_the_list;

/// What a sleeping thread waits for; `lock` is nullptr if it does not.
struct WaitEntry {
    std::atomic<const RankedLock*> lock{nullptr};
    std::atomic<const char*> file{""};
    std::atomic<int> line{0};
    std::atomic<std::uint64_t> since_ns{0};
};

/// All that is known about one thread. Written by that thread, the links of the list aside; its
/// address is good as long as the thread is in the list.
struct ThreadState {
    // The word of RCU: phase, then whether entering needs more than a store, then nesting. Zero in
    // a thread that can enter with one store and is outside.
    static constexpr std::uint64_t nesting_mask = 0x7fff;
    static constexpr std::uint64_t not_plain = 0x8000;
    static constexpr unsigned phase_shift = 16;

    alignas(64) std::atomic<std::uint64_t> reader_word{not_plain};
    std::atomic<HeldEntry*> top{&outside_of_the_list};
    HeldEntry entries[held_depth_max + 1];  ///< the first is the floor of an empty stack
    std::uint32_t id = 0;                   ///< of the system; set before the thread is in the list
    WaitEntry waits;

    // Under the mutex of the list.
    ThreadState* next = nullptr;
    ThreadState** previous = nullptr;

    /// The entry of the lock taken last.
    HeldEntry* innermost() const { return top.load(std::memory_order_relaxed); }

    bool introduced() const { return innermost() != &outside_of_the_list; }

    /// What the thread holds, outermost first.
    std::span<const HeldEntry> held() const {
        const HeldEntry* last = innermost();
        if (last == &outside_of_the_list) return {};
        return {entries + 1, static_cast<std::size_t>(last - entries)};
    }

    bool in_read_section() const {
        return (reader_word.load(std::memory_order_relaxed) & nesting_mask) != 0;
    }
};

// The address also serves as the thread's identity.
extern constinit thread_local ThreadState thread_state;

}  // namespace tern::locking
