// Two threads and a sender with two loops, walked through all interleavings: sending, running,
// stealing, dropping, stopping, and going to sleep. Each atomic access is one step, and the state
// word changes by the very functions that the workers use. Broken variants show that it can fail.
#include "locking/explorer_testing.h"
#include "loops/loop_word.h"

#include <array>
#include <compare>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using locking::explore;
using locking::Findings;
using locking::Until;

namespace {

constexpr unsigned loops_count = 2;
constexpr unsigned workers_count = 2;

enum class Fault {
    none,
    sleeps_without_looking,  ///< does not look at its queue after saying that it sleeps
    no_kick,                 ///< the sender does not look whether the thread sleeps
    no_notified,             ///< an event during a run leaves no mark
    runs_what_it_left,       ///< a thief runs a loop that stays in the queue
    drop_keeps_home_queue,   ///< a dropped loop stays in its old queue as well
    stop_without_wake,
};

enum class Verb : std::uint8_t { send, stop };

struct Order {
    Verb verb;
    std::uint8_t loop;
};

/// Where a thread is in its program.
enum class At : std::uint8_t {
    choose,
    run_load,
    run_swap,
    run_look,
    run_handle,
    done_load,
    done_swap,
    push_own,
    inject,
    rouse_one,
    say_sleep,
    count_sleep,
    look_again,
    wait,
    next_order,
    ask_load,
    ask_swap,
    end_look,
    end_load,
    end_swap,
    wake_load,
    wake_swap,
    push_home,
    rouse_home,
};

struct Thread {
    std::uint64_t loaded = 0;
    At at = At::choose;
    std::uint8_t loop = 0;
    std::uint8_t home = 0;
    std::uint8_t order = 0;
    bool last = false;
    bool more = false;
    auto operator<=>(const Thread&) const = default;
};

struct LoopModel {
    std::uint64_t word = 0;
    std::uint8_t home = 0;
    std::uint8_t pending = 0;
    std::uint8_t running = 0;
    bool closed = false;  ///< sends are refused
    bool stopped = false;
    auto operator<=>(const LoopModel&) const = default;
};

struct WorkerModel {
    std::uint8_t queue = 0;  ///< a bit for each loop
    bool sleeping = false;
    bool kicked = false;
    auto operator<=>(const WorkerModel&) const = default;
};

struct Scene {
    std::array<LoopModel, loops_count> loops;
    std::array<WorkerModel, workers_count> workers;
    std::array<Thread, workers_count + 1> threads;
    std::uint8_t injector = 0;
    std::uint8_t sleepers = 0;
    std::string_view wrong;  ///< what a step has found
    auto operator<=>(const Scene&) const = default;
};

constexpr std::uint8_t bit(unsigned loop) {
    return static_cast<std::uint8_t>(1U << loop);
}

class SchedulerModel {
  public:
    SchedulerModel(std::vector<Order> script, Fault fault)
        : script_(std::move(script)), fault_(fault) {}

    static constexpr std::size_t threads = workers_count + 1;

    static Scene start() {
        Scene scene;
        for (unsigned i = 0; i < loops_count; ++i) {
            const auto home = static_cast<std::uint16_t>(i % workers_count);
            scene.loops[i].word = LoopWord{home, LoopState::idle, 0, 0}.pack();
            scene.loops[i].home = static_cast<std::uint8_t>(home);
        }
        scene.threads[workers_count].at = At::next_order;
        return scene;
    }

    void step(const Scene& scene, std::size_t thread, std::vector<Scene>& out) const {
        for (unsigned choice = 0; choice < choices_max; ++choice) {
            Scene next = scene;
            if (step(next, static_cast<unsigned>(thread), choice)) out.push_back(next);
        }
    }

    std::string_view broken(const Scene& scene) const {
        for (unsigned i = 0; i < loops_count; ++i) {
            unsigned queues = (scene.injector & bit(i)) != 0 ? 1 : 0;
            for (const WorkerModel& worker : scene.workers)
                queues += (worker.queue & bit(i)) != 0 ? 1 : 0;
            if (queues > 1) return "in two queues";
        }
        return scene.wrong;
    }

