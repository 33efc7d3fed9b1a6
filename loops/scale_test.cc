// Many loops: they are made, run and gone in short time and little memory.
#include "loops/cell.h"
#include "loops/lockstep_testing.h"
#include "loops/test_support.h"

#include <atomic>
#include <deque>
#include <fstream>
#include <memory>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace tern::loops {

using test::Action;
using test::Control;
using test::Lockstep;
using test::Real;
using test::TestLoop;

namespace {

std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    file >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Makes `count` loops, sends each an event, stops and destroys them all; returns events run.
std::uint64_t live_and_die(Real& real, std::size_t count) {
    std::deque<TestLoop> loops;
    std::deque<Event> events;
    std::deque<Event> stops;
    std::atomic<std::uint64_t> runs{0};
    std::size_t left = count;
    Action stopped{[&](Turn&) {
        if (--left == 0) real.runtime.quit();
    }};
    real.run([&](Turn& turn) {
        for (std::size_t i = 0; i < count; ++i) {
            TestLoop& loop = loops.emplace_back(real.group, "short");
            events
                .emplace_back(
                    [](void* sum, Turn&) { ++*static_cast<std::atomic<std::uint64_t>*>(sum); },
                    &runs)
                .send(loop.loop);
        }
        for (TestLoop& loop : loops)
            loop.loop.stop(turn.loop(), stops.emplace_back(stopped.callback()));
    });
    return runs;
}

}  // namespace

TEST_CASE("AT-SCALE-1 a hundred thousand loops live, run and go", "[AT-SCALE-1]") {
    const std::uint64_t locks = locking::RankedLock::alive();
    [[maybe_unused]] std::size_t after_first = 0;
    for (int round = 0; round < 3; ++round) {
        Real real(2);
        CHECK(live_and_die(real, 100'000) == 100'000);
        if (round == 0) after_first = resident_bytes();
    }
    CHECK(locking::RankedLock::alive() == locks);
#ifndef __SANITIZE_ADDRESS__  // whose quarantine keeps what is freed
    // The second and third time find all their memory again.
    CHECK(resident_bytes() < after_first + (std::size_t{16} << 20));
#endif
}

TEST_CASE("AT-THR-5 idle loops cost less than a kilobyte each, and no descriptor", "[AT-THR-5]") {
    Real real(4);
    std::deque<TestLoop> loops;
    for (int i = 0; i < 4; ++i)
        loops.emplace_back(real.group, "l");
    const std::size_t before = resident_bytes();
    for (int i = 0; i < 5000; ++i)
        loops.emplace_back(real.group, "l");
    CHECK(resident_bytes() < before + 5000 * 1024);
    CHECK(sizeof(Loop) <= 128);
    CHECK(sizeof(Loop) + sizeof(LoopCell) <= 256);
}

TEST_CASE("AT-THR-6 a thread that sleeps gives its caches back", "[AT-THR-6]") {
    Lockstep lockstep(4);
    locking::Domain<Control> domain{"main"};
    Runtime runtime(lockstep.options(domain));
    GroupOptions options;
    options.threads = 3;
    ThreadGroup& group = runtime.add_group(options);
    std::deque<TestLoop> loops;
    for (int i = 0; i < 3; ++i)
        loops.emplace_back(group, "l");
    std::deque<Event> events;
    std::atomic<int> trims{0};
    runtime.set_thread_trim(
        {[](void* count) { ++*static_cast<std::atomic<int>*>(count); }, &trims});
    int trims_after = 0;
    Action begin_action{[&](Turn&) {
        for (TestLoop& loop : loops)
            events.emplace_back([](void*, Turn&) {}, nullptr).send(loop.loop);
    }};
    Action end_action{[&](Turn&) {
        trims_after = trims;
        lockstep.finish();
        runtime.quit();
    }};
    Timer begin(runtime.main_loop(), begin_action.callback());
    Timer end(runtime.main_loop(), end_action.callback());
    {
        const LoopEntry entry(runtime.main_loop());
        begin.in(milliseconds(1));
        end.in(seconds(5));
    }
    runtime.run();
    CHECK(trims_after >= 3);
    const LoopEntry entry(runtime.main_loop());
    begin.stop();
    end.stop();
}

}  // namespace tern::loops
