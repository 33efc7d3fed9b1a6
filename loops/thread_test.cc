// Loops on real threads, short forms; the long ones are in stress/.
#include "loops/test_support.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Real;
using test::Stopper;
using test::system_threads;
using test::TestLoop;

namespace {

/// Passes itself round a ring of loops; each hop counts.
struct Hopper {
    std::vector<std::unique_ptr<TestLoop>>* ring = nullptr;
    std::size_t at = 0;
    std::uint64_t left = 0;
    Loop* main = nullptr;
    Event* finished = nullptr;
    std::atomic<int>* going = nullptr;
    Event event{[](void* self, Turn& turn) { static_cast<Hopper*>(self)->hop(turn); }, this};

    void hop(Turn& turn) {
        TERN_ASSERT(&turn.loop() == &(*ring)[at]->loop);
        if (--left == 0) {
            if (--*going == 0) finished->send(*main);
            return;
        }
        at = (at + 1) % ring->size();
        event.send((*ring)[at]->loop);
    }
};

/// When the threads of a group are made: when it starts, or later, which is the defect.
enum class Start { eager, with_the_first_loop };

struct Threads {
    std::size_t at_start = 0;
    std::size_t with_loops = 0;
    std::size_t at_end = 0;

    friend bool operator==(const Threads&, const Threads&) = default;
};

/// How many threads a group of eight has before and after five thousand loops were made.
Threads threads_of_eight(Start start) {
    const std::size_t before = system_threads();
    const bool eager = start == Start::eager;
    Real real(eager ? 8 : 1);
    std::vector<std::unique_ptr<TestLoop>> loops;
    Threads threads;
    Action made_action{[&](Turn&) {
        threads.with_loops = system_threads() - before;
        real.runtime.quit();
    }};
    Event made(made_action.callback());
    real.run([&](Turn& turn) {
        threads.at_start = system_threads() - before;
        for (int i = 0; i < 5000; ++i)
            loops.push_back(std::make_unique<TestLoop>(real.group, "idle"));
        if (!eager) {
            real.group.set_threads(8, turn.loop(), made);
        } else {
            made.send(turn.loop());
        }
    });
    threads.at_end = system_threads() - before;
    return threads;
}

}  // namespace

TEST_CASE("AT-THR-4 all threads exist right after the start, and no more for many loops",
          "[AT-THR-1][AT-THR-4]") {
    CHECK(threads_of_eight(Start::eager) == Threads{.at_start = 8, .with_loops = 8, .at_end = 0});
    CHECK(threads_of_eight(Start::with_the_first_loop).at_start != 8);
}

TEST_CASE("events hop round a ring of loops on several threads") {
    Real real(3);
    std::vector<std::unique_ptr<TestLoop>> loops;
    for (int i = 0; i < 16; ++i)
        loops.push_back(std::make_unique<TestLoop>(real.group, "ring"));
    std::vector<std::unique_ptr<Hopper>> hoppers;
    std::atomic<int> going{8};
    Stopper stopper(real.runtime);
    Action finished_action{[&](Turn&) { stopper.go(); }};
    Event finished(finished_action.callback());
    for (std::size_t i = 0; i < 8; ++i) {
        hoppers.push_back(std::make_unique<Hopper>());
        Hopper& hopper = *hoppers.back();
        hopper.ring = &loops;
        hopper.at = i * 2;
        hopper.left = 5000;
        hopper.main = &real.runtime.main_loop();
        hopper.finished = &finished;
        hopper.going = &going;
    }
    for (auto& loop : loops)
        stopper.add(loop->loop);
    real.run([&](Turn&) {
        for (auto& hopper : hoppers)
            hopper->event.send(loops[hopper->at]->loop);
    });
    for (auto& hopper : hoppers)
        CHECK(hopper->left == 0);
}

