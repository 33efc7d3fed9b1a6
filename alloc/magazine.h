#pragma once

/// Per-thread stocks of free things in front of a shared depot; the engine of PageCache and
/// SharedSlab. A stock is an array of addresses, so neither taking nor giving touches the things
/// themselves. A thread keeps at most two batches per owner and exchanges a batch at a time with
/// the depot, whose lock is taken once for that. The stocks live in the thread's TLS (a fixed set
/// of slots, no allocation); a slot wanted by another owner, or whose thread ends, gives its stock
/// back. After fork() the child cannot read the stocks of threads that did not come along (the
/// kernel copies them page by page while they change), so it counts them as handed out. Private to
/// alloc.

#include "locking/check.h"
#include "locking/futex_mutex.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

namespace tern::alloc::detail {

/// Largest batch that an owner may choose.
inline constexpr std::uint32_t batch_max = 64;

class MagazineOwner;

/// One thread's stock for one owner. Written by its thread; the counters are read by anyone.
struct Magazine {
    static constexpr std::uint64_t keys_apart = 256;

    /// The key of the owner plus how many items there are, so that one comparison is about both;
    /// 0: the slot is free.
    std::atomic<std::uint64_t> state{0};
    /// Items got from the depot minus items given to it, modulo 2^64. What is not in stock of them
    /// is in the hands of somebody, so a pair of pop and push need not count.
    std::atomic<std::uint64_t> received{0};
    MagazineOwner* owner = nullptr;
    std::uint32_t thread = 0;  ///< whose it is, for reports
    Magazine* next = nullptr;  ///< other threads' slots of this owner, under the registry mutex
    Magazine** previous = nullptr;
    void* items[2 * batch_max] = {};  ///< the first count(), the one given last at the end

    std::uint32_t count() const {
        return static_cast<std::uint32_t>(state.load(std::memory_order_relaxed) % keys_apart);
    }

    /// Serials of owners times keys_apart; 0 if nobody owns it.
    std::uint64_t key() const { return state.load(std::memory_order_relaxed) - count(); }

    void set_count(std::uint32_t count) { state.store(key() + count, std::memory_order_relaxed); }
};

static_assert(2 * batch_max < Magazine::keys_apart);

inline constexpr std::size_t magazine_slots = 16;
/// Slots for owners that call no others. A caller's stock is never given back on behalf of one of
/// these, which would lock a second depot of callers.
inline constexpr std::size_t innermost_slots = 4;
// The stock of the running thread.
extern constinit thread_local Magazine thread_magazines[magazine_slots];

enum class OwnerKind : std::uint8_t {
    innermost,  ///< its depot calls no other owner
    caller,     ///< its depot calls innermost ones while locked
};

/// Held by whoever makes an owner that the whole process shares, and around fork(): so no child
/// finds one half made by a thread that it does not have.
class [[nodiscard]] FirstUse {
  public:
    FirstUse() noexcept;
    ~FirstUse();

    FirstUse(const FirstUse&) = delete;
    FirstUse& operator=(const FirstUse&) = delete;
};

/// What stocks belong to: PageCache and SharedSlab derive from it and say how their depot takes and
/// gives. Any thread may pop and push; no lock is held but by the depot itself. It must outlive the
/// items that are out, and owns none of them.
class MagazineOwner {
  public:
    MagazineOwner(const MagazineOwner&) = delete;
    MagazineOwner& operator=(const MagazineOwner&) = delete;

    /// Gives the calling thread's stock back to the depot.
    void flush_thread() noexcept;

  protected:
    MagazineOwner(OwnerKind kind, std::uint32_t batch);

    /// Forgets all slots; no other thread may be inside.
    virtual ~MagazineOwner() { forget_slots(); }

    /// From enroll() to withdraw() the owner is held still around fork(): the last thing its
    /// constructor does and the first of its destructor.
    void enroll();
    void withdraw() noexcept;

