#pragma once

/// Waiting for another thread that is about to finish: spin, longer each time, then let others run.
/// For the few waits that have no word to sleep on and last a handful of instructions of somebody
/// else. It never sleeps for a fixed time; whoever may wait long sleeps on a word instead. A value
/// of the waiter's frame.

#include <thread>

namespace tern::locking {

/// Tells the core that this is a spin loop.
inline void cpu_pause() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
    asm volatile("yield" ::: "memory");
#endif
}

/// Spins for some microseconds in all, then yields. A value of one wait, used by one thread.
class Backoff {
  public:
    void once() noexcept {
        if (pauses_ > pauses_max) {
            std::this_thread::yield();
            return;
        }
        for (unsigned i = 0; i < pauses_; ++i)
            cpu_pause();
        pauses_ *= 2;
    }

    /// Whether spinning is over and each further once() is a yield.
    bool yielding() const noexcept { return pauses_ > pauses_max; }

  private:
    static constexpr unsigned pauses_max = 64;  ///< about 1.5 us

    unsigned pauses_ = 1;
};

}  // namespace tern::locking
