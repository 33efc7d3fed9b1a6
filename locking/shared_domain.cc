#include "locking/shared_domain.h"

namespace tern::locking {

namespace {

constexpr int spins = 200;

}  // namespace

bool SharedDomainBase::try_read() {
    std::uint32_t seen = word_.load(std::memory_order_relaxed);
    while ((seen & (writing | waiting_mask)) == 0) {
        TERN_ASSERT((seen & readers_mask) != readers_mask, "too many readers of ", name());
        if (word_.compare_exchange_weak(seen, seen + one_reader, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void SharedDomainBase::wait_to_read() {
    for (int i = 0; i < spins; ++i) {
        if (try_read()) return;
        cpu_pause();
    }
    while (!try_read()) {
        const std::uint32_t seen = word_.load(std::memory_order_relaxed);
        if ((seen & (writing | waiting_mask)) != 0) {
            word_.wait(seen, std::memory_order_relaxed);
        }
    }
}

void SharedDomainBase::wait_to_write() {
    std::uint32_t seen = word_.fetch_add(one_waiting, std::memory_order_relaxed) + one_waiting;
    for (int i = 0;; ++i) {
        while ((seen & (writing | readers_mask)) == 0) {
            if (word_.compare_exchange_weak(seen, (seen - one_waiting) | writing,
                                            std::memory_order_acquire, std::memory_order_relaxed)) {
                return;
            }
        }
        if (i < spins) {
            cpu_pause();
        } else {
            word_.wait(seen, std::memory_order_relaxed);
        }
        seen = word_.load(std::memory_order_relaxed);
    }
}

void SharedDomainBase::lock_shared_erased(Here where) {
    ThreadState& thread = thread_state;
    check_order(thread, where);
    if (!try_read()) [[unlikely]]
        wait_to_read();
    push(thread, where, true);
}

void SharedDomainBase::unlock_shared_erased(Here where) {
    pop(thread_state, where);
    const std::uint32_t before = word_.fetch_sub(one_reader, std::memory_order_release);
    if ((before & readers_mask) == one_reader && (before & waiting_mask) != 0) word_.notify_all();
}

void SharedDomainBase::lock_erased(Here where) {
    ThreadState& thread = thread_state;
    check_order(thread, where);
    std::uint32_t expected = 0;
    if (!word_.compare_exchange_strong(expected, writing, std::memory_order_acquire,
                                       std::memory_order_relaxed)) [[unlikely]] {
        wait_to_write();
    }
    writer_.store(&thread, std::memory_order_relaxed);
    push(thread, where, false);
}

void SharedDomainBase::unlock_erased(Here where) {
    pop(thread_state, where);
    writer_.store(nullptr, std::memory_order_relaxed);
    word_.fetch_and(~writing, std::memory_order_release);
    word_.notify_all();
}

bool SharedDomainBase::held_shared_by_this_thread() const {
    const ThreadState& thread = thread_state;
    for (std::uint32_t i = 1; i <= thread.depth; ++i) {
        if (thread.entries[i].lock == this) return true;
    }
    return false;
}

void SharedDomainBase::assert_held(Here where) const {
    if (!held_by_this_thread()) [[unlikely]] {
        fatal(where, {"shared domain ", name(), " (rank ", rank(), ") must be held for writing"});
    }
}

void SharedDomainBase::assert_held_shared(Here where) const {
    if (!held_shared_by_this_thread()) [[unlikely]] {
        fatal(where, {"shared domain ", name(), " (rank ", rank(), ") must be held for reading"});
    }
}

}  // namespace tern::locking
