#include "locking/ranked_lock.h"

#include "locking/lock_report.h"
#include "locking/thread_list.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace tern::locking {

namespace {

// Locks are numbered and counted in the whole process, since a PairLock may meet any two.
constinit std::atomic<std::uint64_t> last_serial{0};
constinit std::atomic<std::uint64_t> locks_alive{0};

/// Where this thread took a lock; nullptr if it does not hold it.
const HeldEntry* find_entry(const ThreadState& thread, const RankedLock& lock) {
    for (const HeldEntry& entry : thread.held()) {
        if (entry.lock() == &lock) return &entry;
    }
    return nullptr;
}

/// The entry whose rank makes up the floor.
const HeldEntry& highest_entry(const ThreadState& thread) {
    const std::span<const HeldEntry> held = thread.held();
    return *std::max_element(held.begin(), held.end(), [](const HeldEntry& a, const HeldEntry& b) {
        return a.lock()->rank() < b.lock()->rank();
    });
}

}  // namespace

RankedLock::RankedLock(std::string_view name, LockRank rank)
    : serial_and_rank_((last_serial.fetch_add(1, std::memory_order_relaxed) + 1) << rank_bits |
                       rank),
      name_length_(static_cast<std::uint8_t>(std::min(name.size(), name_bytes_max))) {
    std::memcpy(name_, name.data(), name_length_);
    locks_alive.fetch_add(1, std::memory_order_relaxed);
}

RankedLock::~RankedLock() {
    locks_alive.fetch_sub(1, std::memory_order_relaxed);
    wait_for_reports();
}

std::uint64_t RankedLock::alive() {
    return locks_alive.load(std::memory_order_relaxed);
}

void RankedLock::check_order_slowly(ThreadState& thread, Here where) const {
    if (!thread.introduced()) {
        introduce(thread);
        check_order(thread, where);
        return;
    }
    order_violation(thread, where);
}

void RankedLock::order_violation(const ThreadState& thread, Here where) const {
    if (const HeldEntry* entry = find_entry(thread, *this)) {
        const Here first = entry->where();
        fatal(where, {"domain ", name(), " (rank ", rank(),
                      ") taken twice by one thread, first at ", first.file, ":", first.line});
    }
    if (rank() <= thread.innermost()->floor()) {
        const HeldEntry& entry = highest_entry(thread);
        const Here taken = entry.where();
        fatal(where, {"lock order violated: domain ", name(), " (rank ", rank(), ") wanted while ",
                      entry.lock()->name(), " (rank ", entry.lock()->rank(), ") is held since ",
                      taken.file, ":", taken.line});
    }
    fatal(where, {"domain ", name(), " (rank ", rank(),
                  ") wanted inside an RCU read section, where only leaves may be taken"});
}

void RankedLock::release_violation(const ThreadState& thread, Here where) const {
    if (find_entry(thread, *this) == nullptr) {
        fatal(where, {"domain ", name(), " (rank ", rank(),
                      ") released by a thread that does not hold it, ", HolderText(*this).text()});
    }
    const HeldEntry& innermost = *thread.innermost();
    const Here taken = innermost.where();
    fatal(where, {"domain ", name(), " (rank ", rank(), ") released before ",
                  innermost.lock()->name(), " (rank ", innermost.lock()->rank(),
                  ") which was taken later at ", taken.file, ":", taken.line});
}

void RankedLock::too_deep(Here where) const {
    fatal(where, {"domain ", name(), " is one too many: a thread may hold ", held_depth_max});
}

void RankedLock::destroyed_while_held() const {
    fatal(Here::now(), {"domain ", name(), " (rank ", rank(), ") destroyed while held, ",
                        HolderText(*this).text()});
}

}  // namespace tern::locking
