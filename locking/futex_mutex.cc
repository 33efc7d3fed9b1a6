#include "locking/futex_mutex.h"

#include <algorithm>

namespace tern::locking {

bool FutexMutex::lock_spinning(Waiter waiter) noexcept {
    const unsigned pauses_max = waiter.starved ? 1 : spins_between_looks;
    unsigned pauses = 1;
    for (unsigned spun = 0; spun < spins; spun += pauses) {
        std::uint32_t seen = word_.load(std::memory_order_relaxed);
        if (waiter.may_take(seen)) {
            if (take(seen, waiter.taken())) return true;
        } else if (waiter.starved && (seen & reserved) == 0) {
            word_.compare_exchange_strong(seen, seen | reserved, std::memory_order_relaxed);
        }
        pauses = std::min(2 * pauses, pauses_max);
        for (unsigned i = 0; i < pauses; ++i)
            cpu_pause();
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

void FutexMutex::wake_next(std::uint32_t seen) noexcept {
    // Who is next may be through and have destroyed the mutex by now, so the word is not looked at.
    if ((seen & slept_on) == 0) return;  // it is reserved for somebody who is awake
    platform::wake_one(word_, (seen & reserved) != 0 ? starving : platform::all_channels);
}

}  // namespace tern::locking
