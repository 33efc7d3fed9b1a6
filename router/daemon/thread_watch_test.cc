#include "router/daemon/thread_watch.h"

#include "loops/sim_runtime.h"
#include "router/base/log_sink.h"

#include <catch2/catch.hpp>

namespace tern::daemon {
namespace {

struct Fixture {
    Fixture() : sim(main, 1), log(sim.clock()), watch(sim.runtime(), log) {
        auto made = std::make_unique<MemorySink>(100, iso_long(SubSecond::none));
        sink = made.get();
        log.add_sink(std::move(made), all_severities);
    }

    /// One run of the main loop that takes so long.
    void work(std::int64_t seconds) {
        takes = loops::seconds(seconds);
        loops::Event event(
            [](void* fixture, loops::Turn&) {
                auto& self = *static_cast<Fixture*>(fixture);
                self.sim.clock().advance(self.takes);
            },
            this);
        {
            const locking::TransitLock lock(main);
            event.send(sim.runtime().main_loop());
        }
        sim.settle();
    }

    void configure(std::int64_t warning) {
        const locking::TransitLock lock(main);
        watch.configure({.warning = loops::seconds(warning), .timeout = {}});
    }

    locking::Domain<level::Control> main{"main"};
    loops::SimRuntime sim;
    Logger log;
    MemorySink* sink = nullptr;
    ThreadWatch watch;
    loops::Duration takes;
};

}  // namespace

TEST_CASE("a run longer than the warning is logged with its loop") {
    Fixture f;
    f.configure(5);
    f.work(4);
    CHECK(f.sink->lines().empty());
    f.work(7);
    REQUIRE(f.sink->lines().size() == 1);
    CHECK(f.sink->lines()[0].find("Loop main of thread group main took 7.000 s in one turn") !=
          std::string::npos);
}

TEST_CASE("the warning can be changed and switched off") {
    Fixture f;
    f.configure(5);
    f.configure(60);
    f.work(50);
    CHECK(f.sink->lines().empty());
    f.configure(0);
    f.work(500);
    CHECK(f.sink->lines().empty());
}

}  // namespace tern::daemon
