#pragma once

/// What one thread holds right now: its stack of domains and its RCU read sections.
/// Private to the library; other headers include it because the fast paths are inline. One object
/// per thread, found by one TLS offset, written by its thread only (the RCU word is read by
/// others). It never allocates and has no destructor.

#include "locking/check.h"
#include "locking/lock_rank.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace tern::locking {

class RankedLock;

/// Depth of the deepest chain of domains one thread may hold.
inline constexpr std::size_t held_depth_max = 48;

struct HeldEntry {
    const RankedLock* lock = nullptr;
    const char* file = nullptr;
    std::int32_t line = 0;
    LockRank floor = 0;  ///< highest rank held so far; the next one must be above
    bool shared = false;
};

/// How this thread takes part in RCU; zero until its first read section.
enum class ReaderMode : std::uint8_t { unregistered, light, fenced };

struct ThreadState {
    // RCU part, scanned by writers of any thread.
    alignas(64) std::atomic<std::uint64_t> reader_word{0};  ///< phase << 16 | nesting
    ThreadState* next_reader = nullptr;                     ///< under the registry mutex
    ThreadState** previous_reader = nullptr;
    ReaderMode reader_mode = ReaderMode::unregistered;

    // Lock part. Entry 0 is the floor of an empty stack.
    std::uint32_t depth = 0;
    HeldEntry entries[held_depth_max + 1];

    LockRank floor() const { return entries[depth].floor; }

    bool in_read_section() const {
        return reader_word.load(std::memory_order_relaxed) & reader_nesting_mask;
    }

    static constexpr std::uint64_t reader_nesting_mask = 0xffff;
};

// Written and read by its own thread; the address also serves as the thread's identity.
extern constinit thread_local ThreadState thread_state;

}  // namespace tern::locking
