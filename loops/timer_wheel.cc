#include "loops/timer_wheel.h"

#include "loops/timer.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tern::loops {

namespace {

// How far ahead of the timer at hand another one is asked for.
constexpr std::size_t prefetch_ahead = 16;
// A slot keeps that much room for its next turn and gives the rest back.
constexpr std::size_t kept_entries = 64;
// So many holes, and three for each timer, make a slot worth tidying, which touches its timers.
constexpr std::uint32_t compact_holes = 64;

/// A hole is as good as none.
const Timer* ahead(const std::vector<Timer*>& entries, std::size_t at) {
    return at + prefetch_ahead < entries.size() ? entries[at + prefetch_ahead] : nullptr;
}

}  // namespace

std::uint64_t TimerWheel::Level::first() const {
    for (std::size_t word = 0; word < occupied.size(); ++word) {
        if (occupied[word] != 0) {
            return word * 64 + static_cast<unsigned>(std::countr_zero(occupied[word]));
        }
    }
    return slots;
}

void TimerWheel::file(Timer& timer) {
    const Instant at = timer.filed_;
    const std::uint64_t tick = tick_of(at);
    const auto differing = static_cast<unsigned>(std::bit_width(tick ^ base_));
    const unsigned level = differing == 0 ? 0 : (differing - 1) / digit_bits;
    if (levels_[level] == nullptr) levels_[level] = std::make_unique<Level>();
    const std::uint64_t digit = digit_of(tick, level);
    Slot& slot = levels_[level]->slots_[digit];
    if (slot.entries.empty()) {
        levels_[level]->mark(digit, true);
        slot.least = at;
    } else if (at < slot.least) {
        slot.least = at;
    }
    earliest_ = std::min(earliest_, at);
    timer.slot_ = static_cast<std::uint16_t>(Timer::first_wheel_slot + level * slots + digit);
    timer.index_ = static_cast<std::uint32_t>(slot.entries.size());
    slot.entries.push_back(&timer);
}

void TimerWheel::take_back(Timer& timer) {
    const unsigned number = timer.slot_ - Timer::first_wheel_slot;
    Level& level = *levels_[number / slots];
    Slot& slot = level.slots_[number % slots];
    slot.entries[timer.index_] = nullptr;
    ++slot.holes;
    const Instant before = slot.least;
    if (slot.holes == slot.entries.size()) {
        release(slot.entries);
        slot.holes = 0;
        level.mark(number % slots, false);
    } else if (slot.holes >= compact_holes && slot.holes > slot.entries.size() / 4 * 3) {
        compact(slot);
    } else {
        return;
    }
    if (before == earliest_) earliest_ = least();
}

void TimerWheel::compact(Slot& slot) {
    std::uint32_t kept = 0;
    slot.least = Instant::never();
    for (std::size_t i = 0; i < slot.entries.size(); ++i) {
        __builtin_prefetch(ahead(slot.entries, i), 1);
        Timer* const timer = slot.entries[i];
        if (timer == nullptr) continue;
        timer->index_ = kept;
        slot.entries[kept++] = timer;
        slot.least = std::min(slot.least, timer->filed_);
    }
    slot.entries.resize(kept);
    slot.holes = 0;
}

/// The bound of the first occupied slot, which is below those of all others.
Instant TimerWheel::least() const {
    for (const std::unique_ptr<Level>& level : levels_) {
        if (level == nullptr) continue;
        const std::uint64_t digit = level->first();
        if (digit != slots) return level->slots_[digit].least;
    }
    return Instant::never();
}

bool TimerWheel::hand_out(Instant now, std::vector<TimerEntry>& out) {
    while (earliest_ <= now) {
        unsigned at = 0;
        while (levels_[at] == nullptr || levels_[at]->first() == slots)
            ++at;
        const std::uint64_t digit = levels_[at]->first();
        const std::uint64_t above = base_ >> digit_bits * at >> digit_bits;
        const std::uint64_t start = (above << digit_bits | digit) << digit_bits * at;
        if (at != 0) {
            advance(start);  // spreads the slot over the levels below
            continue;
        }
        Slot& slot = levels_[0]->slots_[digit];
        for (std::size_t i = 0; i < slot.entries.size(); ++i) {
            Timer::prefetch(ahead(slot.entries, i));
            Timer* const timer = slot.entries[i];
            if (timer != nullptr) out.push_back({timer->filed_, timer});
        }
        release(slot.entries);
        slot.holes = 0;
        levels_[0]->mark(digit, false);
        advance(start + 1);
        return true;
    }
    if (tick_of(now) > base_) advance(tick_of(now));
    return false;
}

/// Moves base, and files anew what stands in a slot that base enters.
void TimerWheel::advance(std::uint64_t tick) {
    const std::uint64_t before = std::exchange(base_, tick);
    for (unsigned at = levels_max; at-- > 1;) {
        if (levels_[at] == nullptr || (before ^ tick) >> digit_bits * at == 0) continue;
        const std::uint64_t digit = digit_of(tick, at);
        Slot& slot = levels_[at]->slots_[digit];
        if (slot.entries.empty()) continue;
        std::vector<Timer*> entries = std::exchange(slot.entries, {});
        slot.holes = 0;
        levels_[at]->mark(digit, false);
        for (std::size_t i = 0; i < entries.size(); ++i) {
            __builtin_prefetch(ahead(entries, i), 1);
            if (entries[i] != nullptr) file(*entries[i]);
        }
    }
    earliest_ = least();
}

void TimerWheel::release(std::vector<Timer*>& entries) {
    if (entries.capacity() > kept_entries) {
        std::vector<Timer*>().swap(entries);
    } else {
        entries.clear();
    }
}

}  // namespace tern::loops
