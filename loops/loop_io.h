#pragma once

/// What a loop has only once it watches a descriptor: its watchers, and in which poller they stand.
/// That is the one of the thread the loop lives on, so that a report takes one call of the kernel.
/// A loop that runs on another thread than before takes them along one by one; if they are many, it
/// gets a poller of its own at that moment, which stands in the thread's. Internal to loops/; owned
/// by the loop, under its domain. It never calls a handler.

#include "loops/callback.h"
#include "loops/poller.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tern::loops {

class Loop;
class Watcher;
class WatchSlot;
class Worker;

/// Made with the loop's first watcher; every call needs the loop's domain.
class LoopIo {
  public:
    /// `worker`: the one that runs the loop; nullptr if it is made from outside, and then the next
    /// run says.
    LoopIo(Loop& loop, Worker* worker) : loop_(loop), worker_(worker) {}

    /// Whether descriptors can be watched already; otherwise the next run begins with it.
    bool settled() const { return worker_ != nullptr; }

    /// Zero or an errno value; then nothing has changed.
    [[nodiscard]] int add(Watcher& watcher, Interest interest);
    [[nodiscard]] int change(Watcher& watcher, Interest interest);
    void remove(Watcher& watcher);

    /// Before a run: reports come to `here` from now on. What another thread still has to say about
    /// these descriptors counts no more, so nothing is said twice.
    void settle(Worker& here);

    /// The loop's own poller has something; queues it.
    void ask_own_poller();

    /// Nothing is watched any more.
    void retire();

    Links watchers{&watchers, &watchers};
    bool failures = false;  ///< some watcher is to be told that it is not watched

  private:
    /// Up to so many are taken along one by one; two calls of the kernel each.
    static constexpr std::size_t few = 8;

    /// What to do with a descriptor that stands in a thread's poller already, for another loop.
    enum class Clash : std::uint8_t { give_up, refuse };

    Poller& poller() const;
    bool has_many();
    void leave(Poller& from);
    bool enter(Poller& to, Clash clash);
    bool enter_own(Worker& here);
    void refuse(Watcher& watcher);

    template <class F>
    void for_watched(F&& visit);

    Loop& loop_;
    Worker* worker_;                 ///< in whose poller they stand, or the loop's own one
    std::unique_ptr<Poller> own_;    ///< most loops have none
    WatchSlot* own_slot_ = nullptr;  ///< of that
};

}  // namespace tern::loops
