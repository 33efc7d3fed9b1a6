#pragma once

/// Lock domains: mutexes with a name and a rank, taken in ascending rank only.
/// A Domain is a value embedded in what it guards; it must outlive its guards and the pools bound
/// to it. Any thread may take it. Where types can tell, a wrong order does not compile (the guard
/// of the outer level is the token for the inner one); everywhere else the first wrong step aborts,
/// in every build, with both names and places. Recursion, release out of order and anything but a
/// leaf inside an RCU read section abort as well. A domain never allocates and never calls its
/// user.

#include "locking/domain_base.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string_view>

namespace tern::locking {

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

/// Holds a domain until the end of the scope. It belongs to the thread that took it; guards end in
/// reverse order, anything else aborts.
template <Level L>
class [[nodiscard]] Guard : public Held<L> {
  public:
    [[gnu::always_inline]] ~Guard() { domain_.unlock_erased(where_); }

    Domain<L>& domain() const { return domain_; }

  private:
    friend class Domain<L>;

    Guard(Domain<L>& domain, Here where) : domain_(domain), where_(where) {}

    Domain<L>& domain_;
    mutable Here where_;  ///< not mutable, a const guard would stay in memory with GCC 12
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

/// A mutex of level L: embedded in what it guards, immovable, for any thread. Nobody inside: two
/// locked instructions and no system call. A wait has no limit; a wrong order aborts before it.
template <Level L>
class Domain final : public DomainBase {
  public:
    static_assert(L::rank > Nothing::rank, "rank 0 means that nothing is held");

    explicit Domain(std::string_view name = L::name) : DomainBase(name, L::rank) {}

    /// The token of the innermost domain held decides at compile time whether this is in order.
    template <OuterTo<L> H>
    [[gnu::always_inline]] Guard<L> lock(Position<H>&, Here where = Here::now()) {
        lock_erased(where);
        return Guard<L>(*this, where);
    }

    /// For callbacks that have no token: order is checked at run time only.
    [[gnu::always_inline]] Guard<L> lock_dynamic(Here where = Here::now()) {
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
/// for each other. One domain twice aborts.
template <Level L>
class [[nodiscard]] TERN_SCOPED_CAPABILITY PairLock : public Held<L> {
  public:
    template <OuterTo<L> H>
    [[gnu::always_inline]] PairLock(Position<H>&,
                                    Domain<L>& a,
                                    Domain<L>& b,
                                    Here where = Here::now()) TERN_ACQUIRE(a, b)
        : PairLock(a, b, where) {}

    /// Run-time order only.
    [[gnu::always_inline]] PairLock(Domain<L>& a, Domain<L>& b, Here where = Here::now())
        TERN_ACQUIRE(a, b) TERN_NO_THREAD_SAFETY_ANALYSIS : first_(a.made_before(b) ? a : b),
                                                            second_(a.made_before(b) ? b : a),
                                                            where_(where) {
        TERN_ASSERT(&a != &b, "pair lock of one domain: ", a.name());
        first_.lock_erased(where_);
        second_.lock_sibling_erased(where_);
    }

    [[gnu::always_inline]] ~PairLock() TERN_RELEASE() TERN_NO_THREAD_SAFETY_ANALYSIS {
        second_.unlock_erased(where_);
        first_.unlock_erased(where_);
    }

  private:
    DomainBase& first_;
    DomainBase& second_;
    mutable Here where_;  ///< as in Guard
};

/// Any number of different domains of one level (as many as a thread may hold), by ascending
/// serial. The caller's span is put into that order and must live as long. One domain twice aborts.
template <Level L>
class [[nodiscard]] GroupLock : public Held<L> {
  public:
    template <OuterTo<L> H>
    GroupLock(Position<H>&, std::span<Domain<L>*> domains, Here where = Here::now())
        : GroupLock(domains, where) {}

    /// Run-time order only.
    explicit GroupLock(std::span<Domain<L>*> domains, Here where = Here::now())
        : domains_(domains), where_(where) {
        std::sort(domains.begin(), domains.end(),
                  [](const Domain<L>* a, const Domain<L>* b) { return a->made_before(*b); });
        for (Domain<L>* domain : domains)
            domain->lock_sibling_erased(where);
    }

    ~GroupLock() {
        for (std::size_t i = domains_.size(); i > 0; --i)
            domains_[i - 1]->unlock_erased(where_);
    }

  private:
    std::span<Domain<L>*> domains_;
    Here where_;
};

/// Gives up the innermost domain for a scope and takes it again at its end. Whatever was read under
/// the guard may have changed afterwards. Aborts if the domain is not the innermost; the order
/// counts again at the end, so what was taken in the scope has to be given back in it.
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

}  // namespace tern::locking