TEST_CASE("a run that becomes long calls a sleeping thread for what waits behind it") {
    GroupOptions options{.threads = 2};
    options.limits.min_slice = options.limits.max_slice = seconds(10);
    Real real(options);
    TestLoop busy(real.group, "busy");
    TestLoop elsewhere(real.group, "elsewhere");
    TestLoop behind(real.group, "behind");
    std::atomic<bool> taken{false};
    Action take{[&](Turn&) { taken = true; }};
    Event taking(take.callback());
    Stopper stopper(real.runtime);
    for (TestLoop* each : {&busy, &elsewhere, &behind})
        stopper.add(each->loop);
    Instant start;
    Event* again = nullptr;
    Action work{[&](Turn& turn) {
        if (start.is_zero()) {
            start = turn.loop().runtime().clock().now();
            // The run is young: nobody is woken for it now.
            taking.send(behind.loop);
        }
        const bool gave_up = turn.now() - start > seconds(5);
        CHECK_FALSE(gave_up);
        taken || gave_up ? stopper.go() : static_cast<void>(again->send(turn.loop()));
    }};
    Event working(work.callback());
    again = &working;
    real.run([&](Turn&) { working.send(busy.loop); });
    CHECK(taken);
}

TEST_CASE("a loop that moves to another group runs there from then on") {
    Real real(1);
    ThreadGroup& express =
        real.runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 1});
    TestLoop loop(real.group, "mover");
    std::vector<std::thread::id> ran_on;
    Event* again = nullptr;
    Stopper stopper(real.runtime);
    stopper.add(loop.loop);
    Action finished_action{[&](Turn&) { stopper.go(); }};
    Event finished(finished_action.callback());
    Action action{[&](Turn& turn) {
        ran_on.push_back(std::this_thread::get_id());
        if (ran_on.size() == 1) {
            turn.loop().move_to(express);
            again->send(turn.loop());
        } else if (std::this_thread::get_id() == ran_on[0]) {
            again->send(turn.loop());  // the rest of the present run
        } else {
            TERN_ASSERT(&turn.loop().group() == &express);
            finished.send(real.runtime.main_loop());
        }
    }};
    Event event(action.callback());
    again = &event;
    real.run([&](Turn&) { event.send(loop.loop); });
    CHECK(ran_on.back() != ran_on.front());
}

TEST_CASE("a busy thread's loops spread over idle threads without bouncing") {
    Real real(2);
    std::vector<std::unique_ptr<TestLoop>> loops;
    std::vector<std::unique_ptr<Action>> actions;
    std::vector<std::unique_ptr<Event>> events;
    Stopper stopper(real.runtime);
    std::mutex lock;
    std::set<std::thread::id> threads;
    std::atomic<int> left{4};
    Action finished_action{[&](Turn&) { stopper.go(); }};
    Event finished(finished_action.callback());
    // All on the first thread: the second one starts when they are there already.
    for (int i = 0; i < 8; ++i) {
        loops.push_back(std::make_unique<TestLoop>(real.group, "l"));
        stopper.add(loops.back()->loop);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        auto rounds = std::make_shared<int>(0);
        actions.push_back(std::make_unique<Action>(Action{[&, i, rounds](Turn& turn) {
            const Instant until = real.runtime.clock().now() + milliseconds(1);
            while (real.runtime.clock().now() < until) {
            }
            {
                const std::lock_guard guard(lock);
                threads.insert(std::this_thread::get_id());
            }
            if (++*rounds < 100) {
                events[i]->send(turn.loop());
            } else if (--left == 0) {
                finished.send(real.runtime.main_loop());
            }
        }}));
        events.push_back(std::make_unique<Event>(actions.back()->callback()));
    }
    // Loops 0, 2, 4 and 6 live on one thread: placement alternates.
    real.run([&](Turn&) {
        for (std::size_t i = 0; i < 4; ++i)
            events[i]->send(loops[2 * i]->loop);
    });
    CHECK(threads.size() == 2);
    CHECK(real.group.moves() >= 1);
    CHECK(real.group.moves() <= 12);
}

TEST_CASE("a hook runs once in every thread") {
    Real real(3);
    std::atomic<int> runs{0};
    std::mutex lock;
    std::set<std::thread::id> threads;
    auto body = [&] {
        ++runs;
        const std::lock_guard guard(lock);
        threads.insert(std::this_thread::get_id());
    };

    struct Hook {
        std::function<void()> body;
    } hook{body};

    Action done_action{[&](Turn&) { real.runtime.quit(); }};
    Event done(done_action.callback());
    real.run([&](Turn&) {
        real.runtime.on_every_thread(
            {[](void* context) { static_cast<Hook*>(context)->body(); }, &hook},
            real.runtime.main_loop(), done);
    });
    CHECK(runs == 4);
    CHECK(threads.size() == 4);
}

