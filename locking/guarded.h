#pragma once

/// Data that can only be reached while its domain is held.
/// Guarded<T, L> owns the value and the domain together. Any thread may use it; the value never
/// escapes but by the reference its user is lent for the time of the guard.
/// It does not allocate and adds nothing to the size of T and Domain<L>.

#include "locking/domain.h"

#include <string_view>
#include <utility>

namespace tern::locking {

/// Owns value and domain; immovable. The value is lent for the time of a guard or of a call of
/// with().
template <class T, Level L>
class Guarded {
  public:
    template <class... A>
    explicit Guarded(std::string_view name, A&&... arguments)
        : domain_(name), value_(std::forward<A>(arguments)...) {}

    Guarded(const Guarded&) = delete;
    Guarded& operator=(const Guarded&) = delete;

    /// Locks and calls `use(T&, Held<L>&)`; the result must not refer into the value.
    template <OuterTo<L> H, class F>
    decltype(auto) with(Position<H>& position, F&& use, Here where = Here::now()) {
        Guard<L> guard = domain_.lock(position, where);
        domain_.known_held();
        return std::forward<F>(use)(value_, static_cast<Held<L>&>(guard));
    }

    /// The same with the order checked at run time only.
    template <class F>
    decltype(auto) with_dynamic(F&& use, Here where = Here::now()) {
        Guard<L> guard = domain_.lock_dynamic(where);
        domain_.known_held();
        return std::forward<F>(use)(value_, static_cast<Held<L>&>(guard));
    }

    /// The value for somebody who holds the domain. The token could belong to another domain of the
    /// level, so the domain is checked as well.
    T& operator()(const Held<L>&, Here where = Here::now()) TERN_NO_THREAD_SAFETY_ANALYSIS {
        domain_.assert_held(where);
        return value_;
    }

    const T& operator()(const Held<L>&,
                        Here where = Here::now()) const TERN_NO_THREAD_SAFETY_ANALYSIS {
        domain_.assert_held(where);
        return value_;
    }

    Domain<L>& domain() { return domain_; }

  private:
    Domain<L> domain_;
    T value_ TERN_GUARDED_BY(domain_);
};

}  // namespace tern::locking
