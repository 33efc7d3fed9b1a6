#pragma once

/// What one thread holds right now: its stack of domains and its RCU read sections.
/// Private to the library; other headers include it because the fast paths are inline. One object
/// per thread, found by one TLS offset and written by its thread only. Everything in it may be read
/// by others, for grace periods and reports, so all of it is atomic, without order where that is
/// enough. It never allocates and has no destructor.

#include "locking/check.h"
#include "locking/lock_rank.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tern::locking {

class RankedLock;

/// Depth of the deepest chain of domains one thread may hold.
inline constexpr std::size_t held_depth_max = 48;

/// One lock held: which, taken where, and the highest rank held so far.
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

  private:
    std::uint64_t rest() const { return rest_.load(std::memory_order_relaxed); }

    std::atomic<const RankedLock*> lock_{nullptr};
    std::atomic<const char*> file_{""};
    std::atomic<std::uint64_t> rest_{0};  ///< line, shared, floor
};

/// What a sleeping thread waits for; `lock` is nullptr if it does not.
struct WaitEntry {
    std::atomic<const RankedLock*> lock{nullptr};
    std::atomic<const char*> file{""};
    std::atomic<int> line{0};
    std::atomic<std::uint64_t> since_ns{0};
};

struct ThreadState {
    // The word of RCU: phase, then whether entering needs more than a store, then nesting. Zero in
    // a thread that can enter with one store and is outside.
    static constexpr std::uint64_t nesting_mask = 0x7fff;
    static constexpr std::uint64_t not_plain = 0x8000;
    static constexpr unsigned phase_shift = 16;

    static constexpr LockRank not_introduced = 0xffff;

    alignas(64) std::atomic<std::uint64_t> reader_word{not_plain};
    std::atomic<std::uint32_t> depth{0};
    std::uint32_t depth_max = 0;  ///< held_depth_max once the thread is in the list
    std::uint32_t id = 0;         ///< of the system; set before the thread is in the list
    // Entry 0 is the floor of an empty stack. A thread that is not in the list has one above which
    // there is no rank, so that its first lock comes to introduce it.
    HeldEntry entries[held_depth_max + 1] = {HeldEntry(not_introduced)};
    WaitEntry waits;

    // Under the mutex of the list.
    ThreadState* next = nullptr;
    ThreadState** previous = nullptr;

    bool introduced() const { return entries[0].floor() != not_introduced; }

    std::uint32_t held() const { return depth.load(std::memory_order_relaxed); }

    LockRank floor() const { return entries[held()].floor(); }

    bool in_read_section() const {
        return (reader_word.load(std::memory_order_relaxed) & nesting_mask) != 0;
    }
};

// The address also serves as the thread's identity.
extern constinit thread_local ThreadState thread_state;

}  // namespace tern::locking
