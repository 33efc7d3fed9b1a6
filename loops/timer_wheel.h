#pragma once

/// The far future of one loop's timers: arrays of pointers by time, seven levels of 256 slots.
/// Level 0 has slots of 1.024 ms, each further level slots 256 times as long; together they span
/// all of Instant. Filing an entry is an append, taking one back leaves a hole, so neither touches
/// any other timer; what a slot holds is sorted only when its time has come. The time of an entry
/// stands in its timer, which is touched when the entry moves anyway; half as much is written per
/// entry so. Owned by a TimerQueue, under its loop's domain. It never looks at a clock and never
/// calls a timer.
///
///   base: everything earlier has been handed out (to the queue's run and heap)
///   level of an entry: the highest digit (base 256, of its tick) in which it differs from base;
///   so all of a lower level comes before all of a higher one.

#include "loops/time.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace tern::loops {

class Timer;

/// When a timer is looked at next. The timer's own expiry may have moved later meanwhile.
struct TimerEntry {
    Instant at;
    Timer* timer = nullptr;  ///< nullptr: taken back
};

class TimerWheel {
  public:
    static constexpr unsigned tick_bits = 10;
    static constexpr unsigned digit_bits = 8;
    static constexpr unsigned levels_max = 7;
    static constexpr std::uint64_t slots = 1U << digit_bits;

    /// Whether an entry for `at` belongs here; otherwise its time has been handed out.
    bool covers(Instant at) const { return tick_of(at) >= base_; }

    /// Files it under the time of its entry.
    void file(Timer& timer);
    void take_back(Timer& timer);

    /// No entry is earlier; Instant::never() if there is none.
    Instant earliest() const { return earliest_; }

    /// Appends the first slot's entries to `out`, unsorted, holes left out, if some of them may be
    /// due, and base moves behind that slot; otherwise false, and base moves to `now`.
    bool hand_out(Instant now, std::vector<TimerEntry>& out);
    /// Calls `visit(timer)` for all and forgets them.
    template <class F>
    void clear(F&& visit);

  private:
    struct Slot {
        std::vector<Timer*> entries;
        std::uint32_t holes = 0;
        Instant least = Instant::never();  ///< lower bound
    };

    struct Level {
        std::array<std::uint64_t, slots / 64> occupied{};
        std::array<Slot, slots> slots_{};

        /// The first occupied slot; `slots` if none.
        std::uint64_t first() const;

        void mark(std::uint64_t digit, bool on) {
            const std::uint64_t bit = std::uint64_t{1} << (digit & 63);
            std::uint64_t& word = occupied[digit >> 6];
            word = on ? word | bit : word & ~bit;
        }
    };

    static std::uint64_t tick_of(Instant at) {
        return at.microseconds() < 0 ? 0
                                     : static_cast<std::uint64_t>(at.microseconds()) >> tick_bits;
    }

    static std::uint64_t digit_of(std::uint64_t tick, unsigned level) {
        return tick >> (digit_bits * level) & (slots - 1);
    }

    Instant least() const;
    void advance(std::uint64_t tick);
    void compact(Slot& slot);
    static void release(std::vector<Timer*>& entries);

    std::uint64_t base_ = 0;               ///< in ticks
    Instant earliest_ = Instant::never();  ///< the least bound of all slots
    std::array<std::unique_ptr<Level>, levels_max> levels_;
};

// ------------------------------------------------------------------------------------------------

template <class F>
void TimerWheel::clear(F&& visit) {
    for (const std::unique_ptr<Level>& level : levels_) {
        if (level == nullptr) continue;
        for (Slot& slot : level->slots_) {
            for (Timer* const timer : slot.entries) {
                if (timer != nullptr) visit(*timer);
            }
        }
    }
    levels_ = {};
    earliest_ = Instant::never();
}

}  // namespace tern::loops
