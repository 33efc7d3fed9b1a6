#pragma once

/// The life of a loop as one 64-bit word, and every step of it as a pure function.
/// owner:16 | state:8 | flags:8 | generation:32. A loop is in at most one queue, and it is in one
/// exactly while READY; so whoever pops it owns it, and ping, pick-up, drop, steal and stop cannot
/// collide. The steps are pure (old word in, new word and duty out), so that a test can walk all
/// interleavings of them. Nothing here touches memory shared between threads.
///
///          wake: enqueue            pop by the owner or a thief
///   IDLE ----------------> READY -------------------------------> RUNNING
///   ^  |                     ^                                      ^| |
///   |  +---------------------)--- stop, by the one who asks --------+| |
///   |                        |  done, NOTIFIED or more: enqueue      | |
///   |                        +---------------------------------------+ |
///   +------------------------------------------------------------------+  done; or STOPPED

#include <cstdint>

namespace tern::loops {

/// Vacant: the cell has no loop. The others are in the picture above.
enum class LoopState : std::uint8_t { vacant, idle, ready, running, stopped };

/// The word taken apart; a value. The generation counts the loops that a cell has had.
struct LoopWord {
    static constexpr std::uint16_t no_owner = 0xffff;
    static constexpr std::uint8_t notified = 1;  ///< something came while RUNNING
    static constexpr std::uint8_t stopping = 2;  ///< the next run is the last

    std::uint16_t owner = no_owner;
    LoopState state = LoopState::vacant;
    std::uint8_t flags = 0;
    std::uint32_t generation = 0;

    constexpr bool operator==(const LoopWord&) const = default;

    constexpr bool has(std::uint8_t flag) const { return (flags & flag) != 0; }

    constexpr std::uint64_t pack() const {
        return owner | static_cast<std::uint64_t>(state) << 16 |
               static_cast<std::uint64_t>(flags) << 24 |
               static_cast<std::uint64_t>(generation) << 32;
    }

    static constexpr LoopWord unpack(std::uint64_t word) {
        return {static_cast<std::uint16_t>(word), static_cast<LoopState>(word >> 16 & 0xff),
                static_cast<std::uint8_t>(word >> 24), static_cast<std::uint32_t>(word >> 32)};
    }
};

/// The new word, and whether whoever installs it has to put the loop into a queue.
struct LoopStep {
    LoopWord next;
    bool enqueue = false;
};

/// Something has arrived. READY needs nothing: its runner looks at the queues after leaving READY.
constexpr LoopStep step_wake(LoopWord word) {
    if (word.state == LoopState::idle) {
        word.state = LoopState::ready;
        return {word, true};
    }
    if (word.state == LoopState::running) word.flags |= LoopWord::notified;
    return {word, false};
}

/// A stop is asked for. Who finds the loop idle has it, as if popped, and may end it there and
/// then; otherwise the asker wakes it afterwards.
constexpr LoopStep step_ask_stop(LoopWord word) {
    word.flags |= LoopWord::stopping;
    if (word.state == LoopState::idle) word.state = LoopState::running;
    return {word, false};
}

/// `owner` has popped the loop and starts to run it.
constexpr LoopStep step_run(LoopWord word, std::uint16_t owner) {
    word.owner = owner;
    word.state = LoopState::running;
    word.flags &= static_cast<std::uint8_t>(~LoopWord::notified);
    return {word, false};
}

/// The run ends; `more`: the runner left work behind.
constexpr LoopStep step_done(LoopWord word, bool more) {
    const bool again = more || word.has(LoopWord::notified);
    word.state = again ? LoopState::ready : LoopState::idle;
    word.flags &= static_cast<std::uint8_t>(~LoopWord::notified);
    return {word, again};
}

/// The last run ends.
constexpr LoopStep step_stopped(LoopWord word) {
    word.state = LoopState::stopped;
    word.owner = LoopWord::no_owner;
    return {word, false};
}

/// The owner goes away: an idle loop is taken up as if popped (READY, in no queue yet).
constexpr LoopStep step_take_idle(LoopWord word) {
    if (word.state == LoopState::idle) {
        word.state = LoopState::ready;
        return {word, true};
    }
    return {word, false};
}

}  // namespace tern::loops
