#pragma once

/// Per-thread stocks of free things in front of a shared depot; the engine of PageCache and
/// SharedSlab. A thread keeps at most two chains per owner and exchanges whole chains with the
/// depot, so the lock of the depot is taken once per chain and a chain can never be torn. The
/// stocks live in the thread's TLS (a fixed set of slots, no allocation); a slot wanted by another
/// owner, or whose thread ends, gives its chains back. After fork() the child cannot read the
/// stocks of threads that did not come along (the kernel copies them page by page while they
/// change), so it counts them as handed out. Private to alloc.

#include "locking/check.h"
#include "locking/futex_mutex.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tern::alloc::detail {

/// A free page or object, linked through its own first bytes. The second and third word are valid
/// only in the head of a chain that lies in a depot.
struct FreeItem {
    FreeItem* next;
    FreeItem* next_chain;
    std::uintptr_t chain_length;
};

struct Chain {
    FreeItem* head = nullptr;
    std::uint32_t length = 0;
};

class MagazineOwner;

/// One thread's stock for one owner. Written by its thread; the counters are read by anyone.
struct Magazine {
    std::uint64_t owner_serial = 0;  ///< 0: the slot is free
    FreeItem* loaded = nullptr;
    FreeItem* spare = nullptr;  ///< a whole chain or nothing
    std::atomic<std::uint32_t> loaded_length{0};
    std::atomic<std::uint32_t> spare_length{0};
    std::atomic<std::uint64_t> taken{0};  ///< items handed out minus items given back, modulo 2^64
    MagazineOwner* owner = nullptr;
    Magazine* next = nullptr;  ///< other threads' slots of this owner, under the registry mutex
    Magazine** previous = nullptr;
};

inline constexpr std::size_t magazine_slots = 16;
// The stock of the running thread.
extern constinit thread_local Magazine thread_magazines[magazine_slots];

/// What both users derive from.
class MagazineOwner {
  public:
    MagazineOwner(const MagazineOwner&) = delete;
    MagazineOwner& operator=(const MagazineOwner&) = delete;

    /// Gives the calling thread's stock back to the depot.
    void flush_thread() noexcept;

  protected:
    explicit MagazineOwner(std::uint32_t chain_length);

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

    /// Depots of this kind call other owners while locked, so they are locked before them.
    virtual bool calls_other_owners() const noexcept { return false; }

    /// A chain of 1 to `wanted` items; an empty one if there are none to be had.
    virtual Chain depot_take(std::uint32_t wanted) noexcept = 0;
    /// A chain of any length comes back.
    virtual void depot_give(Chain chain) noexcept = 0;

    /// After one or both of the above, when no lock is held; the place to call out.
    virtual void depot_changed() noexcept {}

    FreeItem* pop() noexcept {
        Magazine& magazine = thread_magazines[serial_ % magazine_slots];
        if (magazine.owner_serial == serial_ && magazine.loaded != nullptr) [[likely]] {
            return pop_loaded(magazine);
        }
        return pop_slow();
    }

    void push(FreeItem* item) noexcept {
        Magazine& magazine = thread_magazines[serial_ % magazine_slots];
        if (magazine.owner_serial == serial_ &&
            magazine.loaded_length.load(std::memory_order_relaxed) < chain_length_) [[likely]] {
            push_loaded(magazine, item);
        } else {
            push_slow(item);
        }
    }

    /// A chain of any length from the user, past the stock.
    void take_back(Chain chain) noexcept;

    std::uint32_t chain_length() const { return chain_length_; }

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

    template <class N>
    static void add(std::atomic<N>& counter, N by) {
        counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
    }

    static FreeItem* pop_loaded(Magazine& magazine) {
        FreeItem* item = magazine.loaded;
        magazine.loaded = item->next;
        add(magazine.loaded_length, ~std::uint32_t{0});
        add(magazine.taken, std::uint64_t{1});
        return item;
    }

    static void push_loaded(Magazine& magazine, FreeItem* item) {
        item->next = magazine.loaded;
        magazine.loaded = item;
        add(magazine.loaded_length, std::uint32_t{1});
        add(magazine.taken, ~std::uint64_t{0});
    }

    FreeItem* pop_slow() noexcept;
    void push_slow(FreeItem* item) noexcept;
    FreeItem* pop_past_the_end() noexcept;
    void push_past_the_end(FreeItem* item) noexcept;
    void make_room(Magazine& slot) noexcept;
    void forget_slots() noexcept;
    Magazine& bind_slot() noexcept;

    std::uint64_t serial_;
    std::uint32_t chain_length_;
    std::uint64_t taken_by_gone_ = 0;  ///< `taken` of slots that were given up
    std::uint32_t returning_ = 0;      ///< threads that give a stock back right now
    bool stocks_lost_ = false;
    Magazine* slots_ = nullptr;
    MagazineOwner* next_owner_ = nullptr;
    MagazineOwner** previous_owner_ = nullptr;
};

}  // namespace tern::alloc::detail
