// The state word walked through all interleavings: each load and each compare-and-swap of each
// thread is one step, as in change(); the steps are the very functions that loops use.
#include "loops/loop_word.h"

#include "locking/explorer_testing.h"

#include <compare>
#include <optional>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using locking::explore;
using locking::Findings;
using locking::Until;

namespace {

enum class Role { sender, stopper, runner };

/// One thread of the model. `at` is its program counter.
struct Actor {
    Role role = Role::sender;
    std::uint8_t at = 0;
    std::uint8_t left = 0;     ///< sends or runs still to do
    std::uint64_t loaded = 0;  ///< the word as read before a compare-and-swap
    bool saw_stop = false;
    bool more = false;
    auto operator<=>(const Actor&) const = default;
};

struct World {
    std::uint64_t word = LoopWord{0, LoopState::idle, 0, 1}.pack();
    std::uint8_t queued = 0;   ///< how often the loop stands in queues
    std::uint8_t pending = 0;  ///< events pushed and not yet run
    std::uint8_t running = 0;  ///< runners inside handlers
    bool stopped = false;
    bool closed = false;       ///< sends are refused
    bool domain_busy = false;  ///< somebody else holds it when a stop wants it
    std::vector<Actor> actors;
    std::string_view wrong;  ///< what a step has found
    auto operator<=>(const World&) const = default;
};

/// Broken variants prove that the walk can fail.
enum class Fault {
    none,
    no_notified,
    no_enqueue_after_run,
    double_enqueue,
    stop_takes_ready,  ///< a stop takes a loop that stands in a queue
    stop_looks_never,  ///< a stop in place does not look for events
    stop_gives_up,     ///< a stop that cannot end the loop in place leaves it
};

struct WordModel {
    Fault fault = Fault::none;
    std::size_t threads = 0;

    /// The body of change(): a load, then a swap that may find the word changed and loads again.
    template <class Step>
    static std::optional<LoopStep> attempt(World& world, Actor& actor, Step&& step) {
        const LoopStep result = step(LoopWord::unpack(actor.loaded));
        if (result.next.pack() == actor.loaded) return result;
        if (world.word != actor.loaded) {
            actor.loaded = world.word;
            return std::nullopt;
        }
        world.word = result.next.pack();
        return result;
    }

    void wake_done(World& world, const LoopStep& step) const {
        if (step.enqueue) world.queued = static_cast<std::uint8_t>(world.queued + 1);
        if (fault == Fault::double_enqueue && step.next.state == LoopState::ready &&
            !step.enqueue) {
            world.queued = static_cast<std::uint8_t>(world.queued + 1);
        }
    }

    LoopStep wake_step(LoopWord word) const {
        LoopStep step = step_wake(word);
        if (fault == Fault::no_notified && word.state == LoopState::running) step.next = word;
        return step;
    }

    void sender(World& world, Actor& actor) const {
        switch (actor.at) {
            case 0:
                if (!world.closed) ++world.pending;
                actor.at = 1;
                break;
            case 1:
                actor.loaded = world.word;
                actor.at = 2;
                break;
            case 2:
                if (const auto step =
                        attempt(world, actor, [this](LoopWord w) { return wake_step(w); })) {
                    wake_done(world, *step);
                    actor.at = 0;
                    --actor.left;
                }
                break;
        }
    }

    LoopStep ask_step(LoopWord word) const {
        LoopStep step = step_ask_stop(word);
        if (fault == Fault::stop_takes_ready && word.state == LoopState::ready) {
            step.next.state = LoopState::running;
        }
        return step;
    }

    void stopper(World& world, Actor& actor) const {
        switch (actor.at) {
            case 0:
            case 2:
                actor.loaded = world.word;
                ++actor.at;
                break;
            case 1: {
                const LoopState before = LoopWord::unpack(actor.loaded).state;
                const auto step = attempt(world, actor, [this](LoopWord w) { return ask_step(w); });
                if (!step) break;
                // Whoever has made it RUNNING has it.
                const bool ours = step->next.state != before;
                actor.at = ours ? 4 : 2;
                if (ours && world.running++ != 0) world.wrong = "two threads run one loop";
                break;
            }
            case 3:
                if (const auto step = attempt(world, actor, step_wake)) {
                    wake_done(world, *step);
                    actor.at = 0;
                    --actor.left;
                }
                break;
            default:
                stop_in_place(world, actor);
        }
    }

    void stop_in_place(World& world, Actor& actor) const {
        switch (actor.at) {
            case 4: {  // closes what senders see if it is empty
                const bool looks = fault != Fault::stop_looks_never;
                actor.more = world.domain_busy || (looks && world.pending > 0);
                if (!actor.more && world.pending > 0) world.wrong = "stopped over an event";
                if (!actor.more) world.closed = true;
                actor.at = 5;
                break;
            }
            case 5:
                actor.loaded = world.word;
                actor.at = 6;
                break;
            case 6: {
                const bool more = actor.more;
                const auto step = attempt(world, actor, [more](LoopWord w) {
                    return more ? step_done(w, true) : step_stopped(w);
                });
                if (!step) break;
                --world.running;
                world.stopped = !more;
                if (step->enqueue && fault != Fault::stop_gives_up) ++world.queued;
                actor.at = 0;
                --actor.left;
                break;
            }
        }
    }

