#pragma once

/// Lock domains: mutexes with a name and a rank, taken in ascending rank only.
/// A Domain is a value embedded in what it guards; it must outlive its guards and the pools bound
/// to it. Any thread may take it. Where types can tell, a wrong order does not compile (the guard
/// of the outer level is the token for the inner one); everywhere else the first wrong step aborts,
/// in every build, with both names and places. Recursion, release out of order and anything but a
/// leaf inside an RCU read section abort as well. A domain never allocates and never calls its
/// user.

#include "locking/annotations.h"
#include "locking/check.h"
#include "locking/futex_mutex.h"
#include "locking/lock_rank.h"
#include "locking/thread_state.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tern::locking {

/// What every lock with a rank has, exclusive or shared.
class RankedLock {
  public:
    RankedLock(const RankedLock&) = delete;
    RankedLock& operator=(const RankedLock&) = delete;

    /// At most name_bytes_max bytes of the name given at construction.
    std::string_view name() const { return {name_, name_length_}; }

    LockRank rank() const { return rank_; }

    /// Order of construction in this process; decides between locks of one level in a PairLock.
    std::uint64_t serial() const { return serial_; }

    /// Locks that exist in this process now; tests use it to find leaks.
    static std::uint64_t alive();

    static constexpr std::size_t name_bytes_max = 31;

  protected:
    RankedLock(std::string_view name, LockRank rank);
    ~RankedLock();

    /// Both refuse with an abort whatever breaks the rules.
    void check_order(const ThreadState& thread, Here where) const {
        if (rank_ <= thread.floor() || (rank_ < first_leaf_rank && thread.in_read_section()))
            [[unlikely]] {
            order_violation(thread, where);
        }
    }

    void push(ThreadState& thread, Here where, bool shared) const {
        if (thread.depth == held_depth_max) [[unlikely]]
            too_deep(where);
        const LockRank floor = thread.floor() > rank_ ? thread.floor() : rank_;
        thread.entries[++thread.depth] = {this, where.file, where.line, floor, shared};
    }

    void pop(ThreadState& thread, Here where) const {
        if (thread.entries[thread.depth].lock != this) [[unlikely]]
            release_violation(thread, where);
        --thread.depth;
    }

    [[noreturn]] void order_violation(const ThreadState& thread, Here where) const;
    [[noreturn]] void release_violation(const ThreadState& thread, Here where) const;
    [[noreturn]] void too_deep(Here where) const;
    [[noreturn]] void destroyed_while_held() const;

  private:
    std::uint64_t serial_;
    LockRank rank_;
    std::uint8_t name_length_;
    char name_[name_bytes_max];
};

/// Counters of one domain; exact for the thread that holds it, recent for others.
struct DomainStats {
    std::uint64_t acquisitions = 0;
    std::uint64_t contended = 0;      ///< acquisitions that had to wait
    std::uint64_t wait_ns_total = 0;  ///< only contended ones are timed
    std::uint64_t wait_ns_max = 0;
};

/// The type-erased face of a domain: enough for loops, pools and reports.
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

    /// Lock and unlock without a guard, for users that cannot have one (a loop around its handlers,
    /// a pool on its way down the tree). The same run-time checks apply.
    void lock_erased(Here where = Here::now()) {
        ThreadState& thread = thread_state;
        check_order(thread, where);
        acquire(thread, where);
    }

    void unlock_erased(Here where = Here::now()) {
        ThreadState& thread = thread_state;
        pop(thread, where);
        holder_.store(nullptr, std::memory_order_relaxed);
        mutex_.unlock();
    }

    /// Takes the domain if nobody has it. It cannot wait, so it may go against the order; locks
    /// taken after it must still rank above everything held. Recursion gives false.
    [[nodiscard]] bool try_lock_erased(Here where = Here::now());

    /// Around fork() only, in handlers of pthread_atfork(): nobody is inside the domain at that
    /// moment, and the child finds it free. Outside the order, since nothing else runs meanwhile.
    void hold_for_fork() noexcept { mutex_.lock(); }

    void release_after_fork() noexcept { mutex_.unlock(); }

    DomainStats stats() const;

  protected:
    /// For a second domain of one level; the caller has checked the serials.
    void lock_sibling(Here where);

  private:
    template <Level L>
    friend class PairLock;

    void acquire(ThreadState& thread, Here where) {
        if (!mutex_.try_lock()) [[unlikely]]
            acquire_contended();
        holder_.store(&thread, std::memory_order_relaxed);
        count(acquisitions_, 1);
        push(thread, where, false);
    }

    static void count(std::atomic<std::uint64_t>& counter, std::uint64_t by) {
        counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    void acquire_contended();
    [[noreturn]] void not_held(Here where) const;

    FutexMutex mutex_;
    std::atomic<const ThreadState*> holder_{nullptr};
    // Written by the holder only, read by anyone.
    std::atomic<std::uint64_t> acquisitions_{0};
    std::atomic<std::uint64_t> contended_{0};
    std::atomic<std::uint64_t> wait_ns_total_{0};
    std::atomic<std::uint64_t> wait_ns_max_{0};
};

/// A place in the order that this thread has reached: the argument of every checked lock.
/// Only guards and proofs are positions; they are bound to their scope and cannot be copied.
template <class L>
class Position {
  public:
    Position(const Position&) = delete;
    Position& operator=(const Position&) = delete;

  protected:
    Position() = default;
    ~Position() = default;
};

