// One program of mistakes: each TERN_CASE_… compiles a line that must not compile; without any of
// them everything does. The tests run the compiler on it.

#include "locking/guarded.h"
#include "locking/shared_guarded.h"
#include "stress/locking/levels.h"

#include <utility>

namespace tern::stress {

using locking::Domain;
using locking::Guard;
using locking::Guarded;
using locking::Held;
using locking::SharedGuarded;
using locking::ThreadEntry;

struct Bank {
    Domain<Step<0>> outer{"outer"};
    Domain<Step<1>> inner{"inner"};
    Guarded<int, Step<1>> account{"account", 1};
    SharedGuarded<int, Step<1>> rate{"rate", 1};
};

int needs_inner(Held<Step<1>>&) {
    return 1;
}

int use(Bank& bank, ThreadEntry& entry) {
    Guard<Step<0>> first = bank.outer.lock(entry);
    Guard<Step<1>> second = bank.inner.lock(first);
    int sum = needs_inner(second);
#if defined(TERN_CASE_wrong_order)
    Guard<Step<0>> wrong = bank.outer.lock(second);
#elif defined(TERN_CASE_same_level)
    Guard<Step<1>> wrong = bank.inner.lock(second);
#elif defined(TERN_CASE_no_token)
    Guard<Step<1>> wrong = bank.inner.lock();
#elif defined(TERN_CASE_token_of_another_level)
    sum += needs_inner(first);
#elif defined(TERN_CASE_copied_guard)
    Guard<Step<0>> wrong = first;
#elif defined(TERN_CASE_moved_guard)
    Guard<Step<0>> wrong = std::move(first);
#elif defined(TERN_CASE_made_up_token)
    Held<Step<1>> wrong;
#elif defined(TERN_CASE_value_without_lock)
    sum += bank.account.value_;
#elif defined(TERN_CASE_value_with_wrong_token)
    sum += bank.account(first);
#elif defined(TERN_CASE_reader_writes)
    bank.rate.read(first, [](int& rate, auto&) { ++rate; });
#elif defined(TERN_CASE_discarded_guard)
    bank.outer.lock_dynamic();
#elif defined(TERN_CASE_released_by_hand)
    second.unlock();
#endif
    return sum;
}

#if defined(__clang__)
class Counter {
  public:
    int right() {
        domain_.assert_held();
        return ++value_;
    }

#if defined(TERN_CASE_clang_unchecked)
    int wrong() {
        return ++value_;
    }
#endif

    int bare() {
        mutex_.lock();
        const int value = ++other_;
#if !defined(TERN_CASE_clang_left_locked)
        mutex_.unlock();
#endif
        return value;
    }

    int scoped() {
        {
            const locking::FutexLock lock(mutex_);
            ++other_;
        }
#if defined(TERN_CASE_clang_scope_ended)
        ++other_;
#endif
        return 1;
    }

    int paired(Domain<Step<0>>& other) {
        {
            const locking::PairLock<Step<0>> lock(domain_, other);
            ++value_;
        }
#if defined(TERN_CASE_clang_pair_ended)
        ++value_;
#endif
        return 1;
    }

  private:
    Domain<Step<0>> domain_{"counter"};
    int value_ TERN_GUARDED_BY(domain_) = 0;
    locking::FutexMutex mutex_;
    int other_ TERN_GUARDED_BY(mutex_) = 0;
};

int count(Counter& counter) {
    Domain<Step<0>> other;
    return counter.right() + counter.bare() + counter.scoped() + counter.paired(other);
}
#endif

}  // namespace tern::stress