    /// Nobody can move any more: everything must have been done.
    std::string_view stuck(const Scene& scene) const {
        if (scene.injector != 0) return "nobody takes what was dropped";
        for (const LoopModel& loop : scene.loops) {
            if (loop.pending > 0 && !loop.stopped) return "lost notification";
            if (LoopWord::unpack(loop.word).has(LoopWord::stopping) && !loop.stopped) {
                return "lost stop";
            }
        }
        for (const WorkerModel& worker : scene.workers) {
            if (worker.queue != 0) return "sleeps with work queued";
        }
        return "";
    }

  private:
    // pop own 0/1, steal 0/1, drop 0/1, take injected 0/1, sleep
    static constexpr unsigned choices_max = 9;

    /// One thread's next atomic step; false if it cannot move (that way).
    bool step(Scene& scene, unsigned index, unsigned choice) const {
        Thread& thread = scene.threads[index];
        if (thread.at == At::choose) return choose(scene, thread, index, choice);
        if (choice != 0) return false;
        switch (thread.at) {
            case At::next_order:
                return next_order(scene, thread);
            case At::wait:
                return wake_up(scene, thread, index);
            case At::say_sleep:
            case At::count_sleep:
            case At::look_again:
                go_to_sleep(scene, thread, index);
                return true;
            case At::run_load:
            case At::run_swap:
            case At::run_look:
            case At::run_handle:
            case At::done_load:
            case At::done_swap:
                run(scene, thread, index);
                return true;
            case At::push_own:
                scene.workers[index].queue |= bit(thread.loop);
                thread.at = At::choose;
                return true;
            case At::inject:
                scene.injector |= bit(thread.loop);
                thread.at = At::rouse_one;
                return true;
            case At::rouse_one:
                rouse_one(scene);
                thread.at = At::choose;
                return true;
            default:
                wake(scene, thread);
                return true;
        }
    }

    bool choose(Scene& scene, Thread& thread, unsigned index, unsigned choice) const {
        WorkerModel& own = scene.workers[index];
        WorkerModel& other = scene.workers[1 - index];
        if (choice == 8) {
            if (own.queue != 0) return false;
            thread.at = At::say_sleep;
            return true;
        }
        const unsigned loop = choice % 2;
        std::uint8_t& from = choice < 2 || choice / 2 == 2 ? own.queue
                             : choice < 4                  ? other.queue
                                                           : scene.injector;
        if ((from & bit(loop)) == 0) return false;
        thread.loop = static_cast<std::uint8_t>(loop);
        const bool stealing = choice / 2 == 1;
        const bool dropping = choice / 2 == 2;
        const bool keeps = (stealing && fault_ == Fault::runs_what_it_left) ||
                           (dropping && fault_ == Fault::drop_keeps_home_queue);
        if (!keeps) from &= static_cast<std::uint8_t>(~bit(loop));
        if (LoopWord::unpack(scene.loops[loop].word).state != LoopState::ready) {
            scene.wrong = "popped not READY";
        }
        if (choice < 2) {
            scene.loops[loop].home = static_cast<std::uint8_t>(index);
            thread.at = At::run_load;
        } else if (dropping) {
            thread.at = At::inject;
        } else {
            thread.at = At::push_own;
        }
        return true;
    }

