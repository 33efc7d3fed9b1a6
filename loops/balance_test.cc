// Which thread runs what, on virtual time: the workers are the real ones, see lockstep_testing.h.
#include "loops/group_state.h"
#include "loops/lockstep_testing.h"
#include "loops/old_balance_testing.h"
#include "loops/test_support.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Control;
using test::Lockstep;
using test::OldBalance;
using test::Protocol;

namespace {

constexpr Duration work_of_handler = Duration::from_milliseconds(5);

/// A loop that always wants to run, or never does.
struct Worked {
    Worked(ThreadGroup& group, Lockstep& lockstep_)
        : lockstep(lockstep_), loop(group, domain, "w") {}

    static void run(void* self, Turn& turn) {
        auto& worked = *static_cast<Worked*>(self);
        if (worked.over) return;
        worked.thread = turn.loop().cell().read().owner;
        ++worked.runs;
        worked.lockstep.work(worked.handler);
        if (worked.again) worked.event.send(turn.loop());
    }

    Lockstep& lockstep;
    locking::Domain<Protocol> domain{"w"};
    Loop loop;
    std::uint16_t thread = LoopWord::no_owner;
    std::uint64_t runs = 0;
    Duration handler = work_of_handler;
    std::atomic<bool> over{false};  ///< the test has ended; what runs now does not count
    bool again = true;              ///< else one run is enough
    Event event{run, this};
};

struct World {
    World(unsigned threads_, const GroupOptions& options)
        : threads(threads_),
          lockstep(threads_ + 1),
          runtime(lockstep.options(domain)),
          group(runtime.add_group(options)),
          grown([](void*, Turn&) {}, nullptr) {}

    /// All loops made so far live on the threads there are; then there are more.
    void grow() { group.set_threads(threads, runtime.main_loop(), grown); }

    void make(std::size_t count) {
        for (std::size_t i = 0; i < count; ++i)
            loops.emplace_back(group, lockstep);
    }

    /// Starts the first `hot` loops, and calls `at_end` after that time.
    void run(std::size_t hot, Duration span) {
        Timer begin(runtime.main_loop(), begins, this);
        Timer end(runtime.main_loop(), ends, this);
        hot_ = hot;
        {
            const LoopEntry entry(runtime.main_loop());
            begin.in(milliseconds(1));
            end.in(milliseconds(1) + span);
        }
        runtime.run();
        const LoopEntry entry(runtime.main_loop());
        begin.stop();
        end.stop();
    }

    ~World() {
        for (Worked& each : loops) {
            const LoopEntry entry(each.loop);
            each.event.cancel();
        }
    }

    /// How many of the first `hot` loops ran last on the thread with the most, minus the least.
    std::size_t spread() const {
        std::vector<std::size_t> count(threads);
        for (std::size_t i = 0; i < hot_; ++i)
            ++count[loops[i].thread % threads];  // one that never ran counts for the last
        const auto [least, most] = std::minmax_element(count.begin(), count.end());
        return *most - *least;
    }

    static void begins(void* self, Turn&) {
        auto& world = *static_cast<World*>(self);
        for (std::size_t i = 0; i < world.hot_; ++i)
            world.loops[i].event.send(world.loops[i].loop);
        if (world.begun) world.begun();
    }

    static void ends(void* self, Turn&) {
        auto& world = *static_cast<World*>(self);
        for (Worked& each : world.loops)
            each.over = true;
        world.moves = world.group.moves();
        world.lockstep.finish();
        world.runtime.quit();
    }

    unsigned threads;
    Lockstep lockstep;
    locking::Domain<Control> domain{"main"};
    Runtime runtime;
    ThreadGroup& group;
    Event grown;
    std::deque<Worked> loops;
    std::function<void()> begun;
    std::size_t hot_ = 0;
    std::uint64_t moves = 0;  ///< until the test had ended
};

GroupOptions one_thread() {
    GroupOptions options;
    options.threads = 1;
    return options;
}

/// 4 threads, 100 loops made on one, 10 of them always busy; returns moves and the final spread.
struct Spreading {
    std::size_t spread = 0;
    std::uint64_t moves = 0;
};

Spreading spread_ten_of_hundred(const GroupOptions& options,
                                Duration span,
                                const Defects& defects) {
    World world(4, options);
    world.make(100);
    world.grow();
    GroupState::of(world.group).test_defects(defects);
    world.run(10, span);
    return {world.spread(), world.moves};
}

/// How on time a quiet timer is among eight loops that are always busy, and how these share.
struct Sharing {
    int ticks = 0;
    Duration worst;
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    std::uint64_t moves = 0;
};

/// When a timer comes again: after `period`, and up to six times `drift` later.
struct Beat {
    Duration period;
    Duration drift;
};

/// Out of step with slices.
constexpr Beat uneven{Duration::from_milliseconds(10), Duration::from_microseconds(310)};

/// A timer that notes how late it was.
struct Ticking {
    Ticking(Lockstep& lockstep_, Loop& loop, const Beat& beat_)
        : lockstep(lockstep_), beat(beat_), timer(loop, callback<&Ticking::fired>(*this)) {}

