#include "loops/watcher.h"

#include "loops/group_state.h"
#include "loops/test_support.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Sim;
using test::TestLoop;

namespace {

struct Log {
    std::vector<std::string> lines;
    std::function<void(Ready)> then;

    static void on_ready(void* context, Turn&, Ready ready) {
        auto& self = *static_cast<Log*>(context);
        std::string line;
        if (ready.readable) line += 'r';
        if (ready.writable) line += 'w';
        if (ready.error) line += 'e';
        if (ready.hangup) line += 'h';
        self.lines.push_back(line);
        if (self.then) self.then(ready);
    }
};

struct Watched {
    explicit Watched(Sim& sim_)
        : sim(sim_), loop(*sim.group, "a"), fd(sim.sim.descriptors().open()) {
        log.then = [this](Ready) { quiet(); };
        const LoopEntry entry(loop.loop);
        watcher.emplace(loop.loop, fd, Interest::readable, Log::on_ready, &log);
    }

    ~Watched() {
        if (!watcher) return;
        const LoopEntry entry(watcher->loop());
        watcher.reset();
    }

    void ready(Ready what) { sim.sim.descriptors().set_ready(fd, what); }

    void quiet() { ready({}); }

    Sim& sim;
    TestLoop loop;
    int fd;
    Log log;
    std::optional<Watcher> watcher;
};

/// Two descriptors ready at once; the handler that comes first pauses the other one. Whether both
/// are in one batch before the slice ends is up to the seed.
std::size_t deliveries_to_a_pair_that_pauses_each_other(const Defects& defects,
                                                        std::uint64_t seed) {
    Sim sim(seed);
    GroupState::of(*sim.group).test_defects(defects);
    TestLoop loop(*sim.group, "a");
    const int fds[2] = {sim.sim.descriptors().open(), sim.sim.descriptors().open()};
    std::optional<Watcher> watchers[2];
    Log logs[2];
    for (int i = 0; i < 2; ++i) {
        logs[i].then = [&, i](Ready) {
            sim.sim.descriptors().set_ready(fds[i], {});
            watchers[1 - i]->pause_rx(PauseReason::user);
        };
        const LoopEntry entry(loop.loop);
        watchers[i].emplace(loop.loop, fds[i], Interest::readable, Log::on_ready, &logs[i]);
    }
    for (int fd : fds)
        sim.sim.descriptors().set_ready(fd, {.readable = true});
    CHECK(sim.sim.settle());
    const LoopEntry entry(loop.loop);
    for (auto& watcher : watchers)
        watcher.reset();
    return logs[0].lines.size() + logs[1].lines.size();
}

/// How many reports have come in all before any of two resumes, after the first and after both.
std::array<std::size_t, 3> lines_after_two_pauses(const Defects& defects) {
    Sim sim;
    GroupState::of(*sim.group).test_defects(defects);
    Watched watched(sim);
    constexpr PauseReason reasons[] = {PauseReason::cork, PauseReason::user};
    {
        const LoopEntry entry(watched.loop.loop);
        for (const PauseReason reason : reasons)
            watched.watcher->pause_rx(reason);
    }
    watched.ready({.readable = true});
    CHECK(sim.sim.settle());
    std::array<std::size_t, 3> lines{watched.log.lines.size()};
    for (std::size_t i = 0; i < 2 && lines[i] == 0; ++i) {
        {
            const LoopEntry entry(watched.loop.loop);
            watched.watcher->resume_rx(reasons[i]);
        }
        CHECK(sim.sim.settle());
        lines[i + 1] = watched.log.lines.size();
    }
    return lines;
}

std::vector<std::string> lines_of_a_reset_while_paused(const Defects& defects) {
    Sim sim;
    GroupState::of(*sim.group).test_defects(defects);
    Watched watched(sim);
    watched.log.then = nullptr;
    {
        const LoopEntry entry(watched.loop.loop);
        watched.watcher->pause_rx(PauseReason::cork);
    }
    watched.ready({.readable = true, .error = true, .hangup = true});
    sim.sim.settle(1000);
    return watched.log.lines;
}

}  // namespace

TEST_CASE("a watcher reports what it was asked for") {
    Sim sim;
    Watched watched(sim);
    CHECK(sim.sim.settle());
    CHECK(watched.log.lines.empty());
    watched.ready({.readable = true, .writable = true});
    CHECK(sim.sim.settle());
    CHECK(watched.log.lines == std::vector<std::string>{"r"});
    {
        const LoopEntry entry(watched.loop.loop);
        watched.watcher->set_interest(Interest::both);
    }
    watched.ready({.readable = true, .writable = true});
    CHECK(sim.sim.settle());
    CHECK(watched.log.lines.back() == "rw");
}

TEST_CASE("what a handler leaves is reported again") {
    Sim sim;
    Watched watched(sim);
    int left = 5;
    watched.log.then = [&](Ready) {
        if (--left == 0) watched.quiet();
    };
    watched.ready({.readable = true});
    CHECK(sim.sim.settle());
    CHECK(watched.log.lines.size() == 5);
}

TEST_CASE(
    "AT-SOCK-6 two reasons to pause need two resumes, and waiting data comes without new bytes",
    "[AT-SOCK-6]") {
    CHECK(lines_after_two_pauses({}) == std::array<std::size_t, 3>{0, 0, 1});
    CHECK(lines_after_two_pauses({.resumes_all = true})[1] == 1);
}