    void run(Scene& scene, Thread& thread, unsigned index) const {
        LoopModel& loop = scene.loops[thread.loop];
        const auto id = static_cast<std::uint16_t>(index);
        switch (thread.at) {
            case At::run_load:
                load(loop, thread, At::run_swap);
                break;
            case At::run_swap:
                if (!swap(loop, thread, [id](LoopWord w) { return step_run(w, id); }).done) break;
                if (loop.running++ != 0) scene.wrong = "two threads run one loop";
                if (loop.stopped) scene.wrong = "run after stop";
                thread.at = At::run_look;
                break;
            case At::run_look:
                thread.last = LoopWord::unpack(loop.word).has(LoopWord::stopping);
                thread.at = At::run_handle;
                break;
            case At::run_handle:  // one event; the slice may end with more left
                if (loop.pending > 0) --loop.pending;
                thread.more = loop.pending > 0;
                thread.at = At::done_load;
                break;
            case At::done_load:
                load(loop, thread, At::done_swap);
                break;
            default:
                end_run(loop, thread);
        }
    }

    void end_run(LoopModel& loop, Thread& thread) const {
        if (thread.last) {
            if (!swap(loop, thread, step_stopped).done) return;
            loop.stopped = loop.closed = true;
            loop.pending = 0;
            --loop.running;
            thread.at = At::choose;
        } else {
            const bool more = thread.more;
            const Swapped swapped =
                swap(loop, thread, [more](LoopWord w) { return step_done(w, more); });
            if (!swapped.done) return;
            --loop.running;
            thread.at = swapped.enqueue ? At::push_own : At::choose;
        }
        thread.last = thread.more = false;
    }

    bool next_order(Scene& scene, Thread& thread) const {
        if (thread.order == script_.size()) return false;
        const Order order = script_[thread.order++];
        thread.loop = order.loop;
        LoopModel& loop = scene.loops[order.loop];
        if (order.verb == Verb::stop) {
            thread.at = At::ask_load;
        } else if (!loop.closed) {
            ++loop.pending;
            thread.at = At::wake_load;
        }
        return true;
    }

    void wake(Scene& scene, Thread& thread) const {
        LoopModel& loop = scene.loops[thread.loop];
        switch (thread.at) {
            case At::ask_load:
                load(loop, thread, At::ask_swap);
                break;
            case At::ask_swap: {
                const bool idle = LoopWord::unpack(thread.loaded).state == LoopState::idle;
                if (!swap(loop, thread, step_ask_stop).done) break;
                if (idle) {
                    if (loop.running++ != 0) scene.wrong = "two threads run one loop";
                    thread.at = At::end_look;
                } else {
                    thread.at = fault_ == Fault::stop_without_wake ? At::next_order : At::wake_load;
                }
                break;
            }
            case At::end_look:
            case At::end_load:
            case At::end_swap:
                end_idle(loop, thread);
                break;
            case At::wake_load:
                load(loop, thread, At::wake_swap);
                break;
            case At::wake_swap: {
                const Swapped swapped = swap(loop, thread, [this](LoopWord word) {
                    LoopStep result = step_wake(word);
                    if (fault_ == Fault::no_notified && word.state == LoopState::running) {
                        result.next = word;
                    }
                    return result;
                });
                if (!swapped.done) break;
                thread.at = swapped.enqueue ? At::push_home : At::next_order;
                break;
            }
            case At::push_home:
                thread.home = loop.home;
                scene.workers[thread.home].queue |= bit(thread.loop);
                thread.at = fault_ == Fault::no_kick ? At::next_order : At::rouse_home;
                break;
            default: {  // rouse_home
                WorkerModel& worker = scene.workers[thread.home];
                if (worker.sleeping) {
                    worker.sleeping = false;
                    worker.kicked = true;
                }
                thread.at = At::next_order;
            }
        }
    }

    /// The asker has found the loop idle: it ends it, or gives it back to be run.
    static void end_idle(LoopModel& loop, Thread& thread) {
        if (thread.at == At::end_look) {
            thread.more = loop.pending > 0;
            if (!thread.more) loop.closed = true;
            thread.at = At::end_load;
        } else if (thread.at == At::end_load) {
            load(loop, thread, At::end_swap);
        } else {
            const bool more = thread.more;
            const Swapped swapped = swap(loop, thread, [more](LoopWord w) {
                return more ? step_done(w, true) : step_stopped(w);
            });
            if (!swapped.done) return;
            --loop.running;
            loop.stopped = !more;
            thread.at = swapped.enqueue ? At::push_home : At::next_order;
            thread.more = false;
        }
    }

