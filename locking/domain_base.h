#pragma once

/// The type-erased face of a domain: enough for loops, pools and reports.
/// It is the mutex with its name, rank, checks and counters; Domain<L> adds the level as a type.
/// Any thread may take it. Each check aborts at the first wrong step with both names and places,
/// who holds the domain, and where that thread took it. It never allocates and never calls its
/// user.

#include "locking/annotations.h"
#include "locking/futex_mutex.h"
#include "locking/ranked_lock.h"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace tern::locking {

class LockTimings;

/// Counters of one domain since it was made; exact for the thread that holds it, recent for others.
struct DomainStats {
    std::uint64_t acquisitions = 0;
    std::uint64_t contended = 0;      ///< acquisitions that had to wait
    std::uint64_t wait_ns_total = 0;  ///< only contended ones are timed
    std::uint64_t wait_ns_max = 0;    ///< to seven digits
};

/// A domain whose level is not known as a type, so that the order is checked at run time only.
/// Immovable; outlives its guards. Destroying it while it is held aborts.
class TERN_CAPABILITY("domain") DomainBase : public RankedLock {
  public:
    DomainBase(std::string_view name, LockRank rank) : RankedLock(name, rank) {}

    ~DomainBase() {
        if (holder_.load(std::memory_order_relaxed) != nullptr) [[unlikely]]
            destroyed_while_held();
    }

    bool held_by_this_thread() const {
        return holder_.load(std::memory_order_relaxed) == &thread_state;
    }

    /// Aborts with the names of this domain and of all that is held, unless this thread holds it.
    void assert_held(Here where = Here::now()) const TERN_ASSERT_CAPABILITY(this) {
        if (!held_by_this_thread()) [[unlikely]]
            not_held(where);
    }

    /// Tells Clang's analysis, and nobody else, what a guard in scope has made true. No check.
    void known_held() const TERN_ASSERT_CAPABILITY(this) {}

    /// Lock and unlock without a guard, for users that cannot have one (a loop around its handlers,
    /// a pool on its way down the tree). The same run-time checks apply. Inlined by force, as are
    /// the guards: the call and the six registers saved for it cost as much as a third locked
    /// instruction.
    [[gnu::always_inline]] void lock_erased(Here where = Here::now())
        TERN_NO_THREAD_SAFETY_ANALYSIS {
        ThreadState& thread = thread_state;
        HeldEntry* below = check_order(thread, where);
        if (mutex_.try_lock()) [[likely]] {
            settle(thread, below, where);
        } else {
            lock_waiting(thread, below, where);
        }
    }

    [[gnu::always_inline]] void unlock_erased(Here where = Here::now())
        TERN_NO_THREAD_SAFETY_ANALYSIS {
        ThreadState& thread = thread_state;
        HeldEntry& left = pop(thread, where);
        if (left.timed_from != 0) [[unlikely]]
            end_sample(left);
        holder_.store(nullptr, std::memory_order_relaxed);
        mutex_.unlock();
    }

    /// Takes the domain if nobody has it. It cannot wait, so it may go against the order; locks
    /// taken after it must still rank above everything held. Recursion gives false.
    [[nodiscard]] bool try_lock_erased(Here where = Here::now()) TERN_NO_THREAD_SAFETY_ANALYSIS;

    /// The same for a member of a group: the innermost held may also be an older one of this rank.
    /// What PairLock and GroupLock are made of.
    [[gnu::always_inline]] void lock_sibling_erased(Here where = Here::now())
        TERN_NO_THREAD_SAFETY_ANALYSIS {
        ThreadState& thread = thread_state;
        HeldEntry* below = thread.innermost();
        const RankedLock* previous = below->lock();
        const bool younger = previous != nullptr && previous->rank() == rank() &&
                             previous->made_before(*this) && below->floor() == rank();
        if (!younger || thread.in_read_section()) below = check_order(thread, where);
        if (mutex_.try_lock()) [[likely]] {
            settle(thread, below, where);
        } else {
            lock_waiting(thread, below, where);
        }
    }

    /// Around fork() only, in handlers of pthread_atfork(): nobody is inside the domain at that
    /// moment, and the child finds it free. Outside the order, since nothing else runs meanwhile.
    void hold_for_fork() noexcept TERN_NO_THREAD_SAFETY_ANALYSIS { mutex_.lock(); }

    void release_after_fork(ForkSide side) noexcept TERN_NO_THREAD_SAFETY_ANALYSIS {
        side == ForkSide::child ? mutex_.free_in_child() : mutex_.unlock();
    }

    DomainStats stats() const;

    /// From the next acquisition on, waits and holds go into `timings`; nullptr ends that. The
    /// caller holds the domain.
    void measure(LockTimings* timings, Here where = Here::now());

  private:
    /// The mutex is ours; writes it into the books.
    void settle(ThreadState& thread, HeldEntry* below, Here where) {
        holder_.store(&thread, std::memory_order_relaxed);
        const std::uint64_t number = count_acquisition();
        push(thread, below, where, false);
        if (number % sample_every == 0) [[unlikely]]
            begin_sample(thread);
    }

    static void count(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
        counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    void lock_waiting(ThreadState& thread,
                      HeldEntry* below,
                      Here where) TERN_NO_THREAD_SAFETY_ANALYSIS;
    void begin_sample(ThreadState& thread);
    void end_sample(HeldEntry& left);
    [[noreturn, gnu::cold]] void not_held(Here where) const;

    // One hold in this many is timed, if somebody wants to know.
    static constexpr std::uint64_t sample_every = 128;

    // There are as many as there are loops and pools, so it is kept at 88 bytes.
    FutexMutex mutex_;
    // Written by the holder only, read by anyone, as the other counters below.
    std::atomic<float> wait_ns_max_{0};
    std::atomic<const ThreadState*> holder_{nullptr};
    LockTimings* timings_ = nullptr;  ///< the holder's alone
    std::atomic<std::uint64_t> contended_{0};
    std::atomic<std::uint64_t> wait_ns_total_{0};
};

}  // namespace tern::locking
