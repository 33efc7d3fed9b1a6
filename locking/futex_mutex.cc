#include "locking/futex_mutex.h"

#include <thread>

namespace tern::locking {

namespace {

// About 5 us of spinning: longer than most critical sections, shorter than one sleep and wake-up.
constexpr int spins = 200;

}  // namespace

void FutexMutex::lock_contended() noexcept {
    for (int i = 0; i < spins; ++i) {
        const int seen = state_.load(std::memory_order_relaxed);
        if (seen == unlocked && try_lock()) return;
        if (seen == waited_for) break;
        cpu_pause();
    }
    while (state_.exchange(waited_for, std::memory_order_acquire) != unlocked) {
        state_.wait(waited_for, std::memory_order_relaxed);
    }
}

}  // namespace tern::locking