/// Proof that this thread holds some domain of level L exclusively.
/// A function that needs the domain takes `Held<L>&`, so forgetting to lock does not compile.
template <class L>
class Held : public Position<L> {
  protected:
    Held() = default;
    ~Held() = default;
};

/// The root of a chain: start of a thread, entry of a test. Aborts if the thread holds anything.
class ThreadEntry : public Held<Nothing> {
  public:
    explicit ThreadEntry(Here where = Here::now());
};

template <Level L>
class Domain;

/// Holds a domain until the end of the scope.
template <Level L>
class [[nodiscard]] Guard : public Held<L> {
  public:
    ~Guard() { domain_.unlock_erased(where_); }

    Domain<L>& domain() const { return domain_; }

  private:
    friend class Domain<L>;

    Guard(Domain<L>& domain, Here where) : domain_(domain), where_(where) {}

    Domain<L>& domain_;
    Here where_;
};

/// Proof made by looking: the thread turned out to hold the domain. For handlers whose caller holds
/// the domain already (a loop runs them so). Releases nothing.
template <Level L>
class [[nodiscard]] Proof : public Held<L> {
  private:
    friend class Domain<L>;
    Proof() = default;
};

/// Result of a try; holds the domain until the end of the scope if it succeeded.
template <Level L>
class [[nodiscard]] TryGuard : public Held<L> {
  public:
    ~TryGuard() {
        if (domain_) domain_->unlock_erased(where_);
    }

    explicit operator bool() const { return domain_ != nullptr; }

  private:
    friend class Domain<L>;

    TryGuard(Domain<L>* domain, Here where) : domain_(domain), where_(where) {}

    Domain<L>* domain_;
    Here where_;
};

/// A mutex of level L.
template <Level L>
class Domain final : public DomainBase {
  public:
    static_assert(L::rank > Nothing::rank, "rank 0 means that nothing is held");

    explicit Domain(std::string_view name = L::name) : DomainBase(name, L::rank) {}

    /// The token of the innermost domain held decides at compile time whether this is in order.
    template <OuterTo<L> H>
    Guard<L> lock(Position<H>&, Here where = Here::now()) {
        lock_erased(where);
        return Guard<L>(*this, where);
    }

    /// For callbacks that have no token: order is checked at run time only.
    Guard<L> lock_dynamic(Here where = Here::now()) {
        lock_erased(where);
        return Guard<L>(*this, where);
    }

    TryGuard<L> try_lock(Here where = Here::now()) {
        return TryGuard<L>(try_lock_erased(where) ? this : nullptr, where);
    }

    /// Makes a token out of the fact that this thread holds the domain; aborts if it does not.
    Proof<L> proof(Here where = Here::now()) const {
        assert_held(where);
        return Proof<L>();
    }
};

/// Locks unless this thread holds the domain already; for walks over trees of domains.
class [[nodiscard]] TransitLock {
  public:
    explicit TransitLock(DomainBase& domain, Here where = Here::now())
        : domain_(domain), where_(where), locked_(!domain.held_by_this_thread()) {
        if (locked_) domain_.lock_erased(where_);
    }

    ~TransitLock() {
        if (locked_) domain_.unlock_erased(where_);
    }

    TransitLock(const TransitLock&) = delete;
    TransitLock& operator=(const TransitLock&) = delete;

    /// Whether this object took the lock (and will release it).
    bool locked() const { return locked_; }

  private:
    DomainBase& domain_;
    Here where_;
    bool locked_;
};

/// Two different domains of one level, taken by ascending serial so that no two threads can wait
/// for each other. The only way to hold two of a level.
template <Level L>
class [[nodiscard]] PairLock : public Held<L> {
  public:
    template <OuterTo<L> H>
    PairLock(Position<H>&, Domain<L>& a, Domain<L>& b, Here where = Here::now())
        : PairLock(a, b, where) {}

    /// Run-time order only.
    PairLock(Domain<L>& a, Domain<L>& b, Here where = Here::now())
        : first_(a.serial() < b.serial() ? a : b),
          second_(a.serial() < b.serial() ? b : a),
          where_(where) {
        TERN_ASSERT(&a != &b, "pair lock of one domain: ", a.name());
        first_.lock_erased(where_);
        second_.lock_sibling(where_);
    }

    ~PairLock() {
        second_.unlock_erased(where_);
        first_.unlock_erased(where_);
    }

  private:
    DomainBase& first_;
    DomainBase& second_;
    Here where_;
};

/// Gives up the innermost domain for a scope and takes it again at its end. Whatever was read under
/// the guard may have changed afterwards.
template <Level L>
class [[nodiscard]] ReleaseScope {
  public:
    explicit ReleaseScope(Guard<L>& guard, Here where = Here::now())
        : domain_(guard.domain()), where_(where) {
        domain_.unlock_erased(where_);
    }

    ~ReleaseScope() { domain_.lock_erased(where_); }

    ReleaseScope(const ReleaseScope&) = delete;
    ReleaseScope& operator=(const ReleaseScope&) = delete;

  private:
    DomainBase& domain_;
    Here where_;
};

/// Calls `visit(lock, where)` for each lock this thread holds, outermost first.
template <class F>
void for_each_held(F&& visit) {
    const ThreadState& thread = thread_state;
    for (std::uint32_t i = 1; i <= thread.depth; ++i) {
        const HeldEntry& entry = thread.entries[i];
        visit(*entry.lock, Here{entry.file, entry.line});
    }
}

/// How many domains this thread holds.
inline std::size_t held_count() {
    return thread_state.depth;
}

}  // namespace tern::locking
