#pragma once

/// The bare mutex inside a domain: four bytes, one compare-and-swap to take, one subtraction to
/// leave. It exists apart from domain.h for the few places below domains (the list of threads);
/// whoever can use a Domain uses a Domain, since nothing is checked here. A waiter spins shortly
/// and looks ever less often, lets others run once, then sleeps in the kernel. Newcomers may
/// overtake those that slept, which keeps the lock busy, but not without bound: who has waited for
/// `patience_ns` reserves the lock for those that slept, until it has had it. Never allocates,
/// owned by what it guards; whoever takes it next may destroy it.

#include "locking/annotations.h"
#include "locking/backoff.h"
#include "locking/platform.h"

#include <atomic>
#include <cstdint>

namespace tern::locking {

/// How the waiter of a bare mutex sleeps: without limit. A value of the waiter's frame. A domain
/// has another one, which reports long waits.
class PlainSleeper {
  public:
    PlainSleeper() : start_ns_(platform::now_ns()) {}

    void sleep(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::uint32_t channels) {
        platform::sleep_on(word, seen, channels, platform::no_limit);
    }

    std::uint64_t waited_ns() const { return platform::now_ns() - start_ns_; }

  private:
    std::uint64_t start_ns_;
};

/// Which of the two processes after a fork.
enum class ForkSide : std::uint8_t { parent, child };

/// Four bytes, immovable; zero is free. Any thread. Nothing is checked: who takes it twice waits
/// for ever, and an unlock by somebody else is not noticed.
class TERN_CAPABILITY("mutex") FutexMutex {
  public:
    void lock() noexcept TERN_ACQUIRE() TERN_NO_THREAD_SAFETY_ANALYSIS {
        if (!try_lock()) lock_contended();
    }

    bool try_lock() noexcept TERN_TRY_ACQUIRE(true) TERN_NO_THREAD_SAFETY_ANALYSIS {
        std::uint32_t seen = 0;
        if (!take(seen, locked)) [[unlikely]] {
            // Free, and somebody was woken for it, who will look after other sleepers.
            if (seen != slept_on || !take(seen, locked)) return false;
        }
        return true;
    }

    void unlock() noexcept TERN_RELEASE() TERN_NO_THREAD_SAFETY_ANALYSIS {
        // Compared with nothing but `locked`: then it is one instruction that sets the flags, which
        // is half a nanosecond less than one that also returns the word.
        if (word_.fetch_sub(locked, std::memory_order_release) != locked) [[unlikely]]
            wake_next();
    }

    /// In the child of a fork, by the thread that forked with the mutex held: it is free, and those
    /// who waited for it, or were promised it, are not there any more.
    void free_in_child() noexcept TERN_RELEASE() TERN_NO_THREAD_SAFETY_ANALYSIS {
        word_.store(0, std::memory_order_relaxed);
    }

    /// Waits after try_lock() failed.
    void lock_contended() noexcept TERN_ACQUIRE();

    /// The same with a sleeper of the caller's.
    template <class Sleeper>
    void lock_contended(Sleeper& sleeper) noexcept TERN_ACQUIRE() TERN_NO_THREAD_SAFETY_ANALYSIS;

    /// Sleeping waiters are overtaken for no longer than this.
    static constexpr std::uint64_t patience_ns = 1'000'000;

  private:
    // The word: taken, somebody may sleep, the next owner must be one who has slept. The second one
    // in a free mutex says that a sleeper was woken; who sleeps, or has slept, sets it anew for the
    // others. Who reserved the mutex takes it without the third one, others who slept leave it.
    static constexpr std::uint32_t locked = 1;
    static constexpr std::uint32_t slept_on = 2;
    static constexpr std::uint32_t reserved = 4;

    // About 25 us on x86-64, what a sleep and its wake-up cost two threads.
    static constexpr unsigned spins = 1000;
    // Each look takes the word's line away from the owner, who may be in and out many times between
    // two of them. So even the first look comes after 50 ns, and the others at ever longer
    // intervals, up to half of the spinning. Only who has reserved it looks all the time.
    static constexpr unsigned pauses_at_first = 2;
    static constexpr unsigned pauses_at_most = 512;
    // Before that interval, after some 6 us, a waiter lets others have its core. Threads that get
    // it by spinning never sleep, and who is woken on the core of one of them, or is the owner and
    // was preempted there, would have to wait for the kernel's next tick (4 ms).
    static constexpr unsigned pauses_before_yield = 256;

    /// What a waiter knows of itself.
    struct Waiter {
        bool slept = false;
        bool starved = false;

        bool may_take(std::uint32_t seen) const {
            return (seen & locked) == 0 && ((seen & reserved) == 0 || slept);
        }

        /// The word of a mutex that it takes: who slept minds the others that do, and who starved
        /// has got what it was reserved for.
        std::uint32_t taken(std::uint32_t seen) const {
            if (!slept) return locked;
            return locked | slept_on | (starved ? 0 : seen & reserved);
        }
    };

    bool take(std::uint32_t& seen, std::uint32_t word) noexcept {
        return word_.compare_exchange_strong(seen, word, std::memory_order_acquire,
                                             std::memory_order_relaxed);
    }

    bool lock_spinning(Waiter waiter) noexcept;
    bool mark_for_sleep(Waiter waiter, std::uint32_t& word) noexcept;
    void wake_next() noexcept;

    std::atomic<std::uint32_t> word_{0};
};

/// Holds a bare mutex until the end of the scope; Clang's analysis follows it, which it cannot do
/// with std::lock_guard.
class [[nodiscard]] TERN_SCOPED_CAPABILITY FutexLock {
  public:
    explicit FutexLock(FutexMutex& mutex) noexcept TERN_ACQUIRE(mutex) : mutex_(mutex) {
        mutex_.lock();
    }

    ~FutexLock() TERN_RELEASE() { mutex_.unlock(); }

    FutexLock(const FutexLock&) = delete;
    FutexLock& operator=(const FutexLock&) = delete;

  private:
    FutexMutex& mutex_;
};

template <class Sleeper>
void FutexMutex::lock_contended(Sleeper& sleeper) noexcept {
    Waiter waiter;
    while (!lock_spinning(waiter)) {
        std::uint32_t word = 0;
        if (!mark_for_sleep(waiter, word)) continue;
        sleeper.sleep(word_, word, platform::all_channels);
        waiter.slept = true;
        waiter.starved = waiter.starved || sleeper.waited_ns() > patience_ns;
    }
}

}  // namespace tern::locking
