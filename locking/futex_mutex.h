#pragma once

/// The bare mutex inside a domain: four bytes, one compare-and-swap to take, one exchange to leave.
/// It exists apart from domain.h for the few places below domains (the list of RCU readers);
/// whoever can use a Domain uses a Domain, since nothing is checked here. A waiter spins shortly,
/// then sleeps in the kernel. Never allocates, owned by what it guards.

#include <atomic>

namespace tern::locking {

class FutexMutex {
  public:
    void lock() noexcept {
        if (!try_lock()) lock_contended();
    }

    bool try_lock() noexcept {
        int expected = unlocked;
        return state_.compare_exchange_strong(expected, locked, std::memory_order_acquire,
                                              std::memory_order_relaxed);
    }

    void unlock() noexcept {
        if (state_.exchange(unlocked, std::memory_order_release) == waited_for) {
            state_.notify_one();
        }
    }

    /// Waits after try_lock() failed.
    void lock_contended() noexcept;

  private:
    static constexpr int unlocked = 0;
    static constexpr int locked = 1;
    static constexpr int waited_for = 2;

    std::atomic<int> state_{unlocked};
};

/// Tells the core that this is a spin loop.
inline void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("yield" ::: "memory");
#endif
}

}  // namespace tern::locking
