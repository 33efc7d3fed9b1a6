// Two threads and a sender with two loops, walked through all interleavings: sending, running,
// stealing, dropping, stopping, and going to sleep. Each atomic access is one step, and the state
// word changes by the very functions that the workers use. Broken variants show that it can fail.
#include "loops/loop_word.h"

#include <array>
#include <string>
#include <unordered_set>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

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
};

struct LoopModel {
    std::uint64_t word = 0;
    std::uint8_t home = 0;
    std::uint8_t pending = 0;
    std::uint8_t running = 0;
    bool stopped = false;
};

struct WorkerModel {
    std::uint8_t queue = 0;  ///< a bit for each loop
    bool sleeping = false;
    bool kicked = false;
};

struct Scene {
    std::array<LoopModel, loops_count> loops;
    std::array<WorkerModel, workers_count> workers;
    std::array<Thread, workers_count + 1> threads;
    std::uint8_t injector = 0;
    std::uint8_t sleepers = 0;

    std::string key() const {
        std::string text;
        const auto put = [&text](auto value) {
            text.append(reinterpret_cast<const char*>(&value), sizeof value);
        };
        const auto short_word = [&put](std::uint64_t word) {
            put(static_cast<std::uint32_t>(word & 0xffffffff));
        };
        for (const LoopModel& loop : loops) {
            short_word(loop.word);
            put(loop.home);
            put(loop.pending);
            put(static_cast<std::uint8_t>(loop.running * 2 + loop.stopped));
        }
        for (const WorkerModel& worker : workers) {
            put(static_cast<std::uint8_t>(worker.queue * 4 + worker.sleeping * 2 + worker.kicked));
        }
        for (const Thread& thread : threads) {
            short_word(thread.loaded);
            put(thread.at);
            put(static_cast<std::uint8_t>(thread.loop * 64 + thread.home * 16 + thread.order));
            put(static_cast<std::uint8_t>(thread.last * 2 + thread.more));
        }
        put(injector);
        put(sleepers);
        return text;
    }
};

constexpr std::uint8_t bit(unsigned loop) {
    return static_cast<std::uint8_t>(1U << loop);
}

class Explorer {
  public:
    Explorer(std::vector<Order> script, Fault fault) : script_(std::move(script)), fault_(fault) {}

    std::string failure;
    std::size_t states = 0;

    void explore() {
        Scene start;
        for (unsigned i = 0; i < loops_count; ++i) {
            const auto home = static_cast<std::uint16_t>(i % workers_count);
            start.loops[i].word = LoopWord{home, LoopState::idle, 0, 0}.pack();
            start.loops[i].home = static_cast<std::uint8_t>(home);
        }
        start.threads[workers_count].at = At::next_order;
        std::unordered_set<std::string> seen;
        std::vector<Scene> open{start};
        seen.insert(start.key());
        while (!open.empty() && failure.empty()) {
            const Scene scene = open.back();
            open.pop_back();
            ++states;
            bool quiet = true;
            for (unsigned thread = 0; thread < scene.threads.size(); ++thread) {
                for (unsigned choice = 0; choice < choices_max; ++choice) {
                    Scene next = scene;
                    if (!step(next, thread, choice)) continue;
                    quiet = false;
                    check(next);
                    if (seen.insert(next.key()).second) open.push_back(next);
                }
            }
            if (quiet) check_quiet(scene);
        }
    }

  private:
    // pop own 0/1, steal 0/1, drop 0/1, take injected 0/1, sleep
    static constexpr unsigned choices_max = 9;

    void fail(const char* text) {
        if (failure.empty()) failure = text;
    }

