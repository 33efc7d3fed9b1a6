#pragma once

/// The claim of a watch slot as one 64-bit word, and every step of it as a pure function.
/// generation:32 | dead:1 | ready:4. While something is ready, the slot stands in a queue of events
/// or is on its way there, and is nobody's to use anew. The generation tells a watcher from those
/// the slot had before: a report for an old one changes nothing. The steps are pure, so that a test
/// can walk all interleavings of them.
///
///              claim: queue it                 kill                       let_go: give it back
///   (g, idle) -----------------> (g, ready) ------------> (g, dead, ready) -----------> store
///       |   <-- let_go: deliver ----+  ^                                                  ^
///       |                              +--- claim: more of it                             |
///       +------ kill: give it back -------------------------------------------------------+

#include "loops/poller.h"

#include <cstdint>

namespace tern::loops {

/// The word taken apart; a value.
struct SlotWord {
    std::uint32_t generation = 0;
    bool dead = true;        ///< no watcher wants to hear of it
    std::uint8_t ready = 0;  ///< reported and not yet delivered, as ready_bits()

    constexpr bool operator==(const SlotWord&) const = default;

    constexpr std::uint64_t pack() const {
        return ready | (dead ? dead_bit : 0U) | static_cast<std::uint64_t>(generation) << 32;
    }

    static constexpr SlotWord unpack(std::uint64_t word) {
        return {static_cast<std::uint32_t>(word >> 32), (word & dead_bit) != 0,
                static_cast<std::uint8_t>(word & ready_mask)};
    }

    static constexpr std::uint64_t ready_mask = 0xf;
    static constexpr std::uint64_t dead_bit = 0x10;
};

constexpr std::uint8_t ready_bits(Ready ready) {
    return static_cast<std::uint8_t>(ready.readable | ready.writable << 1 | ready.error << 2 |
                                     ready.hangup << 3);
}

constexpr Ready ready_of(std::uint8_t bits) {
    return {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, (bits & 8) != 0};
}

/// What falls to whoever installs a step.
enum class SlotDuty : std::uint8_t { none, queue, give_back };

/// The word after a step, and the duty.
struct SlotStep {
    SlotWord next;
    SlotDuty duty = SlotDuty::none;
};

/// A watcher takes it out of the store.
constexpr SlotStep slot_open(SlotWord word) {
    return {{word.generation + 1, false, 0}};
}

/// The watcher stands in another poller from now on; what the old one has said already counts.
constexpr SlotStep slot_renew(SlotWord word) {
    ++word.generation;
    return {word};
}

/// A poller reports the generation it was given.
constexpr SlotStep slot_claim(SlotWord word, std::uint32_t generation, std::uint8_t ready) {
    if (word.dead || word.generation != generation) return {word};
    const SlotDuty duty = word.ready == 0 ? SlotDuty::queue : SlotDuty::none;
    word.ready |= ready;
    return {word, duty};
}

/// It was taken out of the queue, or the queue refused it.
constexpr SlotStep slot_let_go(SlotWord word) {
    word.ready = 0;
    return {word, word.dead ? SlotDuty::give_back : SlotDuty::none};
}

/// The watcher goes, or leaves the poller.
constexpr SlotStep slot_kill(SlotWord word) {
    word.dead = true;
    return {word, word.ready == 0 ? SlotDuty::give_back : SlotDuty::none};
}

}  // namespace tern::loops
