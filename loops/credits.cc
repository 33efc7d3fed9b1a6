#include "loops/credits.h"

#include "locking/check.h"
#include "loops/loop.h"

#include <algorithm>

namespace tern::loops {

Credits::Credits(std::uint64_t low, std::uint64_t high) : low_(low), high_(high) {
    TERN_ASSERT(low < high, "credits with low mark ", low, " and high mark ", high);
}

bool Credits::take(std::uint64_t count, Loop& loop, Event& retry) {
    const std::lock_guard lock(mutex_);
    if (outstanding_ >= high_) corked_ = true;
    if (!corked_) {
        outstanding_ += count;
        return true;
    }
    const auto same = [&retry](const Waiter& waiter) { return waiter.retry == &retry; };
    if (std::none_of(waiting_.begin(), waiting_.end(), same)) waiting_.push_back({&loop, &retry});
    return false;
}

void Credits::give(std::uint64_t count) {
    const std::lock_guard lock(mutex_);
    TERN_ASSERT(count <= outstanding_, "more credits given back than taken");
    outstanding_ -= count;
    release();
}

void Credits::release() {
    if (!corked_ || outstanding_ > low_) return;
    corked_ = false;
    // Under the lock, so that after forget() no event of that producer is sent any more.
    for (const Waiter& waiter : waiting_)
        waiter.retry->send(*waiter.loop);
    waiting_.clear();
}

void Credits::forget(const Event& retry) {
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, [&retry](const Waiter& waiter) { return waiter.retry == &retry; });
}

void Credits::change_marks(std::uint64_t low, std::uint64_t high) {
    TERN_ASSERT(low < high, "credits with low mark ", low, " and high mark ", high);
    const std::lock_guard lock(mutex_);
    low_ = low;
    high_ = high;
    release();
}

std::uint64_t Credits::outstanding() const {
    const std::lock_guard lock(mutex_);
    return outstanding_;
}

bool Credits::corked() const {
    const std::lock_guard lock(mutex_);
    return corked_;
}

}  // namespace tern::loops
