#include "alloc/magazine.h"

#include "locking/futex_mutex.h"

namespace tern::alloc::detail {

constinit thread_local Magazine thread_magazines[magazine_slots];

/// Connects the slots of all threads with their owners.
struct MagazineRegistry {
    locking::FutexMutex mutex;
    std::atomic<std::uint64_t> last_serial{0};

    /// Gives the contents of a slot back and frees the slot; called by the slot's thread.
    void vacate(Magazine& slot) noexcept;
    static void unlink(Magazine& slot) noexcept;
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

}  // namespace

void MagazineRegistry::unlink(Magazine& slot) noexcept {
    *slot.previous = slot.next;
    if (slot.next != nullptr) slot.next->previous = slot.previous;
    slot.owner_serial = 0;
    slot.owner = nullptr;
}

void MagazineRegistry::vacate(Magazine& slot) noexcept {
    mutex.lock();
    if (slot.owner_serial != 0) {
        MagazineOwner& owner = *slot.owner;
        owner.give_back(slot);
        owner.taken_by_gone_ += slot.taken.load(std::memory_order_relaxed);
        slot.taken.store(0, std::memory_order_relaxed);
        unlink(slot);
    }
    mutex.unlock();
}

MagazineOwner::MagazineOwner(std::uint32_t chain_length)
    : serial_(registry.last_serial.fetch_add(1, std::memory_order_relaxed) + 1),
      chain_length_(chain_length) {}

void MagazineOwner::forget_slots() noexcept {
    registry.mutex.lock();
    while (slots_ != nullptr) {
        Magazine& slot = *slots_;
        slot.loaded = nullptr;
        slot.spare = nullptr;
        slot.loaded_length.store(0, std::memory_order_relaxed);
        slot.spare_length.store(0, std::memory_order_relaxed);
        slot.taken.store(0, std::memory_order_relaxed);
        MagazineRegistry::unlink(slot);
    }
    registry.mutex.unlock();
}

void MagazineOwner::give_back(Magazine& slot) noexcept {
    if (slot.spare != nullptr) {
        depot_give({slot.spare, slot.spare_length.load(std::memory_order_relaxed)});
        slot.spare = nullptr;
        slot.spare_length.store(0, std::memory_order_relaxed);
    }
    if (slot.loaded != nullptr) {
        depot_give({slot.loaded, slot.loaded_length.load(std::memory_order_relaxed)});
        slot.loaded = nullptr;
        slot.loaded_length.store(0, std::memory_order_relaxed);
    }
}

void MagazineOwner::collect_stocks() noexcept {
    registry.mutex.lock();
    for (Magazine* slot = slots_; slot != nullptr; slot = slot->next) {
        give_back(*slot);
    }
    registry.mutex.unlock();
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
