#include "locking/domain.h"

#include "locking/lock_report.h"
#include "locking/lock_timings.h"
#include "locking/thread_list.h"

namespace tern::locking {

bool DomainBase::try_lock_erased(Here where) {
    ThreadState& thread = thread_state;
    if (!thread.introduced()) [[unlikely]]
        introduce(thread);
    if (rank() < first_leaf_rank && thread.in_read_section()) [[unlikely]] {
        order_violation(thread, where);
    }
    if (!mutex_.try_lock()) return false;
    settle(thread, thread.innermost(), where);
    return true;
}

void DomainBase::lock_waiting(ThreadState& thread, HeldEntry* below, Here where) {
    LockWait wait(*this, thread, where);
    const std::uint64_t start = ticks_now();
    mutex_.lock_contended(wait);
    const std::uint64_t waited = wait.waited_ns();
    settle(thread, below, where);
    count(contended_, 1);
    count(wait_ns_total_, waited);
    const auto rounded = static_cast<float>(waited);
    if (rounded > wait_ns_max_.load(std::memory_order_relaxed)) {
        wait_ns_max_.store(rounded, std::memory_order_relaxed);
    }
    if (timings_ != nullptr) {
        const std::uint64_t now = ticks_now();
        timings_->add_wait(now - start);
        thread.innermost()->timed_from = now;
    }
}

void DomainBase::begin_sample(ThreadState& thread) {
    if (timings_ != nullptr) thread.innermost()->timed_from = ticks_now();
}

void DomainBase::end_sample(HeldEntry& left) {
    if (timings_ != nullptr) timings_->add_hold(ticks_now() - left.timed_from, left.where());
    left.timed_from = 0;
}

void DomainBase::measure(LockTimings* timings, Here where) {
    assert_held(where);
    timings_ = timings;
}

void DomainBase::not_held(Here where) const {
    fatal(where, {"domain ", name(), " (rank ", rank(), ") must be held here, but ",
                  HolderText(*this).text()});
}

DomainStats DomainBase::stats() const {
    DomainStats stats;
    stats.acquisitions = acquisitions();
    stats.contended = contended_.load(std::memory_order_relaxed);
    stats.wait_ns_total = wait_ns_total_.load(std::memory_order_relaxed);
    stats.wait_ns_max = static_cast<std::uint64_t>(wait_ns_max_.load(std::memory_order_relaxed));
    return stats;
}

ThreadEntry::ThreadEntry(Here where) {
    if (held_count() != 0) fatal(where, {"a thread entry must hold no domain"});
}

}  // namespace tern::locking
