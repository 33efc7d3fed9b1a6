#include "loops/watch_slot.h"

#include "locking/check.h"
#include "loops/cell.h"
#include "loops/loop.h"
#include "loops/watcher.h"

#include <bit>

namespace tern::loops {

Poller::Token WatchSlot::token() const noexcept {
    const SlotWord word = SlotWord::unpack(word_.load(std::memory_order_relaxed));
    return (static_cast<Poller::Token>(index_) + 1) << 32 | word.generation;
}

/// Applies `step(old)` atomically.
template <class Step>
SlotDuty WatchSlot::change(Step&& step) noexcept {
    std::uint64_t old = word_.load(std::memory_order_relaxed);
    for (;;) {
        const SlotStep result = step(SlotWord::unpack(old));
        const std::uint64_t wanted = result.next.pack();
        // A report that changes nothing is stale, or will be made again.
        if (wanted == old && result.duty == SlotDuty::none) return SlotDuty::none;
        if (word_.compare_exchange_weak(old, wanted, std::memory_order_acq_rel,
                                        std::memory_order_relaxed)) {
            return result.duty;
        }
    }
}

void WatchSlot::renew() noexcept {
    change(slot_renew);
}

void WatchSlot::kill() noexcept {
    if (change(slot_kill) == SlotDuty::give_back) store_->give_back(*this);
}

/// What was ready; nothing if nobody wants to know, and then it may be another's already.
Ready WatchSlot::let_go() noexcept {
    std::uint8_t ready = 0;
    const SlotDuty duty = change([&ready](SlotWord word) {
        ready = word.ready;
        return slot_let_go(word);
    });
    if (duty == SlotDuty::none) return ready_of(ready);
    store_->give_back(*this);
    return {};
}

void WatchSlot::drop(Callback event) noexcept {
    if (event.function == run) static_cast<WatchSlot*>(event.context)->let_go();
}

void WatchSlot::run(void* context, Turn& turn) {
    auto& slot = *static_cast<WatchSlot*>(context);
    const Ready ready = slot.let_go();
    if (!ready.any()) return;
    if (slot.watcher_ != nullptr) {
        slot.watcher_->deliver(turn, ready);
    } else {
        turn.loop().io().ask_own_poller();
    }
}

void WatchSlot::report(std::uint32_t generation, Ready ready) noexcept {
    const std::uint8_t bits = ready_bits(ready);
    const SlotDuty duty = change([&](SlotWord word) { return slot_claim(word, generation, bits); });
    if (duty == SlotDuty::queue) queue();
}

/// Claimed, so it stays what it is until it is let go of; the loop may stop and be gone, its cell
/// stays.
void WatchSlot::queue() noexcept {
    LoopCell& cell = *cell_;
    Loop* const here = running_loop;
    if (here != nullptr && &here->cell_ == &cell && !here->silent()) {
        cell.events.append(cell.inbox, *this);  // the run that goes on will find it
    } else if (cell.inbox.push(*this)) {
        wake(cell);
    } else {
        let_go();
    }
}

WatchSlot& WatchSlots::take(LoopCell& cell, Watcher* watcher) {
    const std::lock_guard lock(mutex_);
    if (vacant_ == nullptr) grow();
    WatchSlot& slot = *vacant_;
    vacant_ = slot.next_vacant_;
    slot.cell_ = &cell;
    slot.watcher_ = watcher;
    slot.change(slot_open);
    return slot;
}

void WatchSlots::give_back(WatchSlot& slot) noexcept {
    const std::lock_guard lock(mutex_);
    slot.next_vacant_ = vacant_;
    vacant_ = &slot;
}

void WatchSlots::grow() {
    const auto chunk = static_cast<std::size_t>(std::bit_width(made_ / first_chunk + 1)) - 1;
    TERN_ASSERT(chunk < chunks_max, "too many watchers");
    const std::uint32_t count = first_chunk << chunk;
    memory_[chunk] = std::make_unique<WatchSlot[]>(count);
    for (std::uint32_t i = count; i-- > 0;) {
        WatchSlot& slot = memory_[chunk][i];
        slot.store_ = this;
        slot.index_ = made_ + i;
        slot.next_vacant_ = vacant_;
        vacant_ = &slot;
    }
    made_ += count;
    chunks_[chunk].store(memory_[chunk].get(), std::memory_order_release);
}

WatchSlot& WatchSlots::at(std::uint32_t index) const noexcept {
    const std::uint32_t number = index / first_chunk + 1;
    const auto chunk = static_cast<std::size_t>(std::bit_width(number)) - 1;
    const std::uint32_t begin = ((1U << chunk) - 1) * first_chunk;
    return chunks_[chunk].load(std::memory_order_acquire)[index - begin];
}

void WatchSlots::report(const Poller::Report& report) noexcept {
    at(static_cast<std::uint32_t>(report.token >> 32) - 1)
        .report(static_cast<std::uint32_t>(report.token), report.ready);
}

}  // namespace tern::loops
