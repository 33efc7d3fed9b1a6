#include "locking/shared_domain.h"

#include "locking/thread_list.h"

#include <algorithm>

namespace tern::locking {

namespace {

constexpr int spins = 200;

}  // namespace

void SharedDomainBase::wait_to_read(ThreadState& thread, Here where) {
    LockWait wait(*this, thread, where);
    for (int i = 0; !try_read(where); ++i) {
        if (i < spins) {
            cpu_pause();
            continue;
        }
        std::uint32_t seen = word_.load(std::memory_order_relaxed);
        if ((seen & (writing | waiting_mask)) == 0) continue;
        if ((seen & readers_sleep) == 0) {
            if (!word_.compare_exchange_weak(seen, seen | readers_sleep, std::memory_order_relaxed))
                continue;
            seen |= readers_sleep;
        }
        wait.sleep(word_, seen, readers_channel);
    }
    contended_reads_.fetch_add(1, std::memory_order_relaxed);
    count_wait(wait.waited_ns());
}

void SharedDomainBase::wait_to_write(ThreadState& thread, Here where) {
    LockWait wait(*this, thread, where);
    std::uint32_t seen = word_.fetch_add(one_waiting, std::memory_order_relaxed) + one_waiting;
    for (int i = 0;; ++i) {
        while ((seen & (writing | readers_mask)) == 0) {
            if (word_.compare_exchange_weak(seen, (seen - one_waiting) | writing,
                                            std::memory_order_acquire, std::memory_order_relaxed)) {
                contended_writes_.fetch_add(1, std::memory_order_relaxed);
                count_wait(wait.waited_ns());
                return;
            }
        }
        if (i < spins) {
            cpu_pause();
        } else {
            wait.sleep(word_, seen, writers_channel);
        }
        seen = word_.load(std::memory_order_relaxed);
    }
}

void SharedDomainBase::count_wait(std::uint64_t waited_ns) {
    wait_ns_total_.fetch_add(waited_ns, std::memory_order_relaxed);
    std::uint64_t seen = wait_ns_max_.load(std::memory_order_relaxed);
    while (waited_ns > seen &&
           !wait_ns_max_.compare_exchange_weak(seen, waited_ns, std::memory_order_relaxed)) {
    }
}

bool SharedDomainBase::try_lock_shared_erased(Here where) {
    ThreadState& thread = thread_state;
    if (!thread.introduced()) introduce(thread);
    if (held_shared_by_this_thread() || (rank() < first_leaf_rank && thread.in_read_section()))
        order_violation(thread, where);
    if (!try_read(where)) return false;
    push(thread, thread.innermost(), where, true);
    return true;
}

void SharedDomainBase::wake_writer() {
    platform::wake_one(word_, writers_channel);
}

void SharedDomainBase::too_many_readers(Here where) const {
    fatal(where, {"too many readers of ", name()});
}

void SharedDomainBase::lock_erased(Here where) {
    ThreadState& thread = thread_state;
    HeldEntry* below = check_order(thread, where);
    std::uint32_t expected = 0;
    if (!word_.compare_exchange_strong(expected, writing, std::memory_order_acquire,
                                       std::memory_order_relaxed)) [[unlikely]] {
        wait_to_write(thread, where);
    }
    writer_.store(&thread, std::memory_order_relaxed);
    count_acquisition();
    push(thread, below, where, false);
}

bool SharedDomainBase::try_lock_erased(Here where) {
    ThreadState& thread = thread_state;
    if (!thread.introduced()) introduce(thread);
    if (rank() < first_leaf_rank && thread.in_read_section()) order_violation(thread, where);
    std::uint32_t expected = 0;
    if (!word_.compare_exchange_strong(expected, writing, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
        return false;
    }
    writer_.store(&thread, std::memory_order_relaxed);
    count_acquisition();
    push(thread, thread.innermost(), where, false);
    return true;
}

void SharedDomainBase::unlock_erased(Here where) {
    pop(thread_state, where);
    writer_.store(nullptr, std::memory_order_relaxed);
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    // While writers wait, readers would only look and sleep again; their mark stays for later.
    const auto left = [](std::uint32_t word) {
        return (word & waiting_mask) != 0 ? word & ~writing : word & ~(writing | readers_sleep);
    };
    while (!word_.compare_exchange_weak(seen, left(seen), std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
    if ((seen & waiting_mask) != 0) {
        platform::wake_one(word_, writers_channel);
    } else if ((seen & readers_sleep) != 0) {
        platform::wake_all(word_);
    }
}

bool SharedDomainBase::held_shared_by_this_thread() const {
    const std::span<const HeldEntry> held = thread_state.held();
    return std::any_of(held.begin(), held.end(),
                       [this](const HeldEntry& entry) { return entry.lock() == this; });
}

void SharedDomainBase::assert_held(Here where) const {
    if (!held_by_this_thread()) [[unlikely]] {
        fatal(where, {"shared domain ", name(), " (rank ", rank(),
                      ") must be held for writing, but ", HolderText(*this).text()});
    }
}

void SharedDomainBase::assert_held_shared(Here where) const {
    if (!held_shared_by_this_thread()) [[unlikely]] {
        fatal(where, {"shared domain ", name(), " (rank ", rank(),
                      ") must be held for reading, but ", HolderText(*this).text()});
    }
}

SharedDomainStats SharedDomainBase::stats() const {
    SharedDomainStats stats;
    stats.writes = acquisitions();
    stats.contended_reads = contended_reads_.load(std::memory_order_relaxed);
    stats.contended_writes = contended_writes_.load(std::memory_order_relaxed);
    stats.wait_ns_total = wait_ns_total_.load(std::memory_order_relaxed);
    stats.wait_ns_max = wait_ns_max_.load(std::memory_order_relaxed);
    return stats;
}

}  // namespace tern::locking
