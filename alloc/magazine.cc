#include "alloc/magazine.h"

#include "alloc/poison.h"
#include "locking/futex_mutex.h"
#include "locking/platform.h"
#include "locking/rcu.h"

#include <algorithm>
#include <thread>

#include <pthread.h>

namespace tern::alloc::detail {

constinit thread_local Magazine thread_magazines[magazine_slots];

/// Connects the slots of all threads with their owners. Its mutexes are never held while a depot
/// is called, since depots call the owners of what they are cut from.
struct MagazineRegistry {
    locking::FutexMutex mutex;         ///< slots, and the fields of owners that concern them
    locking::FutexMutex owners_mutex;  ///< the list of owners; taken before depots and `mutex`
    locking::FutexMutex first_use;     ///< see FirstUse; taken before all others
    std::atomic<std::uint64_t> last_serial{0};
    MagazineOwner* owners TERN_GUARDED_BY(owners_mutex) = nullptr;
    std::atomic<bool> forks_handled{false};

    /// What a slot had in stock.
    struct Stock {
        void* items[2 * batch_max];
        std::uint32_t count = 0;
    };

    /// Gives the contents of a slot back and frees the slot; called by the slot's thread.
    void vacate(Magazine& slot) noexcept;
    /// Both with the mutex held.
    static void take_stock(Magazine& slot, Stock& stock) noexcept;
    static void unlink(Magazine& slot) noexcept;

