// The low-latency class: its loops have threads of their own. Each check is shown to fail where
// they share those of the other loops.
#include "loops/lockstep_testing.h"
#include "loops/test_support.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Control;
using test::Lockstep;
using test::Real;
using test::Stopper;
using test::TestLoop;

namespace {

/// Where loops of the low-latency class are: in a group of theirs, or in that of all others.
enum class Express { apart, among_others };

/// A loop that always wants to run, and for long.
struct Busy {
    Busy(ThreadGroup& group, Lockstep& lockstep_) : lockstep(lockstep_), own(group, "busy") {}

    static void run(void* self, Turn& turn) {
        auto& busy = *static_cast<Busy*>(self);
        if (busy.over) return;
        busy.lockstep.work(milliseconds(300));
        busy.event.send(turn.loop());
    }

    Lockstep& lockstep;
    TestLoop own;
    std::atomic<bool> over{false};
    Event event{run, this};
};

/// A timer that comes every ten milliseconds and notes how late it was.
struct Ticking {
    Ticking(ThreadGroup& group, Lockstep& lockstep_)
        : lockstep(lockstep_),
          own(group, "bfd"),
          timer(own.loop, callback<&Ticking::fired>(*this)) {}

    void fired() {
        worst = std::max(worst, lockstep.now() - due);
        ++count;
        next();
    }

    void next() {
        due = lockstep.now() + milliseconds(10);
        timer.at(due);
    }

    Lockstep& lockstep;
    TestLoop own;
    Timer timer;
    Instant due;
    Duration worst;
    int count = 0;
};

/// Ten seconds of three threads with twice as many busy loops, and one loop with a timer.
struct Saturated {
    explicit Saturated(Express where)
        : express(runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 1})),
          ticking(where == Express::apart ? express : group, lockstep) {
        for (int i = 0; i < 6; ++i)
            busy.emplace_back(group, lockstep);
    }

    void run() {
        Timer begin(runtime.main_loop(), callback<&Saturated::begins>(*this));
        Timer end(runtime.main_loop(), callback<&Saturated::ends>(*this));
        {
            const LoopEntry entry(runtime.main_loop());
            begin.in(milliseconds(1));
            end.in(seconds(10));
        }
        runtime.run();
        const LoopEntry entry(runtime.main_loop());
        begin.stop();
        end.stop();
    }

    void begins() {
        for (Busy& each : busy)
            each.event.send(each.own.loop);
        const LoopEntry entry(ticking.own.loop);
        ticking.next();
    }

    void ends() {
        for (Busy& each : busy)
            each.over = true;
        on_time = ticking.count > 900 && ticking.worst < milliseconds(2);
        lockstep.finish();
        runtime.quit();
    }

    ~Saturated() {
        for (Busy& each : busy) {
            const LoopEntry entry(each.own.loop);
            each.event.cancel();
        }
        const LoopEntry entry(ticking.own.loop);
        ticking.timer.stop();
    }

    Lockstep lockstep{5};
    locking::Domain<Control> domain{"main"};
    Runtime runtime{lockstep.options(domain)};
    ThreadGroup& group = runtime.add_group({.threads = 3});
    ThreadGroup& express;
    std::deque<Busy> busy;
    Ticking ticking;
    bool on_time = false;
};

/// A loop that notes which threads it runs on, two thousand times.
struct Traced {
    Traced(ThreadGroup& group, std::atomic<int>& left_, Event& last_)
        : own(group, "l"), left(left_), last(last_) {}

    static void run(void* self, Turn& turn) {
        auto& traced = *static_cast<Traced*>(self);
        traced.threads.insert(std::this_thread::get_id());
        if (--traced.runs > 0) {
            traced.event.send(turn.loop());
        } else if (--traced.left == 0) {
            traced.last.send(turn.loop().runtime().main_loop());
        }
    }

    TestLoop own;
    std::atomic<int>& left;
    Event& last;
    int runs = 2000;
    std::set<std::thread::id> threads;
    Event event{run, this};
};

/// Runs four loops of the low-latency class and eight others; whether no thread ran both kinds, and
/// the first kind had one alone.
bool classes_keep_apart(Express where) {
    const bool apart = where == Express::apart;
    // Nobody takes loops from anybody where that could put them right by chance.
    const GroupKind kind = apart ? GroupKind::worker : GroupKind::latency;
    Real real(GroupOptions{.kind = kind, .threads = 2});
    ThreadGroup& express =
        real.runtime.add_group({.name = "express", .kind = GroupKind::latency, .threads = 1});
    std::atomic<int> left{12};
    Stopper stopper(real.runtime);
    Action finished{[&](Turn&) { stopper.go(); }};
    Event last(finished.callback());
    std::deque<Traced> fast;
    std::deque<Traced> slow;
    for (int i = 0; i < 12; ++i) {
        if (i % 3 == 0) {
            fast.emplace_back(apart ? express : real.group, left, last);
        } else {
            slow.emplace_back(real.group, left, last);
        }
    }
    real.run([&](Turn&) {
        for (std::deque<Traced>* all : {&fast, &slow}) {
            for (Traced& each : *all) {
                stopper.add(each.own.loop);
                each.event.send(each.own.loop);
            }
        }
    });
    std::set<std::thread::id> express_threads;
    std::set<std::thread::id> threads{std::this_thread::get_id()};
    for (const Traced& each : fast)
        express_threads.insert(each.threads.begin(), each.threads.end());
    for (const Traced& each : slow)
        threads.insert(each.threads.begin(), each.threads.end());
    return express_threads.size() == 1 && threads.count(*express_threads.begin()) == 0;
}

}  // namespace

TEST_CASE("AT-LAT-1 a timer of the low-latency class is on time while workers are saturated",
          "[AT-LAT-1]") {
    Saturated apart(Express::apart);
    apart.run();
    CHECK(apart.on_time);
    CHECK(apart.group.moves() < 20);
    Saturated together(Express::among_others);
    together.run();
    CHECK_FALSE(together.on_time);
}

TEST_CASE("AT-LAT-2 a standard loop never runs on a latency thread, nor the other way round",
          "[AT-LAT-2]") {
    CHECK(classes_keep_apart(Express::apart));
    CHECK_FALSE(classes_keep_apart(Express::among_others));
}

}  // namespace tern::loops
