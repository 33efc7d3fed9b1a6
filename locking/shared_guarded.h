#pragma once

/// Data that can only be reached while its shared domain is held: by many to read, by one to write.
/// The twin of Guarded for a SharedDomain. Owns the value and the domain together; any thread may
/// use it, and a reader gets the value as const. It does not allocate and adds nothing to the size
/// of the two.

#include "locking/shared_domain.h"

#include <string_view>
#include <utility>

namespace tern::locking {

/// Owns value and shared domain; immovable. Readers are lent it as const.
template <class T, Level L>
class SharedGuarded {
  public:
    template <class... A>
    explicit SharedGuarded(std::string_view name, A&&... arguments)
        : domain_(name), value_(std::forward<A>(arguments)...) {}

    SharedGuarded(const SharedGuarded&) = delete;
    SharedGuarded& operator=(const SharedGuarded&) = delete;

    /// Locks and calls `use(const T&, HeldShared<L>&)`; the result must not refer into the value.
    template <OuterTo<L> H, class F>
    decltype(auto) read(Position<H>& position, F&& use, Here where = Here::now()) const {
        ReadGuard<L> guard = domain_.read(position, where);
        domain_.known_held_shared();
        return std::forward<F>(use)(value_, static_cast<HeldShared<L>&>(guard));
    }

    /// The same with `use(T&, Held<L>&)`.
    template <OuterTo<L> H, class F>
    decltype(auto) write(Position<H>& position, F&& use, Here where = Here::now()) {
        WriteGuard<L> guard = domain_.write(position, where);
        domain_.known_held();
        return std::forward<F>(use)(value_, static_cast<Held<L>&>(guard));
    }

    /// The value for somebody who holds the domain. The token could belong to another domain of the
    /// level, so the domain is checked as well.
    const T& operator()(const HeldShared<L>&,
                        Here where = Here::now()) const TERN_NO_THREAD_SAFETY_ANALYSIS {
        domain_.assert_held_shared(where);
        return value_;
    }

    T& operator()(const Held<L>&, Here where = Here::now()) TERN_NO_THREAD_SAFETY_ANALYSIS {
        domain_.assert_held(where);
        return value_;
    }

    SharedDomain<L>& domain() const { return domain_; }

  private:
    mutable SharedDomain<L> domain_;  ///< a reader changes it, too
    T value_ TERN_GUARDED_BY(domain_);
};

}  // namespace tern::locking
