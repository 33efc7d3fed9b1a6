#pragma once

/// A use count whose last drop asks for a prune and never frees in place.
/// The object belongs to somebody with a domain (a store, a table); any thread may count uses
/// without that domain. When the last use goes, `schedule` tells the owner, who looks later, under
/// its domain, whether the object is still idle; until then it may come to life again. The object
/// cannot vanish while a drop is at work, because the owner waits for drops in progress. Eight
/// bytes.

#include "locking/backoff.h"
#include "locking/check.h"

#include <atomic>
#include <cstdint>

namespace tern::locking {

/// Taking and dropping are for any thread; what asks whether it is idle needs the owner's domain.
class UseCount {
  public:
    explicit UseCount(std::uint32_t uses = 0) : word_(uses) {}

    UseCount(const UseCount&) = delete;
    UseCount& operator=(const UseCount&) = delete;

    /// One more use. The caller has a use itself, or holds the owner's domain, or is in an RCU
    /// section that the object outlives.
    void add() { word_.fetch_add(1, std::memory_order_relaxed); }

    /// One use less. Calls `schedule()` if it seems the last; it must be idempotent, must not free
    /// the object and may run in any thread.
    template <class F>
    void drop(F&& schedule) {
        std::uint64_t seen = word_.load(std::memory_order_relaxed);
        while (uses(seen) > drops(seen) + 1) {
            if (word_.compare_exchange_weak(seen, seen - 1, std::memory_order_release,
                                            std::memory_order_relaxed)) {
                return;
            }
        }
        // Perhaps the last one. The mark keeps the owner from freeing before `schedule` is through.
        seen = word_.fetch_add(one_drop, std::memory_order_acq_rel) + one_drop;
        TERN_ASSERT(uses(seen) >= drops(seen), "use count dropped below zero");
        if (uses(seen) == drops(seen)) schedule();
        word_.fetch_sub(one_drop + 1, std::memory_order_release);
    }

    /// For the owner, when nobody can add a use meanwhile: waits for drops in progress (a few
    /// instructions of other threads), then tells whether the object is unused.
    bool settled_idle() const {
        std::uint64_t seen = word_.load(std::memory_order_acquire);
        Backoff backoff;
        while (drops(seen) != 0) {
            backoff.once();
            seen = word_.load(std::memory_order_acquire);
        }
        return seen == 0;
    }

    /// Uses at this moment; only good for reports.
    std::uint64_t value() const { return uses(word_.load(std::memory_order_relaxed)); }

  private:
    static constexpr unsigned use_bits = 44;
    static constexpr std::uint64_t one_drop = std::uint64_t{1} << use_bits;

    static std::uint64_t uses(std::uint64_t word) { return word & (one_drop - 1); }

    static std::uint64_t drops(std::uint64_t word) { return word >> use_bits; }

    std::atomic<std::uint64_t> word_;
};

}  // namespace tern::locking
