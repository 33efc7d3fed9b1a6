#pragma once

/// A domain that many may read and one may write, under the same order and checks as Domain.
/// For data that is read far more often than written and where the reader must exclude the writer;
/// where it need not, RCU is cheaper. Writers go first: a waiting writer keeps new readers out.
/// A reader cannot become a writer (it would wait for itself) and a thread takes it once only.
/// Owned by what it guards; never allocates.

#include "locking/domain.h"
#include "locking/lock_report.h"

#include <atomic>
#include <cstdint>
#include <string_view>

namespace tern::locking {

/// Proof that this thread may read what a shared domain of level L guards.
template <class L>
class HeldShared : public Position<L> {
  protected:
    HeldShared() = default;
    ~HeldShared() = default;
};

/// Counters of one shared domain. Reads that do not wait are not counted: readers would slow each
/// other down by it.
struct SharedDomainStats {
    std::uint64_t writes = 0;
    std::uint64_t contended_reads = 0;
    std::uint64_t contended_writes = 0;
    std::uint64_t wait_ns_total = 0;  ///< of the contended
    std::uint64_t wait_ns_max = 0;
};

/// A shared domain whose level is not known as a type: the checks, the word and the counters. A
/// read changes that word, which costs all readers its cache line. At most 65535 readers at once;
/// one more aborts, as does destroying it while it is held.
class TERN_CAPABILITY("shared domain") SharedDomainBase : public RankedLock {
  public:
    SharedDomainBase(std::string_view name, LockRank rank) : RankedLock(name, rank) {}

    ~SharedDomainBase() {
        if (word_.load(std::memory_order_relaxed) != 0) [[unlikely]]
            destroyed_while_held();
    }

    [[gnu::always_inline]] void lock_shared_erased(Here where = Here::now()) {
        ThreadState& thread = thread_state;
        HeldEntry* below = check_order(thread, where);
        if (!try_read(where)) [[unlikely]]
            wait_to_read(thread, where);
        push(thread, below, where, true);
    }

    [[gnu::always_inline]] void unlock_shared_erased(Here where = Here::now()) {
        pop(thread_state, where);
        const std::uint32_t before = word_.fetch_sub(one_reader, std::memory_order_release);
        if ((before & readers_mask) == one_reader && (before & waiting_mask) != 0) [[unlikely]]
            wake_writer();
    }

    void lock_erased(Here where = Here::now());
    void unlock_erased(Here where = Here::now());

    /// They cannot wait, so they may go against the order. Recursion aborts for the reader, since
    /// it would succeed.
    [[nodiscard]] bool try_lock_shared_erased(Here where = Here::now());
    [[nodiscard]] bool try_lock_erased(Here where = Here::now());

    bool held_by_this_thread() const {
        return writer_.load(std::memory_order_relaxed) == &thread_state;
    }

    /// For reading or writing; looks through what this thread holds.
    bool held_shared_by_this_thread() const;

    /// Aborts unless this thread may write.
    void assert_held(Here where = Here::now()) const TERN_ASSERT_CAPABILITY(this);
    /// Aborts unless this thread may read.
    void assert_held_shared(Here where = Here::now()) const TERN_ASSERT_SHARED_CAPABILITY(this);

    /// They tell Clang's analysis, and nobody else, what a guard in scope has made true. No check.
    void known_held() const TERN_ASSERT_CAPABILITY(this) {}

    void known_held_shared() const TERN_ASSERT_SHARED_CAPABILITY(this) {}

    SharedDomainStats stats() const;

  private:
    // The word: readers inside, writers waiting, a writer inside.
    static constexpr std::uint32_t one_reader = 1;
    static constexpr std::uint32_t readers_mask = 0xffff;
    static constexpr std::uint32_t one_waiting = 0x10000;
    static constexpr std::uint32_t waiting_mask = 0x3fff0000;
    static constexpr std::uint32_t readers_sleep = 0x40000000;
    static constexpr std::uint32_t writing = 0x80000000;

    // Where sleepers stand.
    static constexpr std::uint32_t readers_channel = 1;
    static constexpr std::uint32_t writers_channel = 2;

    [[gnu::always_inline]] bool try_read(Here where) {
        std::uint32_t seen = word_.load(std::memory_order_relaxed);
        while ((seen & (writing | waiting_mask)) == 0) {
            if ((seen & readers_mask) == readers_mask) [[unlikely]]
                too_many_readers(where);
            if (word_.compare_exchange_weak(seen, seen + one_reader, std::memory_order_acquire,
                                            std::memory_order_relaxed)) {
                return true;
            }
        }
        return false;
    }

    [[noreturn, gnu::cold]] void too_many_readers(Here where) const;
    void wake_writer();
    void wait_to_read(ThreadState& thread, Here where);
    void wait_to_write(ThreadState& thread, Here where);
    void count_wait(std::uint64_t waited_ns);

    std::atomic<std::uint32_t> word_{0};
    std::atomic<const ThreadState*> writer_{nullptr};
    std::atomic<std::uint64_t> contended_reads_{0};
    std::atomic<std::uint64_t> contended_writes_{0};
    std::atomic<std::uint64_t> wait_ns_total_{0};
    std::atomic<std::uint64_t> wait_ns_max_{0};
};

template <Level L>
class SharedDomain;

/// Holds a shared domain for reading until the end of the scope.
template <Level L>
class [[nodiscard]] ReadGuard : public HeldShared<L> {
  public:
    [[gnu::always_inline]] ~ReadGuard() { domain_.unlock_shared_erased(where_); }

  private:
    friend class SharedDomain<L>;

    ReadGuard(SharedDomainBase& domain, Here where) : domain_(domain), where_(where) {}

    SharedDomainBase& domain_;
    mutable Here where_;  ///< as in Guard
};

/// Holds a shared domain for writing until the end of the scope.
template <Level L>
class [[nodiscard]] WriteGuard : public Held<L> {
  public:
    ~WriteGuard() { domain_.unlock_erased(where_); }

  private:
    friend class SharedDomain<L>;

    WriteGuard(SharedDomainBase& domain, Here where) : domain_(domain), where_(where) {}

    SharedDomainBase& domain_;
    Here where_;
};

/// A shared domain of level L; immovable, outlives its guards. Any thread.
template <Level L>
class SharedDomain final : public SharedDomainBase {
  public:
    static_assert(L::rank > Nothing::rank, "rank 0 means that nothing is held");

    explicit SharedDomain(std::string_view name = L::name) : SharedDomainBase(name, L::rank) {}

    template <OuterTo<L> H>
    [[gnu::always_inline]] ReadGuard<L> read(Position<H>&, Here where = Here::now()) {
        lock_shared_erased(where);
        return ReadGuard<L>(*this, where);
    }

    template <OuterTo<L> H>
    WriteGuard<L> write(Position<H>&, Here where = Here::now()) {
        lock_erased(where);
        return WriteGuard<L>(*this, where);
    }

    /// Order checked at run time only.
    [[gnu::always_inline]] ReadGuard<L> read_dynamic(Here where = Here::now()) {
        lock_shared_erased(where);
        return ReadGuard<L>(*this, where);
    }

    WriteGuard<L> write_dynamic(Here where = Here::now()) {
        lock_erased(where);
        return WriteGuard<L>(*this, where);
    }
};

}  // namespace tern::locking