    /// One thread's next atomic step; false if it cannot move (that way).
    bool step(Scene& scene, unsigned index, unsigned choice) {
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

    bool choose(Scene& scene, Thread& thread, unsigned index, unsigned choice) {
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
            fail("popped not READY");
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

    void run(Scene& scene, Thread& thread, unsigned index) {
        LoopModel& loop = scene.loops[thread.loop];
        const auto id = static_cast<std::uint16_t>(index);
        switch (thread.at) {
            case At::run_load:
                load(loop, thread, At::run_swap);
                break;
            case At::run_swap:
                if (!swap(loop, thread, [id](LoopWord w) { return step_run(w, id); }).done) break;
                if (loop.running++ != 0) fail("two threads run one loop");
                if (loop.stopped) fail("run after stop");
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

    void end_run(LoopModel& loop, Thread& thread) {
        if (thread.last) {
            if (!swap(loop, thread, step_stopped).done) return;
            loop.stopped = true;
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

    bool next_order(Scene& scene, Thread& thread) {
        if (thread.order == script_.size()) return false;
        const Order order = script_[thread.order++];
        thread.loop = order.loop;
        LoopModel& loop = scene.loops[order.loop];
        if (order.verb == Verb::stop) {
            thread.at = At::ask_load;
        } else if (!loop.stopped) {
            ++loop.pending;
            thread.at = At::wake_load;
        }
        return true;
    }

    void wake(Scene& scene, Thread& thread) {
        LoopModel& loop = scene.loops[thread.loop];
        switch (thread.at) {
            case At::ask_load:
                load(loop, thread, At::ask_swap);
                break;
            case At::ask_swap:
                if (!swap(loop, thread, step_ask_stop).done) break;
                thread.at = fault_ == Fault::stop_without_wake ? At::next_order : At::wake_load;
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

    void go_to_sleep(Scene& scene, Thread& thread, unsigned index) {
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

    bool wake_up(Scene& scene, Thread& thread, unsigned index) {
        if (!scene.workers[index].kicked) return false;
        wake_now(scene, thread, index);
        return true;
    }

    void wake_now(Scene& scene, Thread& thread, unsigned index) {
        --scene.sleepers;
        scene.workers[index].sleeping = false;
        scene.workers[index].kicked = false;
        thread.at = At::choose;
    }

    void rouse_one(Scene& scene) {
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

    void check(const Scene& scene) {
        for (unsigned i = 0; i < loops_count; ++i) {
            unsigned queues = (scene.injector & bit(i)) != 0 ? 1 : 0;
            for (const WorkerModel& worker : scene.workers)
                queues += (worker.queue & bit(i)) != 0 ? 1 : 0;
            if (queues > 1) fail("in two queues");
        }
    }

    /// Nobody can move any more: everything must have been done.
    void check_quiet(const Scene& scene) {
        if (scene.injector != 0) fail("nobody takes what was dropped");
        for (unsigned i = 0; i < loops_count; ++i) {
            const LoopModel& loop = scene.loops[i];
            if (loop.pending > 0 && !loop.stopped) fail("lost notification");
            if (LoopWord::unpack(loop.word).has(LoopWord::stopping) && !loop.stopped) {
                fail("lost stop");
            }
        }
        for (const WorkerModel& worker : scene.workers) {
            if (worker.queue != 0) fail("sleeps with work queued");
        }
    }

    std::vector<Order> script_;
    Fault fault_;
};

std::string explore(std::vector<Order> script, Fault fault) {
    Explorer explorer(std::move(script), fault);
    explorer.explore();
    if (fault == Fault::none) CHECK(explorer.states > 1000);
    return explorer.failure;
}

const std::vector<Order> sends{{Verb::send, 0}, {Verb::send, 1}, {Verb::send, 0}};
const std::vector<Order> sends_and_stop{
    {Verb::send, 0}, {Verb::send, 1}, {Verb::stop, 0}, {Verb::send, 0}};
const std::vector<Order> two_stops{
    {Verb::send, 1}, {Verb::stop, 1}, {Verb::send, 0}, {Verb::stop, 0}};

}  // namespace

TEST_CASE("AT-PING-1 two threads, a sender and two loops lose and double nothing", "[AT-PING-1]") {
    CHECK(explore(sends, Fault::none).empty());
    CHECK(explore(sends_and_stop, Fault::none).empty());
    CHECK(explore(two_stops, Fault::none).empty());
}

TEST_CASE("AT-PING-1 the model finds schedulers that are wrong", "[AT-PING-1]") {
    CHECK_FALSE(explore(sends, Fault::sleeps_without_looking).empty());
    CHECK_FALSE(explore(sends, Fault::no_kick).empty());
    CHECK_FALSE(explore(sends, Fault::no_notified).empty());
    CHECK_FALSE(explore(sends, Fault::runs_what_it_left).empty());
    CHECK_FALSE(explore(sends, Fault::drop_keeps_home_queue).empty());
    CHECK_FALSE(explore(two_stops, Fault::stop_without_wake).empty());
}

}  // namespace tern::loops
