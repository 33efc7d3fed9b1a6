#pragma once

/// How the thread that polls tells a loop that a descriptor is ready: as an event.
/// That thread does not hold the loop's domain, so a watcher may be destroyed, paused or moved
/// between the kernel's answer and its delivery. Pollers therefore know a *slot* by number and
/// generation, not the watcher. Slots are owned by the runtime and recycled as slots only: a late
/// report finds a valid word and changes nothing. Whoever claims a slot queues it in its loop, and
/// the loop, with its domain held, asks the watcher whether it still wants to hear. Nothing is lost
/// with a report that is dropped: descriptors are level triggered.

#include "loops/event.h"
#include "loops/poller.h"
#include "loops/slot_word.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace tern::loops {

struct LoopCell;
class Watcher;
class WatchSlots;

/// Of one watcher, or of a loop's own poller, from when it is put into a poller until it leaves.
/// Public calls need the domain of the loop.
class WatchSlot : private Event {
  public:
    WatchSlot() : Event(run, this) {}

    /// By this a poller names it: never zero.
    Poller::Token token() const noexcept;

    /// It stands in another poller from now on. Reports of the old one that come later are void.
    void renew() noexcept;

    /// The watcher lets go of it. Goes back to the store, at once or when it leaves its queue.
    void kill() noexcept;

    /// Of an event that a loop lets go of without running it.
    static void drop(Callback event) noexcept;

  private:
    friend class WatchSlots;

    static void run(void* context, Turn& turn);

    template <class Step>
    SlotDuty change(Step&& step) noexcept;
    Ready let_go() noexcept;
    void report(std::uint32_t generation, Ready ready) noexcept;
    void queue() noexcept;

    std::atomic<std::uint64_t> word_{SlotWord().pack()};
    LoopCell* cell_ = nullptr;    ///< stays until it is back in the store
    Watcher* watcher_ = nullptr;  ///< nullptr: it is the loop's own poller that has something
    WatchSlots* store_ = nullptr;
    WatchSlot* next_vacant_ = nullptr;
    std::uint32_t index_ = 0;
};

/// All slots of a runtime; grows to the largest number of watchers at one time.
class WatchSlots {
  public:
    WatchSlots() = default;

    WatchSlots(const WatchSlots&) = delete;
    WatchSlots& operator=(const WatchSlots&) = delete;

    WatchSlot& take(LoopCell& cell, Watcher* watcher);

    /// The thread that polls. A token of the past is none of a watcher's.
    void report(const Poller::Report& report) noexcept;

  private:
    friend class WatchSlot;

    static constexpr std::uint32_t first_chunk = 64;  ///< each chunk has twice as many
    static constexpr std::size_t chunks_max = 26;

    WatchSlot& at(std::uint32_t index) const noexcept;
    void grow();
    void give_back(WatchSlot& slot) noexcept;

    std::array<std::atomic<WatchSlot*>, chunks_max> chunks_{};  ///< read without the lock
    std::mutex mutex_;
    std::array<std::unique_ptr<WatchSlot[]>, chunks_max> memory_;
    std::uint32_t made_ = 0;
    WatchSlot* vacant_ = nullptr;
};

}  // namespace tern::loops