    /// Holds the depot for the moment of a fork, outside the order of domains.
    virtual void hold_for_fork() noexcept = 0;
    virtual void release_after_fork(locking::ForkSide side) noexcept = 0;
    /// In the child, once foreign stocks are given up: what is in no stock and no depot was in the
    /// hands of somebody, and counts as handed out.
    virtual std::uint64_t handed_out() const noexcept = 0;

    /// Fills `room` from its start with what there is; returns how many, 0 if there are none to be
    /// had. The last one is handed out first.
    virtual std::size_t depot_take(std::span<void*> room) noexcept = 0;
    /// Any number of items come back. It must not give anything back to this owner meanwhile.
    virtual void depot_give(std::span<void* const> items) noexcept = 0;

    /// After one or both of the above, when no lock is held; the place to call out.
    virtual void depot_changed() noexcept {}

    void* pop() noexcept {
        Magazine& magazine = slot_of_thread();
        const std::uint64_t state = magazine.state.load(std::memory_order_relaxed);
        // Large if the slot is another owner's, or empty.
        const std::uint64_t last = state - key_ - 1;
        if (last >= 2 * batch_max) [[unlikely]]
            return pop_slow();
        magazine.state.store(state - 1, std::memory_order_relaxed);
        return magazine.items[last];
    }

    void push(void* item) noexcept {
        Magazine& magazine = slot_of_thread();
        const std::uint64_t state = magazine.state.load(std::memory_order_relaxed);
        const std::uint64_t count = state - key_;
        if (count >= 2 * batch_) [[unlikely]] {
            push_slow(item);
            return;
        }
        magazine.items[count] = item;
        magazine.state.store(state + 1, std::memory_order_relaxed);
    }

    /// Whether this thread may have given the item last: a cheap first look, to be confirmed by
    /// find_stocked().
    bool may_be_last(const void* item) const noexcept {
        const Magazine& magazine = slot_of_thread();
        const std::uint64_t state = magazine.state.load(std::memory_order_relaxed);
        return magazine.items[(state - 1) % (2 * batch_max)] == item;
    }

    /// The thread that has an item in stock, 0 if none has. Others go on meanwhile, so it is for
    /// what should be in no stock.
    std::uint32_t find_stocked(const void* item) const noexcept;

    /// Items that the user got from the depot past the stock; modulo 2^64, since they may be
    /// fewer than none.
    void count_taken(std::uint64_t items) noexcept;

    std::uint32_t batch() const { return batch_; }

    /// From 1; no two owners of the process have the same.
    std::uint64_t serial() const { return key_ / Magazine::keys_apart; }

    /// Whether this is the child of a fork that gave up stocks of other threads.
    bool stocks_lost() const { return stocks_lost_; }

    /// Gives the stocks of all threads back to the depot; no other thread may be inside.
    void collect_stocks() noexcept;

    struct Totals {
        std::uint64_t taken = 0;  ///< items handed out and not given back
        std::uint64_t stocked = 0;
    };

    /// Sum over all threads.
    Totals totals() const noexcept;

  private:
    friend struct MagazineRegistry;

    Magazine& slot_of_thread() const {
        auto* slots = reinterpret_cast<std::byte*>(thread_magazines);
        return *reinterpret_cast<Magazine*>(slots + slot_offset_);
    }

    void* pop_slow() noexcept;
    void push_slow(void* item) noexcept;
    void forget_slots() noexcept;
    Magazine& bind_slot() noexcept;
    static void count_received(Magazine& slot, std::uint64_t items);

    std::uint64_t key_;        ///< see Magazine::key()
    std::size_t slot_offset_;  ///< of its slot, in bytes: spares each pop a multiplication
    std::uint32_t batch_;
    OwnerKind kind_;
    std::uint64_t taken_by_gone_ = 0;  ///< `received` of slots that were given up
    std::uint32_t returning_ = 0;      ///< threads that give a stock back right now
    bool stocks_lost_ = false;
    Magazine* slots_ = nullptr;
    MagazineOwner* next_owner_ = nullptr;
    MagazineOwner** previous_owner_ = nullptr;
};

}  // namespace tern::alloc::detail