    void fired() {
        worst = std::max(worst, lockstep.now() - due);
        ++count;
        next();
    }

    void next() {
        due = lockstep.now() + beat.period + beat.drift * (count % 7);
        timer.at(due);
    }

    Lockstep& lockstep;
    Beat beat;
    Timer timer;
    Instant due;
    Duration worst;
    int count = 0;
};

Sharing timer_among_eight_busy(const Beat& beat, const Defects& defects) {
    GroupOptions options;
    options.threads = 2;
    World world(2, options);
    GroupState::of(world.group).test_defects(defects);
    world.make(9);
    for (Worked& each : world.loops)
        each.handler = microseconds(200);
    Loop& quiet = world.loops[8].loop;
    Ticking ticking(world.lockstep, quiet, beat);
    world.begun = [&] {
        const LoopEntry entry(quiet);
        ticking.next();
    };
    world.run(8, seconds(2));
    Sharing sharing{.ticks = ticking.count, .worst = ticking.worst, .moves = world.moves};
    for (std::size_t i = 0; i < 8; ++i) {
        sharing.least = std::min(sharing.least, world.loops[i].runs);
        sharing.most = std::max(sharing.most, world.loops[i].runs);
    }
    const LoopEntry entry(quiet);
    ticking.timer.stop();
    return sharing;
}

/// The counter of 3.3.2: idle turns do not count against busy ones while it is not busy.
class RisingMeter {
  public:
    bool feed(Duration wait) {
        if (wait.is_zero() && ++count_ >= 4) busy_ = true;
        return busy_;
    }

  private:
    int count_ = 0;
    bool busy_ = false;
};

template <class Meter>
bool alternating_turns_stay_idle(Meter meter) {
    for (int i = 0; i < 1000; ++i) {
        if (meter.feed(Duration()) || meter.feed(milliseconds(5))) return false;
    }
    return true;
}

/// The slice of 3.3.2: what is left is unsigned and wraps round when it is negative.
Duration wrapping_slice(const SliceLimits& limits, Duration elapsed, std::size_t loops) {
    const auto left = static_cast<std::uint64_t>((limits.max_latency / 2 - elapsed).microseconds());
    const std::uint64_t share = left / loops;
    const auto most = static_cast<std::uint64_t>(limits.max_slice.microseconds());
    const auto least = static_cast<std::uint64_t>(limits.min_slice.microseconds());
    return microseconds(static_cast<std::int64_t>(std::clamp(share, least, most)));
}

template <class F>
bool late_round_gets_least_slice(F slice) {
    const SliceLimits limits{milliseconds(10), milliseconds(1), milliseconds(300)};
    return slice(limits, milliseconds(6), 1) == limits.min_slice &&
           slice(limits, seconds(60), 5) == limits.min_slice;
}

}  // namespace

TEST_CASE("AT-BUSY-1 busy turns that never come four in a row do not add up", "[AT-BUSY-1]") {
    CHECK(alternating_turns_stay_idle(BusyMeter(4, 4, milliseconds(300))));
    CHECK_FALSE(alternating_turns_stay_idle(RisingMeter()));
}

TEST_CASE("AT-BUSY-2 ten busy loops of a hundred spread over four threads and then stay",
          "[AT-BUSY-2]") {
    const Spreading first_second = spread_ten_of_hundred(one_thread(), seconds(1), {});
    CHECK(first_second.spread <= 1);
    const Spreading long_run = spread_ten_of_hundred(one_thread(), seconds(30), {});
    CHECK(long_run.spread <= 1);
    CHECK(long_run.moves <= 30);
}

TEST_CASE("AT-BUSY-2 fails when nobody is woken for what is given away", "[AT-BUSY-2]") {
    GroupOptions dropping = one_thread();
    dropping.steal = false;
    dropping.balance = false;
    CHECK(spread_ten_of_hundred(dropping, seconds(1), {.wakes_nobody = true}).spread > 1);
    // It is the missing wake-up that fails: dropping alone suffices.
    CHECK(spread_ten_of_hundred(dropping, seconds(1), {}).spread <= 2);
}