    void runner(World& world, Actor& actor, std::uint16_t id) const {
        switch (actor.at) {
            case 0:  // pop, the only way in; owner and thief do the same
                if (world.queued == 0) return;
                --world.queued;
                if (LoopWord::unpack(world.word).state != LoopState::ready)
                    world.wrong = "popped not READY";
                actor.loaded = world.word;
                actor.at = 1;
                break;
            case 1:
                if (attempt(world, actor, [id](LoopWord w) { return step_run(w, id); })) {
                    actor.at = 2;
                    if (world.running++ != 0) world.wrong = "two threads run one loop";
                    if (world.stopped) world.wrong = "run after stop";
                }
                break;
            case 2:
                actor.saw_stop = LoopWord::unpack(world.word).has(LoopWord::stopping);
                actor.at = 3;
                break;
            case 3:  // the handlers, one event at a time; it may give up with work left
                if (world.pending > 0) --world.pending;
                actor.more = world.pending > 0;
                actor.at = 4;
                break;
            case 4:
                actor.loaded = world.word;
                actor.at = 5;
                break;
            case 5:
                finish(world, actor);
                break;
        }
    }

    void finish(World& world, Actor& actor) const {
        if (actor.saw_stop) {
            const auto step = attempt(world, actor, step_stopped);
            if (!step) return;
            world.stopped = world.closed = true;
            world.pending = 0;
        } else {
            const bool more = actor.more;
            // step_done must see arrivals after the handlers through NOTIFIED alone.
            const auto step =
                attempt(world, actor, [more](LoopWord w) { return step_done(w, more); });
            if (!step) return;
            if (step->enqueue && fault != Fault::no_enqueue_after_run) ++world.queued;
        }
        --world.running;
        actor.at = 0;
    }

    void step(const World& world, std::size_t index, std::vector<World>& out) const {
        World next = world;
        Actor& actor = next.actors[index];
        if (actor.role == Role::runner) {
            runner(next, actor, static_cast<std::uint16_t>(index));
        } else if (actor.left > 0) {
            actor.role == Role::sender ? sender(next, actor) : stopper(next, actor);
        }
        if (next != world) out.push_back(next);
    }

    std::string_view broken(const World& world) const {
        return world.queued > 1 ? "in two queues" : world.wrong;
    }

    std::string_view stuck(const World& world) const {
        const LoopWord word = LoopWord::unpack(world.word);
        if (world.pending > 0 && !world.stopped) return "lost wake-up";
        if (word.has(LoopWord::stopping) && !world.stopped) return "lost stop";
        const bool left = word.state == LoopState::ready || word.state == LoopState::running;
        return left ? "stuck" : "";
    }
};

World world_of(unsigned senders, unsigned sends, unsigned runners, bool stop) {
    World world;
    for (unsigned i = 0; i < runners; ++i)
        world.actors.push_back({.role = Role::runner});
    for (unsigned i = 0; i < senders; ++i) {
        world.actors.push_back({.role = Role::sender, .left = static_cast<std::uint8_t>(sends)});
    }
    if (stop) world.actors.push_back({.role = Role::stopper, .left = 1});
    return world;
}

World with_busy_domain(World world) {
    world.domain_busy = true;
    return world;
}

Findings walk(const World& world, Fault fault) {
    return explore(WordModel{.fault = fault, .threads = world.actors.size()}, world,
                   Until::first_finding);
}

}  // namespace

TEST_CASE("a loop word survives packing") {
    const LoopWord word{7, LoopState::running, LoopWord::notified | LoopWord::stopping, 0xdeadbeef};
    CHECK(LoopWord::unpack(word.pack()) == word);
}

TEST_CASE("AT-PING-1 no interleaving of sends, pick-ups and a stop loses or doubles anything",
          "[AT-PING-1][AT-PING-3]") {
    CHECK(walk(world_of(1, 3, 2, false), Fault::none).clean());
    CHECK(walk(world_of(2, 2, 2, false), Fault::none).clean());
    CHECK(walk(world_of(2, 1, 2, true), Fault::none).clean());
    CHECK(walk(world_of(1, 2, 2, true), Fault::none).clean());
    CHECK(walk(world_of(1, 1, 3, true), Fault::none).clean());
    CHECK(walk(with_busy_domain(world_of(2, 1, 2, true)), Fault::none).clean());
}

TEST_CASE("AT-PING-1 the walk finds protocols that are wrong", "[AT-PING-1][AT-PING-3]") {
    CHECK(walk(world_of(2, 2, 2, false), Fault::no_notified).stuck == "lost wake-up");
    CHECK_FALSE(walk(world_of(2, 2, 2, false), Fault::no_enqueue_after_run).clean());
    CHECK_FALSE(walk(world_of(2, 2, 2, false), Fault::double_enqueue).clean());
    CHECK_FALSE(walk(world_of(1, 1, 2, true), Fault::stop_takes_ready).clean());
    CHECK(walk(world_of(1, 1, 2, true), Fault::stop_looks_never).broken == "stopped over an event");
    CHECK_FALSE(walk(world_of(1, 1, 2, true), Fault::stop_gives_up).clean());
}

}  // namespace tern::loops
