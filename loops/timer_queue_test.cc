#include "loops/timer_queue.h"

#include "loops/timer_twins_testing.h"

#include <memory>
#include <random>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Sim;
using test::TestLoop;
using test::TimerTwins;

namespace {

Instant at_us(std::int64_t us) {
    return Instant::from_microseconds(us);
}

}  // namespace

TEST_CASE("an empty timer queue has nothing due and no earliest time") {
    TimerQueue queue;
    CHECK(queue.empty());
    CHECK(queue.earliest().is_never());
    CHECK(queue.take_due(at_us(1'000'000)) == nullptr);
    queue.clear();
}

TEST_CASE("a timer set to a later time is not due at the old one") {
    TimerTwins twins(1);
    Timer& timer = *twins.timers[0];
    twins.set(timer, at_us(100));
    twins.set(timer, at_us(200));
    CHECK(twins.queue.earliest() == at_us(100));  // early, never late
    CHECK(twins.queue.take_due(at_us(150)) == nullptr);
    CHECK(twins.queue.earliest() == at_us(200));
    CHECK(twins.queue.take_due(at_us(200)) == &timer);
}

TEST_CASE("a timer set to an earlier time is due then, wherever it stood") {
    TimerTwins twins(1000);
    for (std::size_t i = 0; i < 1000; ++i)
        twins.set(*twins.timers[i], at_us(3'600'000'000 + static_cast<std::int64_t>(i)));
    twins.set(*twins.timers[500], at_us(77));
    CHECK(twins.queue.earliest() == at_us(77));
    CHECK(twins.queue.take_due(at_us(77)) == twins.timers[500].get());
    twins.forget(*twins.timers[500]);
    twins.check();
}

TEST_CASE("timers of one slot come in order of time although they were set in none") {
    TimerTwins twins(600);
    std::mt19937 random(3);
    for (auto& timer : twins.timers)
        twins.set(*timer, at_us(2'000'000 + static_cast<int>(random() % 1000)));
    twins.expire(at_us(2'000'500));
    twins.expire(at_us(3'000'000));
    CHECK(twins.queue.empty());
}

TEST_CASE("what is left of a slot after most was taken back comes in time") {
    TimerTwins twins(1000);
    std::mt19937 random(5);
    const auto set = [&](std::size_t i) {
        twins.set(*twins.timers[i], at_us(3'600'000'000 + static_cast<int>(random() % 1000)));
    };
    for (std::size_t i = 0; i < 1000; ++i)
        set(i);
    // The earliest are taken back and come again: the slot is tidied several times.
    for (int i = 0; i < 4000; ++i) {
        const std::size_t which = random() % 950;
        twins.remove(*twins.timers[which]);
        twins.check();
        if (i < 2000) set(which);
    }
    twins.expire(at_us(3'600'000'500));
    twins.expire(at_us(3'600'001'000));
    CHECK(twins.queue.empty());
}

TEST_CASE("the far ends of time can be set") {
    TimerTwins twins(300);
    for (std::size_t i = 0; i < 200; ++i)
        twins.set(*twins.timers[i], at_us(1000));
    twins.set(*twins.timers[200], Instant::from_microseconds(INT64_MAX - 1));
    twins.set(*twins.timers[201], Instant());
    twins.expire(at_us(5));
    twins.expire(at_us(1000));
    CHECK(twins.queue.size() == 1);
    twins.expire(Instant::from_microseconds(INT64_MAX - 1));
    CHECK(twins.queue.empty());
}

TEST_CASE("the timer queue agrees with a multimap") {
    const auto seed = GENERATE(1U, 2U, 3U, 4U, 5U, 6U);
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    // Few timers stay in the heap, many need the wheel.
    TimerTwins twins(seed % 2 == 0 ? 64 : 700);
    std::int64_t now = 1'000'000;
    for (int i = 0; i < 6000; ++i) {
        Timer& timer = *twins.timers[random() % twins.timers.size()];
        const std::uint64_t dice = random() % 16;
        if (dice < 3) {
            twins.remove(timer);
        } else if (dice < 4) {
            // Steps of all sizes, so that base crosses slots of all levels.
            now += static_cast<std::int64_t>(random() % (std::uint64_t{1} << random() % 34));
            twins.expire(at_us(now));
        } else if (dice < 5) {
            twins.set(timer, at_us(now - static_cast<std::int64_t>(random() % 1000)));
        } else {
            const std::uint64_t span = std::uint64_t{1} << random() % 36;
            twins.set(timer, at_us(now + static_cast<std::int64_t>(random() % span)));
        }
        twins.check();
    }
    twins.expire(Instant::from_microseconds(INT64_MAX - 1));
    CHECK(twins.queue.empty());
}

TEST_CASE("cleared timers are inactive and may be set again") {
    TimerTwins twins(500);
    for (std::size_t i = 0; i < 500; ++i)
        twins.set(*twins.timers[i], at_us(1 + static_cast<std::int64_t>(i) * 10'000));
    twins.expire(at_us(5000));
    twins.queue.clear();
    twins.model.clear();
    for (auto& timer : twins.timers)
        CHECK_FALSE(timer->active());
    twins.set(*twins.timers[3], at_us(9));
    twins.expire(at_us(9));
}

TEST_CASE("a loop with a thousand timers runs each at its time") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    std::mt19937 random(11);
    const Instant start = sim.sim.clock().now();

    struct Probe {
        Instant wanted;
        Instant ran;

        static void fire(void* self, Turn& turn) { static_cast<Probe*>(self)->ran = turn.now(); }
    };

    std::vector<Probe> probes(1000);
    std::vector<std::unique_ptr<Timer>> timers;
    {
        const LoopEntry entry(loop.loop);
        for (Probe& probe : probes) {
            probe.wanted = start + milliseconds(1 + static_cast<int>(random() % 10'000));
            timers.push_back(std::make_unique<Timer>(loop.loop, Probe::fire, &probe));
            timers.back()->at(probe.wanted);
        }
    }
    sim.sim.run_for(seconds(11));
    for (const Probe& probe : probes)
        CHECK(probe.ran == probe.wanted);
}

}  // namespace tern::loops