TEST_CASE("AT-SOCK-5 a reset is reported once while reading is paused", "[AT-SOCK-5]") {
    CHECK(lines_of_a_reset_while_paused({}) == std::vector<std::string>{"eh"});
    CHECK(lines_of_a_reset_while_paused({.repeats_errors = true}).size() > 1);
}

TEST_CASE("AT-SOCK-7 pausing inside the handler stops delivery of the same batch", "[AT-SOCK-7]") {
    std::size_t most = 0;
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        CHECK(deliveries_to_a_pair_that_pauses_each_other({}, seed) == 1);
        const Defects defects{.delivers_paused = true};
        most = std::max(most, deliveries_to_a_pair_that_pauses_each_other(defects, seed));
    }
    CHECK(most == 2);
}

TEST_CASE("a handler may destroy watchers whose reports wait behind it") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    const int fds[2] = {sim.sim.descriptors().open(), sim.sim.descriptors().open()};
    std::optional<Watcher> watchers[2];
    Log logs[2];
    for (int i = 0; i < 2; ++i) {
        logs[i].then = [&](Ready) {
            for (auto& watcher : watchers)
                watcher.reset();
        };
        const LoopEntry entry(loop.loop);
        watchers[i].emplace(loop.loop, fds[i], Interest::readable, Log::on_ready, &logs[i]);
    }
    for (int fd : fds)
        sim.sim.descriptors().set_ready(fd, {.readable = true});
    CHECK(sim.sim.settle());
    CHECK(logs[0].lines.size() + logs[1].lines.size() == 1);
}

TEST_CASE("what was reported for a watcher that has gone is not given to the next one") {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        INFO("seed " << seed);
        Sim sim(seed);
        Watched watched(sim);
        CHECK(sim.sim.settle());
        Log next_log;
        const int quiet_fd = sim.sim.descriptors().open();
        // The main loop runs before the report is delivered, or after it.
        test::Action replace_action{[&](Turn&) {
            const LoopEntry entry(watched.loop.loop);
            watched.watcher.reset();
            watched.watcher.emplace(watched.loop.loop, quiet_fd, Interest::readable, Log::on_ready,
                                    &next_log);
        }};
        Event replace(replace_action.callback());
        watched.ready({.readable = true});
        replace.send(sim.main());
        CHECK(sim.sim.settle());
        CHECK(watched.log.lines.size() <= 1);
        CHECK(next_log.lines.empty());
        sim.sim.descriptors().set_ready(quiet_fd, {.readable = true});
        next_log.then = [&](Ready) { sim.sim.descriptors().set_ready(quiet_fd, {}); };
        CHECK(sim.sim.settle());
        CHECK(next_log.lines == std::vector<std::string>{"r"});
    }
}

TEST_CASE("a simulated poller forgets nobody when more are ready than it is asked for") {
    SimDescriptors descriptors;
    const auto poller = descriptors.make(PollerUse::thread);
    for (Poller::Token token = 1; token <= 5; ++token) {
        const int fd = descriptors.open();
        REQUIRE(poller->add(fd, Interest::readable, token) == 0);
        descriptors.set_ready(fd, {.readable = true});
    }
    Poller::Report reports[2];
    unsigned heard = 0;
    for (int i = 0; i < 3; ++i) {
        for (std::size_t at = poller->wait(reports, Duration()); at-- > 0;)
            heard |= 1U << reports[at].token;
    }
    CHECK(heard == 0b111110);
}

TEST_CASE("AT-SOCK-11 a moved watcher is served by its new loop", "[AT-SOCK-11]") {
    Sim sim;
    Watched watched(sim);
    TestLoop other(*sim.group, "b");
    watched.ready({.readable = true});
    {
        const locking::PairLock<test::Protocol> pair(watched.loop.domain, other.domain);
        watched.watcher->move_to(other.loop);
    }
    Loop* served_by = nullptr;
    watched.log.then = [&](Ready) {
        served_by = running_loop;
        watched.quiet();
    };
    CHECK(sim.sim.settle());
    CHECK(served_by == &other.loop);
    CHECK(watched.log.lines.size() == 1);
    const LoopEntry entry(other.loop);
    watched.watcher.reset();
}

TEST_CASE("a watcher of a stopped loop is silent until it moves on") {
    Sim sim;
    Watched watched(sim);
    bool stopped = false;
    test::Action action{[&](Turn&) { stopped = true; }};
    Event event(action.callback());
    watched.loop.loop.stop(sim.main(), event);
    CHECK(sim.sim.settle());
    REQUIRE(stopped);
    watched.ready({.readable = true});
    CHECK(sim.sim.settle());
    CHECK(watched.log.lines.empty());
    TestLoop other(*sim.group, "b");
    {
        const locking::PairLock<test::Protocol> pair(watched.loop.domain, other.domain);
        watched.watcher->move_to(other.loop);
    }
    CHECK(sim.sim.settle());
    CHECK(watched.log.lines.size() == 1);
    const LoopEntry entry(other.loop);
    watched.watcher.reset();
}

TEST_CASE("a descriptor that cannot be watched is reported as an error") {
    Sim sim;
    TestLoop loop(*sim.group, "a");
    const int fd = sim.sim.descriptors().open();
    sim.sim.descriptors().fail_adds(1, ENOSPC);
    Log log;
    std::optional<Watcher> watcher;
    {
        const LoopEntry entry(loop.loop);
        watcher.emplace(loop.loop, fd, Interest::readable, Log::on_ready, &log);
    }
    CHECK(sim.sim.settle());
    CHECK(log.lines == std::vector<std::string>{"e"});
    const LoopEntry entry(loop.loop);
    watcher.reset();
}

}  // namespace tern::loops
