#include "locking/domain.h"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace tern::locking {

constinit thread_local ThreadState thread_state;

namespace {

// Locks are numbered and counted in the whole process, since a PairLock may meet any two.
constinit std::atomic<std::uint64_t> last_serial{0};
constinit std::atomic<std::uint64_t> locks_alive{0};

std::uint64_t now_ns() {
    using std::chrono::steady_clock;
    const auto since = steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

/// Where this thread took a lock; nullptr if it does not hold it.
const HeldEntry* find_entry(const ThreadState& thread, const RankedLock& lock) {
    for (std::uint32_t i = 1; i <= thread.depth; ++i) {
        if (thread.entries[i].lock == &lock) return &thread.entries[i];
    }
    return nullptr;
}

/// The entry whose rank makes up the floor.
const HeldEntry& highest_entry(const ThreadState& thread) {
    const HeldEntry* highest = &thread.entries[1];
    for (std::uint32_t i = 2; i <= thread.depth; ++i) {
        if (thread.entries[i].lock->rank() > highest->lock->rank()) highest = &thread.entries[i];
    }
    return *highest;
}

}  // namespace

RankedLock::RankedLock(std::string_view name, LockRank rank)
    : serial_(last_serial.fetch_add(1, std::memory_order_relaxed) + 1),
      rank_(rank),
      name_length_(static_cast<std::uint8_t>(std::min(name.size(), name_bytes_max))) {
    std::memcpy(name_, name.data(), name_length_);
    locks_alive.fetch_add(1, std::memory_order_relaxed);
}

RankedLock::~RankedLock() {
    locks_alive.fetch_sub(1, std::memory_order_relaxed);
}

std::uint64_t RankedLock::alive() {
    return locks_alive.load(std::memory_order_relaxed);
}

void RankedLock::order_violation(const ThreadState& thread, Here where) const {
    if (const HeldEntry* entry = find_entry(thread, *this)) {
        fatal(where, {"domain ", name(), " (rank ", rank_, ") taken twice by one thread, first at ",
                      entry->file, ":", entry->line});
    }
    if (rank_ <= thread.floor()) {
        const HeldEntry& entry = highest_entry(thread);
        fatal(where, {"lock order violated: domain ", name(), " (rank ", rank_, ") wanted while ",
                      entry.lock->name(), " (rank ", entry.lock->rank(), ") is held since ",
                      entry.file, ":", entry.line});
    }
    fatal(where, {"domain ", name(), " (rank ", rank_,
                  ") wanted inside an RCU read section, where only leaves may be taken"});
}

void RankedLock::release_violation(const ThreadState& thread, Here where) const {
    if (find_entry(thread, *this) == nullptr) {
        fatal(where, {"domain ", name(), " (rank ", rank_,
                      ") released by a thread that does not hold it"});
    }
    const RankedLock& innermost = *thread.entries[thread.depth].lock;
    fatal(where, {"domain ", name(), " (rank ", rank_, ") released before ", innermost.name(),
                  " (rank ", innermost.rank(), ") which was taken later"});
}

void RankedLock::too_deep(Here where) const {
    fatal(where, {"domain ", name(), " is one too many: a thread may hold ", held_depth_max});
}

void RankedLock::destroyed_while_held() const {
    fatal(Here::now(), {"domain ", name(), " (rank ", rank_, ") destroyed while held"});
}

bool DomainBase::try_lock_erased(Here where) {
    ThreadState& thread = thread_state;
    if (rank() < first_leaf_rank && thread.in_read_section()) [[unlikely]] {
        order_violation(thread, where);
    }
    if (!mutex_.try_lock()) return false;
    holder_.store(&thread, std::memory_order_relaxed);
    count(acquisitions_, 1);
    push(thread, where, false);
    return true;
}

void DomainBase::lock_sibling(Here where) {
    ThreadState& thread = thread_state;
    const RankedLock* previous = thread.entries[thread.depth].lock;
    TERN_ASSERT(previous != nullptr && previous->rank() == rank() && previous->serial() < serial(),
                "siblings out of order: ", name());
    acquire(thread, where);
}

void DomainBase::acquire_contended() {
    const std::uint64_t start = now_ns();
    mutex_.lock_contended();
    const std::uint64_t waited = now_ns() - start;
    count(contended_, 1);
    count(wait_ns_total_, waited);
    if (waited > wait_ns_max_.load(std::memory_order_relaxed)) {
        wait_ns_max_.store(waited, std::memory_order_relaxed);
    }
}

void DomainBase::not_held(Here where) const {
    fatal(where, {"domain ", name(), " (rank ", rank(), ") must be held here, ",
                  holder_.load(std::memory_order_relaxed) == nullptr ? "but nobody holds it"
                                                                     : "but another thread does"});
}

DomainStats DomainBase::stats() const {
    DomainStats stats;
    stats.acquisitions = acquisitions_.load(std::memory_order_relaxed);
    stats.contended = contended_.load(std::memory_order_relaxed);
    stats.wait_ns_total = wait_ns_total_.load(std::memory_order_relaxed);
    stats.wait_ns_max = wait_ns_max_.load(std::memory_order_relaxed);
    return stats;
}

ThreadEntry::ThreadEntry(Here where) {
    if (held_count() != 0) fatal(where, {"a thread entry must hold no domain"});
}

}  // namespace tern::locking