TEST_CASE("the report names threads, loops and their times") {
    Real real(2);
    TestLoop loop(real.group, "worker loop");
    real.run([&](Turn&) {
        const std::vector<ThreadReport> reports = real.runtime.report_threads();
        REQUIRE(reports.size() == 3);
        CHECK(reports[0].group == "main");
        CHECK(reports[0].loops.size() == 1);
        std::size_t found = 0;
        for (const ThreadReport& report : reports) {
            for (const LoopReport& each : report.loops)
                found += each.name == "worker loop";
        }
        CHECK(found == 1);
        real.runtime.quit();
    });
}

TEST_CASE("the times of a thread that comes back count from then on") {
    Real real(2);
    Loop& main = real.runtime.main_loop();
    Instant grown;
    Action looked{[&](Turn&) {
        for (const ThreadReport& report : real.runtime.report_threads()) {
            if (report.group == "main" || report.index == 0) continue;
            const Duration alive = real.runtime.clock().now() - grown;
            CHECK(report.working + report.idle + report.overhead <= alive);
        }
        real.runtime.quit();
    }};
    Event look(looked.callback());
    Action shrunk_action{[&](Turn&) {
        grown = real.runtime.clock().now();
        real.group.set_threads(2, main, look);
    }};
    Event shrunk(shrunk_action.callback());
    Action idle_action{[&](Turn&) { real.group.set_threads(1, main, shrunk); }};
    std::optional<Timer> idle;
    real.run([&](Turn&) {
        idle.emplace(main, Action::call, &idle_action);
        idle->in(milliseconds(20));
    });
    const LoopEntry entry(main);
    idle.reset();
}

TEST_CASE("a slow run is reported with the name of its loop") {
    Real real(1);
    TestLoop loop(real.group, "snail");

    struct Seen {
        std::mutex lock;
        std::string name;
        Duration took;
    } seen;

    real.runtime.set_slow_report(
        milliseconds(5),
        [](void* context, const SlowRun& run) {
            auto& log = *static_cast<Seen*>(context);
            const std::lock_guard guard(log.lock);
            if (run.loop != "snail") return;
            log.name = run.loop;
            log.took = run.took;
        },
        &seen);
    Stopper stopper(real.runtime);
    stopper.add(loop.loop);
    Action finished_action{[&](Turn&) { stopper.go(); }};
    Event finished(finished_action.callback());
    Action action{[&](Turn&) {
        const Instant until = real.runtime.clock().now() + milliseconds(10);
        while (real.runtime.clock().now() < until) {
        }
        finished.send(real.runtime.main_loop());
    }};
    Event event(action.callback());
    real.run([&](Turn&) { event.send(loop.loop); });
    CHECK(seen.name == "snail");
    CHECK(seen.took >= milliseconds(10));
}

TEST_CASE("limits of a group change while it runs, and loops go on") {
    Real real(2);
    TestLoop loop(real.group, "worker loop");
    const GroupLimits limits{milliseconds(50), microseconds(100), milliseconds(5), seconds(1)};
    bool ran = false;
    Action finished_action{[&](Turn&) { real.runtime.quit(); }};
    Event finished(finished_action.callback());
    Action action{[&](Turn&) {
        ran = true;
        finished.send(real.runtime.main_loop());
    }};
    Event event(action.callback());
    real.run([&](Turn&) {
        real.group.set_limits(limits);
        event.send(loop.loop);
    });
    CHECK(ran);
    CHECK(real.group.limits() == limits);
}

TEST_CASE("groups report their threads, and no loop without a thread when all are placed") {
    Real real(2);
    TestLoop loop(real.group, "worker loop");
    const std::vector<GroupReport> reports = real.runtime.report_groups();
    REQUIRE(reports.size() == 2);
    CHECK(reports[0].kind == GroupKind::pinned);
    CHECK(reports[1].name == real.group.name());
    CHECK(reports[1].threads == 2);
    CHECK(reports[1].waiting == 0);
}

}  // namespace tern::loops