    void go_to_sleep(Scene& scene, Thread& thread, unsigned index) const {
        WorkerModel& worker = scene.workers[index];
        if (thread.at == At::say_sleep) {
            worker.sleeping = true;
            thread.at = At::count_sleep;
        } else if (thread.at == At::count_sleep) {
            ++scene.sleepers;
            thread.at = fault_ == Fault::sleeps_without_looking ? At::wait : At::look_again;
        } else if (worker.queue != 0 || scene.injector != 0) {
            wake_now(scene, thread, index);
        } else {
            thread.at = At::wait;
        }
    }

    bool wake_up(Scene& scene, Thread& thread, unsigned index) const {
        if (!scene.workers[index].kicked) return false;
        wake_now(scene, thread, index);
        return true;
    }

    void wake_now(Scene& scene, Thread& thread, unsigned index) const {
        --scene.sleepers;
        scene.workers[index].sleeping = false;
        scene.workers[index].kicked = false;
        thread.at = At::choose;
    }

    void rouse_one(Scene& scene) const {
        if (scene.sleepers == 0) return;
        for (WorkerModel& worker : scene.workers) {
            if (!worker.sleeping) continue;
            worker.sleeping = false;
            worker.kicked = true;
            return;
        }
    }

    static void load(const LoopModel& loop, Thread& thread, At next) {
        thread.loaded = loop.word;
        thread.at = next;
    }

    struct Swapped {
        bool done;
        bool enqueue;
    };

    /// The body of change(): a swap that fails has loaded the word anew.
    template <class Step>
    static Swapped swap(LoopModel& loop, Thread& thread, Step&& step) {
        const LoopStep result = step(LoopWord::unpack(thread.loaded));
        const bool same = result.next.pack() == thread.loaded;
        if (!same && loop.word != thread.loaded) {
            thread.loaded = loop.word;
            return {false, false};
        }
        if (!same) loop.word = result.next.pack();
        thread.loaded = 0;
        return {true, result.enqueue};
    }

    std::vector<Order> script_;
    Fault fault_;
};

Findings walk(std::vector<Order> script, Fault fault) {
    return explore(SchedulerModel(std::move(script), fault), SchedulerModel::start(),
                   Until::first_finding);
}

void check_sound(const std::vector<Order>& script) {
    const Findings findings = walk(script, Fault::none);
    CHECK(findings.clean());
    CHECK(findings.states > 1000);
}

const std::vector<Order> sends{{Verb::send, 0}, {Verb::send, 1}, {Verb::send, 0}};
const std::vector<Order> sends_and_stop{
    {Verb::send, 0}, {Verb::send, 1}, {Verb::stop, 0}, {Verb::send, 0}};
const std::vector<Order> two_stops{
    {Verb::send, 1}, {Verb::stop, 1}, {Verb::send, 0}, {Verb::stop, 0}};

}  // namespace

TEST_CASE("AT-PING-1 two threads, a sender and two loops lose and double nothing",
          "[AT-PING-1][AT-PING-3]") {
    check_sound(sends);
    check_sound(sends_and_stop);
    check_sound(two_stops);
}

TEST_CASE("AT-PING-1 the model finds schedulers that are wrong", "[AT-PING-1][AT-PING-3]") {
    CHECK_FALSE(walk(sends, Fault::sleeps_without_looking).clean());
    CHECK_FALSE(walk(sends, Fault::no_kick).clean());
    CHECK_FALSE(walk(sends, Fault::no_notified).clean());
    CHECK_FALSE(walk(sends, Fault::runs_what_it_left).clean());
    CHECK_FALSE(walk(sends, Fault::drop_keeps_home_queue).clean());
    CHECK_FALSE(walk(two_stops, Fault::stop_without_wake).clean());
}

}  // namespace tern::loops