    void handle_forks() noexcept;
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

// How many times the handlers of the fork that this thread makes have locked.
constinit thread_local int fork_depth = 0;

/// Gives the stocks of an ending thread back.
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

}  // namespace

void MagazineRegistry::unlink(Magazine& slot) noexcept {
    *slot.previous = slot.next;
    if (slot.next != nullptr) slot.next->previous = slot.previous;
    slot.state.store(0, std::memory_order_relaxed);
    slot.owner = nullptr;
}

void MagazineRegistry::take_stock(Magazine& slot, Stock& stock) noexcept {
    stock.count = slot.count();
    std::copy_n(slot.items, stock.count, stock.items);
    slot.set_count(0);
}

void MagazineRegistry::vacate(Magazine& slot) noexcept {
    mutex.lock();
    if (slot.key() == 0) {
        mutex.unlock();
        return;
    }
    MagazineOwner& owner = *slot.owner;
    Stock stock;
    take_stock(slot, stock);
    owner.taken_by_gone_ += slot.received.load(std::memory_order_relaxed) - stock.count;
    slot.received.store(0, std::memory_order_relaxed);
    unlink(slot);
    // The owner stays until this thread is done with its depot.
    ++owner.returning_;
    mutex.unlock();
    if (stock.count != 0) owner.depot_give({stock.items, stock.count});
    mutex.lock();
    --owner.returning_;
    mutex.unlock();
}

// Fork ---------------------------------------------------------------------------------------

FirstUse::FirstUse() noexcept TERN_NO_THREAD_SAFETY_ANALYSIS {
    registry.handle_forks();
    registry.first_use.lock();
}

FirstUse::~FirstUse() TERN_NO_THREAD_SAFETY_ANALYSIS {
    registry.first_use.unlock();
}

void MagazineOwner::enroll() {
    registry.handle_forks();
    const locking::FutexLock lock(registry.owners_mutex);
    next_owner_ = registry.owners;
    previous_owner_ = &registry.owners;
    if (next_owner_ != nullptr) next_owner_->previous_owner_ = &next_owner_;
    registry.owners = this;
}

void MagazineOwner::withdraw() noexcept {
    const locking::FutexLock lock(registry.owners_mutex);
    *previous_owner_ = next_owner_;
    if (next_owner_ != nullptr) next_owner_->previous_owner_ = previous_owner_;
}

/// Before anything here is locked for the first time, since a fork could come then. Nobody waits
/// for another thread to do it, which the child of a fork would not have: two threads may both
/// register, and the handlers count.
void MagazineRegistry::handle_forks() noexcept {
    using locking::ForkSide;
    if (forks_handled.load(std::memory_order_acquire)) return;
    // A read section makes locking register its own handlers before these: what a child's handler
    // locks here must be free by then.
    { const locking::rcu::ReadSection section; }
    TERN_ASSERT(::pthread_atfork([] { registry.before_fork(); },
                                 [] { registry.after_fork(ForkSide::parent); },
                                 [] { registry.after_fork(ForkSide::child); }) == 0);
    forks_handled.store(true, std::memory_order_release);
}

void MagazineRegistry::before_fork() noexcept TERN_NO_THREAD_SAFETY_ANALYSIS {
    if (fork_depth++ != 0) return;
    first_use.lock();
    owners_mutex.lock();
    for (const OwnerKind kind : {OwnerKind::caller, OwnerKind::innermost}) {
        for (MagazineOwner* owner = owners; owner != nullptr; owner = owner->next_owner_) {
            if (owner->kind_ == kind) owner->hold_for_fork();
        }
        // Callers come here from their depots, the others never do.
        if (kind == OwnerKind::caller) mutex.lock();
    }
}

void MagazineRegistry::after_fork(locking::ForkSide side) noexcept TERN_NO_THREAD_SAFETY_ANALYSIS {
    if (--fork_depth != 0) return;
    for (MagazineOwner* owner = owners; owner != nullptr; owner = owner->next_owner_) {
        owner->release_after_fork(side);
    }
    for (locking::FutexMutex* each : {&mutex, &owners_mutex, &first_use}) {
        side == locking::ForkSide::child ? each->free_in_child() : each->unlock();
    }
    if (side == locking::ForkSide::child) settle_child();
}

/// Only this thread is left; the others' slots lie in memory that new threads will use.
void MagazineRegistry::settle_child() noexcept TERN_NO_THREAD_SAFETY_ANALYSIS {
    for (MagazineOwner* owner = owners; owner != nullptr; owner = owner->next_owner_) {
        give_up_stocks(*owner);
        std::uint64_t taken_here = 0;
        for (const Magazine* slot = owner->slots_; slot != nullptr; slot = slot->next) {
            taken_here += slot->received.load(std::memory_order_relaxed) - slot->count();
        }
        owner->taken_by_gone_ = owner->handed_out() - taken_here;
    }
}

void MagazineRegistry::give_up_stocks(MagazineOwner& owner) noexcept {
    owner.returning_ = 0;
    for (Magazine* slot = owner.slots_; slot != nullptr;) {
        Magazine* next = slot->next;
        if (slot < thread_magazines || slot >= thread_magazines + magazine_slots) {
            slot->received.store(0, std::memory_order_relaxed);
            unlink(*slot);
            owner.stocks_lost_ = true;
        } else {
            slot->thread = locking::platform::thread_id();
        }
        slot = next;
    }
}

// Owners -------------------------------------------------------------------------------------

MagazineOwner::MagazineOwner(OwnerKind kind, std::uint32_t batch)
    : key_((registry.last_serial.fetch_add(1, std::memory_order_relaxed) + 1) *
           Magazine::keys_apart),
      slot_offset_((kind == OwnerKind::innermost
                        ? serial() % innermost_slots
                        : innermost_slots + serial() % (magazine_slots - innermost_slots)) *
                   sizeof(Magazine)),
      batch_(batch),
      kind_(kind) {}

void MagazineOwner::forget_slots() noexcept {
    registry.mutex.lock();
    while (returning_ != 0) {
        registry.mutex.unlock();
        std::this_thread::yield();
        registry.mutex.lock();
    }
    while (slots_ != nullptr) {
        Magazine& slot = *slots_;
        slot.received.store(0, std::memory_order_relaxed);
        MagazineRegistry::unlink(slot);
    }
    registry.mutex.unlock();
}

void MagazineOwner::collect_stocks() noexcept {
    for (;;) {
        registry.mutex.lock();
        Magazine* slot = slots_;
        while (slot != nullptr && slot->count() == 0) {
            slot = slot->next;
        }
        MagazineRegistry::Stock stock;
        if (slot != nullptr) {
            MagazineRegistry::take_stock(*slot, stock);
            count_received(*slot, 0 - std::uint64_t{stock.count});
        }
        const bool busy = returning_ != 0;
        registry.mutex.unlock();
        if (slot == nullptr && !busy) break;
        if (slot != nullptr) {
            depot_give({stock.items, stock.count});
        } else {
            std::this_thread::yield();
        }
    }
    depot_changed();
}

void MagazineOwner::flush_thread() noexcept {
    Magazine& slot = slot_of_thread();
    if (slot.key() == key_) {
        registry.vacate(slot);
        depot_changed();
    }
}

Magazine& MagazineOwner::bind_slot() noexcept {
    Magazine& slot = slot_of_thread();
    if (slot.key() == key_) return slot;
    registry.vacate(slot);
    thread_exit.armed = true;
    registry.mutex.lock();
    slot.state.store(key_, std::memory_order_relaxed);
    slot.owner = this;
    slot.thread = locking::platform::thread_id();
    slot.next = slots_;
    slot.previous = &slots_;
    if (slots_ != nullptr) slots_->previous = &slot.next;
    slots_ = &slot;
    registry.mutex.unlock();
    return slot;
}

void* MagazineOwner::pop_slow() noexcept {
    void* items[batch_max];
    const std::size_t count = depot_take({items, thread_ended ? 1 : batch_});
    depot_changed();
    if (count == 0) return nullptr;
    if (thread_ended) {
        count_taken(1);
        return items[0];
    }
    // Only now, since the depot may have called a hook that gave something back here.
    Magazine& slot = bind_slot();
    const std::uint32_t found = slot.count();
    if (found == 0) {
        std::copy_n(items, count, slot.items);
        count_received(slot, count);
        slot.set_count(static_cast<std::uint32_t>(count) - 1);
        return slot.items[count - 1];
    }
    slot.set_count(found - 1);
    void* item = slot.items[found - 1];
    depot_give({items, count});
    depot_changed();
    return item;
}

void MagazineOwner::push_slow(void* item) noexcept {
    if (thread_ended) {
        depot_give({&item, 1});
        count_taken(0 - std::uint64_t{1});
        depot_changed();
        return;
    }
    Magazine& slot = bind_slot();
    const std::uint32_t count = slot.count();
    if (count != 2 * batch_) {
        slot.items[count] = item;
        slot.set_count(count + 1);
        return;
    }
    // They leave the stock first: once the depot has them, another thread may have one in use.
    void* oldest[batch_max];
    std::copy_n(slot.items, batch_, oldest);
    std::copy_n(slot.items + batch_, batch_, slot.items);
    slot.items[batch_] = item;
    slot.set_count(batch_ + 1);
    count_received(slot, 0 - std::uint64_t{batch_});
    depot_give({oldest, batch_});
    depot_changed();
}

void MagazineOwner::count_received(Magazine& slot, std::uint64_t items) {
    slot.received.store(slot.received.load(std::memory_order_relaxed) + items,
                        std::memory_order_relaxed);
}

void MagazineOwner::count_taken(std::uint64_t items) noexcept {
    if (!thread_ended) {
        count_received(bind_slot(), items);
        return;
    }
    registry.mutex.lock();
    taken_by_gone_ += items;
    registry.mutex.unlock();
}

std::uint32_t MagazineOwner::find_stocked(const void* item) const noexcept {
    std::uint32_t thread = 0;
    registry.mutex.lock();
    for (const Magazine* slot = slots_; slot != nullptr && thread == 0; slot = slot->next) {
        const std::uint32_t count = slot->count();
        for (std::uint32_t i = 0; i < count; ++i) {
            if (peek(&slot->items[i]) == item) thread = slot->thread;
        }
    }
    registry.mutex.unlock();
    return thread;
}

MagazineOwner::Totals MagazineOwner::totals() const noexcept {
    Totals totals;
    registry.mutex.lock();
    totals.taken = taken_by_gone_;
    for (const Magazine* slot = slots_; slot != nullptr; slot = slot->next) {
        const std::uint64_t stocked = slot->count();
        totals.taken += slot->received.load(std::memory_order_relaxed) - stocked;
        totals.stocked += stocked;
    }
    registry.mutex.unlock();
    return totals;
}

}  // namespace tern::alloc::detail
