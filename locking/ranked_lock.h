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

    LockRank rank() const { return rank_; }

    /// Order of construction in this process; decides between locks of one level in a PairLock.
    std::uint64_t serial() const { return serial_; }

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
    /// thread, before anything is locked: a thread that forks waits for both.
    void check_order(ThreadState& thread, Here where) const {
        if (rank_ <= thread.floor() || (rank_ < first_leaf_rank && thread.in_read_section()))
            [[unlikely]] {
            check_order_slowly(thread, where);
        }
    }

    void push(ThreadState& thread, Here where, bool shared) const {
        const std::uint32_t depth = thread.held();
        if (depth == held_depth_max) [[unlikely]]
            too_deep(where);
        const LockRank floor = thread.entries[depth].floor();
        thread.entries[depth + 1].set(this, where, floor > rank_ ? floor : rank_, shared);
        thread.depth.store(depth + 1, std::memory_order_relaxed);
    }

    void pop(ThreadState& thread, Here where) const {
        const std::uint32_t depth = thread.held();
        if (thread.entries[depth].lock() != this) [[unlikely]]
            release_violation(thread, where);
        thread.depth.store(depth - 1, std::memory_order_relaxed);
    }

    /// Counts one more acquisition by the holder; returns the number.
    std::uint64_t count_acquisition() {
        const std::uint64_t number = acquisitions() + 1;
        acquisitions_.store(number, std::memory_order_relaxed);
        return number;
    }

    [[noreturn]] void order_violation(const ThreadState& thread, Here where) const;
    [[noreturn]] void release_violation(const ThreadState& thread, Here where) const;
    [[noreturn]] void destroyed_while_held() const;

  private:
    void check_order_slowly(ThreadState& thread, Here where) const;
    [[noreturn]] void too_deep(Here where) const;

    std::uint64_t serial_;
    std::atomic<std::uint64_t> acquisitions_{0};
    LockRank rank_;
    std::uint8_t name_length_;
    char name_[name_bytes_max];
};

/// Calls `visit(lock, where)` for each lock this thread holds, outermost first.
template <class F>
void for_each_held(F&& visit) {
    const ThreadState& thread = thread_state;
    for (std::uint32_t i = 1; i <= thread.held(); ++i)
        visit(*thread.entries[i].lock(), thread.entries[i].where());
}

/// How many domains this thread holds.
inline std::size_t held_count() {
    return thread_state.held();
}

}  // namespace tern::locking
