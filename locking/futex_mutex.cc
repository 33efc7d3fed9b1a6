#include "locking/futex_mutex.h"

#include <algorithm>
#include <thread>

namespace tern::locking {

bool FutexMutex::lock_spinning(Waiter waiter) noexcept {
    const unsigned pauses_max = waiter.starved ? 1 : pauses_at_most;
    unsigned pauses = waiter.starved ? 1 : pauses_at_first;
    for (unsigned spun = 0; spun < spins; pauses = std::min(2 * pauses, pauses_max)) {
        if (pauses == pauses_before_yield) std::this_thread::yield();
        for (unsigned i = 0; i < pauses; ++i)
            cpu_pause();
        spun += pauses;
        std::uint32_t seen = word_.load(std::memory_order_relaxed);
        if (waiter.may_take(seen)) {
            if (take(seen, waiter.taken(seen))) return true;
        } else if (waiter.starved && (seen & reserved) == 0) {
            word_.compare_exchange_strong(seen, seen | reserved, std::memory_order_relaxed);
        }
    }
    return false;
}

/// Whether the waiter may sleep while the word is `word`; false if it can be taken.
bool FutexMutex::mark_for_sleep(Waiter waiter, std::uint32_t& word) noexcept {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    while (!waiter.may_take(seen)) {
        word = seen | slept_on | (waiter.starved ? reserved : 0);
        if (word_.compare_exchange_weak(seen, word, std::memory_order_relaxed)) return true;
    }
    return false;
}

void FutexMutex::lock_contended() noexcept {
    PlainSleeper sleeper;
    lock_contended(sleeper);
}

void FutexMutex::wake_next() noexcept {
    // Who is next may be through and have destroyed the mutex by now, so the word is not looked at.
    // It may be reserved for somebody who is awake; then this is for nothing.
    platform::wake_one(word_, platform::all_channels);
}

}  // namespace tern::locking
