#pragma once

/// What every lock with a rank has, exclusive or shared: name, rank, serial, and the checks.
/// Owned by what it guards, immovable. The checks compare with what the calling thread holds and
/// abort at the first wrong step, in every build; they cost a few plain loads and stores. It never
/// allocates.

#include "locking/check.h"
#include "locking/lock_rank.h"
#include "locking/thread_state.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tern::locking {

/// The base of DomainBase and SharedDomainBase; not for direct use.
class RankedLock {
  public:
    RankedLock(const RankedLock&) = delete;
    RankedLock& operator=(const RankedLock&) = delete;

    /// At most name_bytes_max bytes of the name given at construction.
    std::string_view name() const { return {name_, name_length_}; }

    LockRank rank() const { return static_cast<LockRank>(serial_and_rank_); }

    /// Order of construction in this process; decides between locks of one level in a PairLock.
    std::uint64_t serial() const { return serial_and_rank_ >> rank_bits; }

    bool made_before(const RankedLock& other) const {
        return serial_and_rank_ < other.serial_and_rank_;  // no two have one serial
    }

    /// How often it was taken exclusively; exact for who holds it, recent for others.
    std::uint64_t acquisitions() const { return acquisitions_.load(std::memory_order_relaxed); }

    /// Locks that exist in this process now; tests use it to find leaks.
    static std::uint64_t alive();

    static constexpr std::size_t name_bytes_max = 31;

  protected:
    RankedLock(std::string_view name, LockRank rank);

    /// Waits for reports of other threads that may be looking at this lock.
    ~RankedLock();

    /// The three refuse with an abort whatever breaks the rules. The first one also introduces the
    /// thread, before anything is locked: a thread that forks waits for both. It returns what to
    /// push() on, so that nothing has to be looked up while the lock is held.
    HeldEntry* check_order(ThreadState& thread, Here where) const {
        if (rank() <= thread.innermost()->floor()) [[unlikely]] {
            check_order_slowly(thread, where);
        }
        if (thread.in_read_section()) [[unlikely]] {
            if (rank() < first_leaf_rank) check_order_slowly(thread, where);
        }
        return thread.innermost();
    }

    void push(ThreadState& thread, HeldEntry* below, Here where, bool shared) const {
        if (below == &thread.entries[held_depth_max]) [[unlikely]]
            too_deep(where);
        const LockRank floor = below->floor();
        below[1].set(this, where, floor > rank() ? floor : rank(), shared);
        thread.top.store(below + 1, std::memory_order_relaxed);
    }

    /// Returns the entry, which stays as it is until the next push().
    HeldEntry& pop(ThreadState& thread, Here where) const {
        HeldEntry* top = thread.innermost();
        if (top->lock() != this) [[unlikely]]
            release_violation(thread, where);
        thread.top.store(top - 1, std::memory_order_relaxed);
        return *top;
    }

    /// Counts one more acquisition by the holder; returns the number.
    std::uint64_t count_acquisition() {
        const std::uint64_t number = acquisitions() + 1;
        acquisitions_.store(number, std::memory_order_relaxed);
        return number;
    }

    [[noreturn, gnu::cold]] void order_violation(const ThreadState& thread, Here where) const;
    [[noreturn, gnu::cold]] void release_violation(const ThreadState& thread, Here where) const;
    [[noreturn, gnu::cold]] void destroyed_while_held() const;

  private:
    [[gnu::cold]] void check_order_slowly(ThreadState& thread, Here where) const;
    [[noreturn, gnu::cold]] void too_deep(Here where) const;

    static constexpr unsigned rank_bits = 16;

    std::atomic<std::uint64_t> acquisitions_{0};
    std::uint64_t serial_and_rank_;  ///< the rank below
    std::uint8_t name_length_;
    char name_[name_bytes_max];
};

/// Calls `visit(lock, where)` for each lock this thread holds, outermost first; `visit` takes and
/// leaves none.
template <class F>
void for_each_held(F&& visit) {
    for (const HeldEntry& entry : thread_state.held())
        visit(*entry.lock(), entry.where());
}

/// How many domains this thread holds, those held for reading included.
inline std::size_t held_count() {
    return thread_state.held().size();
}

}  // namespace tern::locking
