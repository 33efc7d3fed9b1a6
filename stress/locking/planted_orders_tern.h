#pragma once

/// The locks of planted_orders.h as domains, so that the test and row L5 of the benchmark run the
/// same programs. A violation names the step of its chain as its place. It checks nothing itself;
/// used by tests alone.

#include "locking/domain_base.h"

#include <string_view>
#include <vector>

namespace tern::stress {

inline constexpr const char* planted_place = "chain";

class TernLock {
  public:
    explicit TernLock(char level)
        : domain_(std::string_view(&names[level - 'a'], 1), rank(level)) {}

    void lock(int step) { domain_.lock_erased({planted_place, step}); }

    bool try_lock(int step) { return domain_.try_lock_erased({planted_place, step}); }

    void unlock() { domain_.unlock_erased(); }

    static void lock_pair(TernLock& a, TernLock& b, int step, std::vector<TernLock*>& held) {
        TernLock& first = a.domain_.serial() < b.domain_.serial() ? a : b;
        TernLock& second = &first == &a ? b : a;
        first.lock(step);
        second.domain_.lock_sibling_erased({planted_place, step});
        held.insert(held.end(), {&first, &second});
    }

  private:
    static constexpr char names[] = "abcdefghijklmnopqrstuvwxyz";

    static locking::LockRank rank(char level) {
        if (level == 'z') return locking::first_leaf_rank;
        return static_cast<locking::LockRank>(100 * (level - 'a' + 1));
    }

    locking::DomainBase domain_;
};

}  // namespace tern::stress
