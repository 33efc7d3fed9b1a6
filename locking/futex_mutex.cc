#include "locking/futex_mutex.h"

namespace tern::locking {

bool FutexMutex::lock_spinning() noexcept TERN_NO_THREAD_SAFETY_ANALYSIS {
    for (int i = 0; i < spins; ++i) {
        const std::uint32_t seen = word_.load(std::memory_order_relaxed);
        if (seen == 0 && try_lock()) return true;
        if ((seen & (slept_on | handover)) != 0) return false;
        cpu_pause();
    }
    return false;
}

void FutexMutex::lock_contended() noexcept {
    PlainSleeper sleeper;
    lock_contended(sleeper);
}

void FutexMutex::wake_next(std::uint32_t seen) noexcept {
    if ((seen & handover) != 0) {
        // The word keeps newcomers out until one who has waited long takes it.
        platform::wake_one(word_, starving);
        return;
    }
    // Whoever got in meanwhile wakes the next one; otherwise the mark goes, and who is woken sets
    // it again in case there are more.
    std::uint32_t left = slept_on;
    if (word_.compare_exchange_strong(left, 0, std::memory_order_relaxed))
        platform::wake_one(word_, platform::all_channels);
}

}  // namespace tern::locking
