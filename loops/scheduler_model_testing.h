#pragma once

/// The scheduler as a model for locking/explorer_testing.h: three threads in two groups, two loops,
/// and somebody outside, who sends, stops, moves a loop and shrinks a group, or the handlers do.
/// The threads run, steal, drop, hand over, pick up, sleep and leave. Each atomic access is one
/// step. A change of a state word is one too, and is made by the functions that the threads use: a
/// swap that succeeds has found the word as it was loaded, and one that is not needed was done by
/// the load. Accesses are one step if what others do between them would come to the same before or
/// after them: a thread that pops a loop starts to run it, queues it for itself or strikes it off
/// its books; one that says it sleeps is counted; one that finds work is awake. What is like a send
/// is left out where no thread leaves. A scene is a value of a few dozen bytes.

#include "loops/loop_word.h"

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace tern::loops::model {

inline constexpr unsigned loops_count = 2;
inline constexpr unsigned workers_count = 3;
inline constexpr unsigned groups_count = 2;
inline constexpr unsigned outside = workers_count;  ///< the index of who is no worker
inline constexpr std::uint8_t none = 0xff;

/// What is done wrong, to show that it would be seen.
enum class Fault : std::uint8_t {
    nothing,
    sleeps_without_looking,  ///< does not look at its queue after saying that it sleeps
    no_kick,                 ///< the sender does not look whether the thread sleeps
    no_notified,             ///< an event during a run leaves no mark
    runs_what_it_left,       ///< a thief takes a loop that stays in the queue
    drop_keeps_home_queue,   ///< a dropped loop stays in its old queue as well
    drop_wakes_nobody,       ///< who sleeps is not told of a dropped loop
    stop_without_wake,
    move_without_wake,
    move_seen_before_run,  ///< a group is looked at when its loop is popped, and not after the run
    leaves_idle_behind,    ///< a thread that leaves forgets the loops that nothing has woken
    leaves_early,          ///< or goes as soon as its queue is empty
    leaves_silently,       ///< or does not pass on the call to pick up a dropped loop
    hands_to_anyone,       ///< also to a thread that leaves
    gives_back_blindly,    ///< a thief, to a thread that has left meanwhile
};

enum class Verb : std::uint8_t { send, stop, move, shrink };

/// `what` is a loop, or the group to shrink.
struct Order {
    Verb verb;
    std::uint8_t what;
    std::uint8_t to = 0;  ///< where a loop is moved to
};

/// Who gives the orders, one after the other: handlers of whatever runs then, or who is outside.
enum class Giver : std::uint8_t { handlers, outsider };

struct Script {
    Giver giver = Giver::outsider;
    std::array<std::uint8_t, workers_count> groups{};  ///< of each worker
    std::vector<Order> orders;

    bool has(Verb verb) const {
        for (const Order& order : orders)
            if (order.verb == verb) return true;
        return false;
    }
};

/// Where a thread is in its program.
enum class At : std::uint8_t {
    choose,
    begin,
    handle,
    look_moved,
    end,
    give_back,
    hand,
    inject,
    rouse_one,
    rouse_last,
    look_queue,
    look_injector,
    wait,
    gone,
    next_order,
    wake,
    ask_stop,
    retire,
    stopped,
    let_run,
    push_home,
    rouse,
};

struct Thread {
    At at = At::choose;
    std::uint8_t loop = none;    ///< popped, or spoken of in an order
    std::uint8_t runs = none;    ///< this loop's handler is what gives the order
    std::uint8_t worker = none;  ///< another one, as a target
    std::uint8_t group = none;   ///< another one
    bool last = false;
    bool more = false;
    auto operator<=>(const Thread&) const = default;
};

struct LoopModel {
    LoopWord word{LoopWord::no_owner, LoopState::idle};
    std::uint8_t home = none;
    std::uint8_t group = 0;
    std::uint8_t running = 0;
    bool closed = false;  ///< sends are refused
    std::uint32_t pending = 0;
    bool operator==(const LoopModel&) const = default;
};

struct WorkerModel {
    std::uint8_t group = 0;
    std::uint8_t queue = 0;  ///< a bit for each loop
    bool sleeping = false;
    bool kicked = false;
    bool member = true;
    bool leaving = false;
    auto operator<=>(const WorkerModel&) const = default;
};

struct GroupModel {
    std::uint8_t injector = 0;
    std::uint8_t sleepers = 0;
    bool operator==(const GroupModel&) const = default;
};

/// What a step has found that must not be.
enum class Wrong : std::uint8_t { nothing, popped_not_ready, run_twice, run_after_stop, homeless };

struct Scene {
    std::array<LoopModel, loops_count> loops;
    std::array<WorkerModel, workers_count> workers;
    std::array<Thread, workers_count + 1> threads;
    std::array<GroupModel, groups_count> groups;
    std::uint8_t order = 0;
    Wrong wrong = Wrong::nothing;
    bool operator==(const Scene&) const = default;
};

class Scheduler {
  public:
    Scheduler(Script script, Fault fault) : script_(std::move(script)), fault_(fault) {}

    static constexpr std::size_t threads = workers_count + 1;

    Scene start() const;
    void step(const Scene& scene, std::size_t thread, std::vector<Scene>& out) const;
    /// Threads are alike: sorted, and called by their places.
    void rename(Scene& scene) const;

    std::string_view broken(const Scene& scene) const;
    std::string_view stuck(const Scene& scene) const;

  private:
    class Step;

    Script script_;
    Fault fault_;
};

}  // namespace tern::loops::model