TEST_CASE("AT-BUSY-2 fails with the whole rule of 3.3.2", "[AT-BUSY-2]") {
    CHECK(OldBalance(4, 100, 10).run(seconds(1)) > 1);
    CHECK(OldBalance(4, 100, 10).run(seconds(30)) > 1);
    // Not for want of threads: where most loops are busy, the rule does reach them.
    CHECK(OldBalance(4, 10, 10).run(seconds(30)) < 10);
}

TEST_CASE("AT-BUSY-3 nothing moves when all threads are equally busy", "[AT-BUSY-3]") {
    GroupOptions options;
    options.threads = 4;
    World world(4, options);
    world.make(8);
    world.run(8, seconds(5));
    CHECK(world.moves == 0);
    for (const Worked& each : world.loops)
        CHECK(each.runs > 100);
}

TEST_CASE("busy threads with unequal numbers of busy loops even out", "[AT-BUSY-3]") {
    // Six and two; nobody is idle, so neither dropping nor measured load can see it.
    World world(2, one_thread());
    world.make(6);
    world.grow();
    world.make(6);  // to the new thread, which has the fewest
    world.begun = [&] {
        for (std::size_t i = 6; i < 8; ++i)
            world.loops[i].event.send(world.loops[i].loop);
    };
    world.run(6, seconds(5));
    std::array<int, 2> count{};
    for (std::size_t i = 0; i < 8; ++i)
        ++count[world.loops[i].thread];
    CHECK(count[0] == 4);
    CHECK(count[1] == 4);
    CHECK(world.moves <= 6);
}

TEST_CASE("AT-BUSY-4 a thread with a single busy loop keeps it", "[AT-BUSY-4]") {
    World world(3, one_thread());
    world.make(1);
    world.grow();
    world.run(1, seconds(3));
    CHECK(world.moves == 0);
    CHECK(world.loops[0].runs > 500);
}

TEST_CASE("AT-BUSY-5 a loop that stops ends on the thread it was on", "[AT-BUSY-5]") {
    World world(2, one_thread());
    world.make(9);
    world.grow();
    std::deque<Event> stopped;
    world.begun = [&] {
        for (std::size_t i = 1; i < 9; ++i) {
            Worked& each = world.loops[i];
            each.again = false;
            each.event.send(each.loop);
            each.loop.stop(world.runtime.main_loop(),
                           stopped.emplace_back([](void*, Turn&) {}, nullptr));
        }
    };
    world.run(1, seconds(1));
    for (std::size_t i = 1; i < 9; ++i) {
        CHECK(world.loops[i].runs == 1);
        CHECK(world.loops[i].thread == 0);
    }
}

TEST_CASE("AT-BUSY-6 a round that is late already gives each loop the least slice", "[AT-BUSY-6]") {
    CHECK(late_round_gets_least_slice(time_slice));
    CHECK_FALSE(late_round_gets_least_slice(wrapping_slice));
}

TEST_CASE("eight busy loops of one thread are soon four on each of two") {
    World world(2, one_thread());
    world.make(8);
    world.grow();
    world.run(8, milliseconds(60));
    CHECK(world.spread() == 0);
    CHECK(world.moves == 4);
}

TEST_CASE("a timer among eight busy loops is on time, and the eight get equal shares") {
    const Sharing sharing = timer_among_eight_busy(uneven, {});
    CHECK(sharing.ticks > 160);
    CHECK(sharing.worst < milliseconds(1));
    CHECK(sharing.most * 100 <= sharing.least * 101);
    CHECK(sharing.moves == 0);
    // It is the run of another loop that ends early for it.
    CHECK(timer_among_eight_busy(uneven, {.never_wanted = true}).worst > milliseconds(1));
}

TEST_CASE("eight busy loops get equal shares also when a timer keeps step with their round") {
    // Four loops with 2 ms each: when the timer comes, it is always the same that has just begun.
    for (const Duration period : {microseconds(6500), milliseconds(10)}) {
        const Sharing sharing = timer_among_eight_busy({period, Duration()}, {});
        CHECK(sharing.worst < milliseconds(1));
        CHECK(sharing.most * 100 <= sharing.least * 101);
        CHECK(sharing.moves == 0);
    }
}

TEST_CASE("lockstep gives the same run each time") {
    const Spreading one = spread_ten_of_hundred(one_thread(), milliseconds(500), {});
    const Spreading two = spread_ten_of_hundred(one_thread(), milliseconds(500), {});
    CHECK(one.moves == two.moves);
    CHECK(one.spread == two.spread);
}

}  // namespace tern::loops
