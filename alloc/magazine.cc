#include "alloc/magazine.h"

#include "locking/futex_mutex.h"
#include "locking/rcu.h"

#include <thread>
#include <utility>

#include <pthread.h>

namespace tern::alloc::detail {

constinit thread_local Magazine thread_magazines[magazine_slots];

/// Connects the slots of all threads with their owners. Its mutexes are never held while a depot
/// is called, since depots call the owners of what they are cut from.
struct MagazineRegistry {
    locking::FutexMutex mutex;         ///< slots, and the fields of owners that concern them
    locking::FutexMutex owners_mutex;  ///< the list of owners; taken before depots and `mutex`
    std::atomic<std::uint64_t> last_serial{0};
    MagazineOwner* owners = nullptr;
    bool fork_handled = false;

    /// The two chains of a slot.
    struct Stock {
        Chain loaded;
        Chain spare;
    };

    /// Gives the contents of a slot back and frees the slot; called by the slot's thread.
    void vacate(Magazine& slot) noexcept;
    /// Both with the mutex held.
    static Stock take_stock(Magazine& slot) noexcept;
    static void unlink(Magazine& slot) noexcept;
    static void give(MagazineOwner& owner, const Stock& stock) noexcept;

    void before_fork() noexcept;
    void after_fork(locking::ForkSide side) noexcept;
    void settle_child() noexcept;
    static void give_up_stocks(MagazineOwner& owner) noexcept;
};

namespace {

// One for the process, because a thread's slots are; see the head of magazine.h.
constinit MagazineRegistry registry;

// Set when the slots of this thread are gone; what its last destructors still do goes straight to
// the depot, since nobody would empty a slot any more.
constinit thread_local bool thread_ended = false;

/// Gives the chains of an ending thread back.
struct ThreadExit {
    bool armed = false;

    ~ThreadExit() {
        if (!armed) return;
        thread_ended = true;
        for (Magazine& slot : thread_magazines) {
            registry.vacate(slot);
        }
    }
};

thread_local ThreadExit thread_exit;

void set(std::atomic<std::uint32_t>& length, std::uint32_t value) {
    length.store(value, std::memory_order_relaxed);
}

}  // namespace

void MagazineRegistry::unlink(Magazine& slot) noexcept {
    *slot.previous = slot.next;
    if (slot.next != nullptr) slot.next->previous = slot.previous;
    slot.owner_serial = 0;
    slot.owner = nullptr;
}

MagazineRegistry::Stock MagazineRegistry::take_stock(Magazine& slot) noexcept {
    const Stock stock{{slot.loaded, slot.loaded_length.load(std::memory_order_relaxed)},
                      {slot.spare, slot.spare_length.load(std::memory_order_relaxed)}};
    slot.loaded = nullptr;
    slot.spare = nullptr;
    set(slot.loaded_length, 0);
    set(slot.spare_length, 0);
    return stock;
}

void MagazineRegistry::give(MagazineOwner& owner, const Stock& stock) noexcept {
    if (stock.spare.head != nullptr) owner.depot_give(stock.spare);
    if (stock.loaded.head != nullptr) owner.depot_give(stock.loaded);
}

void MagazineRegistry::vacate(Magazine& slot) noexcept {
    mutex.lock();
    if (slot.owner_serial == 0) {
        mutex.unlock();
        return;
    }
    MagazineOwner& owner = *slot.owner;
    const Stock stock = take_stock(slot);
    owner.taken_by_gone_ += slot.taken.load(std::memory_order_relaxed);
    slot.taken.store(0, std::memory_order_relaxed);
    unlink(slot);
    // The owner stays until this thread is done with its depot.
    ++owner.returning_;
    mutex.unlock();
    give(owner, stock);
    mutex.lock();
    --owner.returning_;
    mutex.unlock();
}

// Fork ---------------------------------------------------------------------------------------

void MagazineOwner::enroll() {
    registry.owners_mutex.lock();
    next_owner_ = registry.owners;
    previous_owner_ = &registry.owners;
    if (next_owner_ != nullptr) next_owner_->previous_owner_ = &next_owner_;
    registry.owners = this;
    const bool first = !std::exchange(registry.fork_handled, true);
    registry.owners_mutex.unlock();
    if (first) {
        using locking::ForkSide;
        // A read section makes locking register its own handlers before these: what a child's
        // handler locks here must be free by then.
        { const locking::rcu::ReadSection section; }
        ::pthread_atfork([] { registry.before_fork(); },
                         [] { registry.after_fork(ForkSide::parent); },
                         [] {
                             registry.after_fork(ForkSide::child);
                             registry.settle_child();
                         });
    }
}

void MagazineOwner::withdraw() noexcept {
    registry.owners_mutex.lock();
    *previous_owner_ = next_owner_;
    if (next_owner_ != nullptr) next_owner_->previous_owner_ = previous_owner_;
    registry.owners_mutex.unlock();
}

void MagazineRegistry::before_fork() noexcept TERN_NO_THREAD_SAFETY_ANALYSIS {
    owners_mutex.lock();
    for (const bool callers : {true, false}) {
        for (MagazineOwner* owner = owners; owner != nullptr; owner = owner->next_owner_) {
            if (owner->calls_other_owners() == callers) owner->hold_for_fork();
        }
        // Callers come here from their depots, the others never do.
        if (callers) mutex.lock();
    }
}

void MagazineRegistry::after_fork(locking::ForkSide side) noexcept
    TERN_NO_THREAD_SAFETY_ANALYSIS {
    for (MagazineOwner* owner = owners; owner != nullptr; owner = owner->next_owner_) {
        owner->release_after_fork(side);
    }
    for (locking::FutexMutex* each : {&mutex, &owners_mutex}) {
        side == locking::ForkSide::child ? each->free_in_child() : each->unlock();
    }
}

/// Only this thread is left; the others' slots lie in memory that new threads will use.
void MagazineRegistry::settle_child() noexcept {
    for (MagazineOwner* owner = owners; owner != nullptr; owner = owner->next_owner_) {
        give_up_stocks(*owner);
        std::uint64_t taken_here = 0;
        for (const Magazine* slot = owner->slots_; slot != nullptr; slot = slot->next) {
            taken_here += slot->taken.load(std::memory_order_relaxed);
        }
        owner->taken_by_gone_ = owner->handed_out() - taken_here;
    }
}

void MagazineRegistry::give_up_stocks(MagazineOwner& owner) noexcept {
    owner.returning_ = 0;
    for (Magazine* slot = owner.slots_; slot != nullptr;) {
        Magazine* next = slot->next;
        if (slot < thread_magazines || slot >= thread_magazines + magazine_slots) {
            take_stock(*slot);
            slot->taken.store(0, std::memory_order_relaxed);
            unlink(*slot);
            owner.stocks_lost_ = true;
        }
        slot = next;
    }
}

// Owners -------------------------------------------------------------------------------------

MagazineOwner::MagazineOwner(std::uint32_t chain_length)
    : serial_(registry.last_serial.fetch_add(1, std::memory_order_relaxed) + 1),
      chain_length_(chain_length) {}

void MagazineOwner::forget_slots() noexcept {
    registry.mutex.lock();
    while (returning_ != 0) {
        registry.mutex.unlock();
        std::this_thread::yield();
        registry.mutex.lock();
    }
    while (slots_ != nullptr) {
        Magazine& slot = *slots_;
        MagazineRegistry::take_stock(slot);
        slot.taken.store(0, std::memory_order_relaxed);
        MagazineRegistry::unlink(slot);
    }
    registry.mutex.unlock();
}

void MagazineOwner::collect_stocks() noexcept {
    for (;;) {
        registry.mutex.lock();
        Magazine* slot = slots_;
        while (slot != nullptr && slot->loaded == nullptr && slot->spare == nullptr) {
            slot = slot->next;
        }
        const MagazineRegistry::Stock stock =
            slot == nullptr ? MagazineRegistry::Stock{} : MagazineRegistry::take_stock(*slot);
        const bool busy = returning_ != 0;
        registry.mutex.unlock();
        if (slot == nullptr && !busy) break;
        MagazineRegistry::give(*this, stock);
        if (slot == nullptr) std::this_thread::yield();
    }
    depot_changed();
}

void MagazineOwner::flush_thread() noexcept {
    Magazine& slot = thread_magazines[serial_ % magazine_slots];
    if (slot.owner_serial == serial_) {
        registry.vacate(slot);
        depot_changed();
    }
}

Magazine& MagazineOwner::bind_slot() noexcept {
    Magazine& slot = thread_magazines[serial_ % magazine_slots];
    if (slot.owner_serial == serial_) return slot;
    registry.vacate(slot);
    thread_exit.armed = true;
    registry.mutex.lock();
    slot.owner_serial = serial_;
    slot.owner = this;
    slot.next = slots_;
    slot.previous = &slots_;
    if (slots_ != nullptr) slots_->previous = &slot.next;
    slots_ = &slot;
    registry.mutex.unlock();
    return slot;
}

FreeItem* MagazineOwner::pop_slow() noexcept {
    if (thread_ended) return pop_past_the_end();
    Magazine& slot = bind_slot();
    if (slot.loaded == nullptr && slot.spare != nullptr) {
        slot.loaded = slot.spare;
        slot.loaded_length.store(slot.spare_length.load(std::memory_order_relaxed),
                                 std::memory_order_relaxed);
        slot.spare = nullptr;
        slot.spare_length.store(0, std::memory_order_relaxed);
    }
    if (slot.loaded == nullptr) {
        const Chain chain = depot_take(chain_length_);
        depot_changed();
        if (chain.head == nullptr) return nullptr;
        slot.loaded = chain.head;
        slot.loaded_length.store(chain.length, std::memory_order_relaxed);
    }
    return pop_loaded(slot);
}

void MagazineOwner::push_slow(FreeItem* item) noexcept {
    if (thread_ended) {
        push_past_the_end(item);
        return;
    }
    Magazine& slot = bind_slot();
    if (slot.loaded_length.load(std::memory_order_relaxed) >= chain_length_) make_room(slot);
    push_loaded(slot, item);
}

void MagazineOwner::take_back(Chain chain) noexcept {
    depot_give(chain);
    if (!thread_ended) {
        add(bind_slot().taken, 0 - std::uint64_t{chain.length});
    } else {
        registry.mutex.lock();
        taken_by_gone_ -= chain.length;
        registry.mutex.unlock();
    }
    depot_changed();
}

FreeItem* MagazineOwner::pop_past_the_end() noexcept {
    const Chain chain = depot_take(1);
    if (chain.head == nullptr) return nullptr;
    // A chain of the depot comes whole; keep one, give the rest back.
    if (chain.length > 1) depot_give({chain.head->next, chain.length - 1});
    depot_changed();
    registry.mutex.lock();
    ++taken_by_gone_;
    registry.mutex.unlock();
    return chain.head;
}

void MagazineOwner::push_past_the_end(FreeItem* item) noexcept {
    item->next = nullptr;
    depot_give({item, 1});
    depot_changed();
    registry.mutex.lock();
    --taken_by_gone_;
    registry.mutex.unlock();
}

void MagazineOwner::make_room(Magazine& slot) noexcept {
    FreeItem* spare = slot.spare;
    const std::uint32_t spare_length = slot.spare_length.load(std::memory_order_relaxed);
    slot.spare = slot.loaded;
    slot.spare_length.store(slot.loaded_length.load(std::memory_order_relaxed),
                            std::memory_order_relaxed);
    slot.loaded = nullptr;
    slot.loaded_length.store(0, std::memory_order_relaxed);
    if (spare != nullptr) {
        depot_give({spare, spare_length});
        depot_changed();
    }
}

MagazineOwner::Totals MagazineOwner::totals() const noexcept {
    Totals totals;
    registry.mutex.lock();
    totals.taken = taken_by_gone_;
    for (const Magazine* slot = slots_; slot != nullptr; slot = slot->next) {
        totals.taken += slot->taken.load(std::memory_order_relaxed);
        totals.stocked += slot->loaded_length.load(std::memory_order_relaxed);
        totals.stocked += slot->spare_length.load(std::memory_order_relaxed);
    }
    registry.mutex.unlock();
    return totals;
}

}  // namespace tern::alloc::detail
