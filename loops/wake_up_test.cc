// What the threads of a runtime do to sleep and to be woken, seen at their pollers: real threads
// over the system's pollers with a listener in between.
#include "locking/processor_testing.h"
#include "loops/file_descriptor.h"
#include "loops/group_state.h"
#include "loops/poller_epoll.h"
#include "loops/test_support.h"
#include "loops/thread_slice.h"
#include "loops/timer.h"
#include "loops/watcher.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <sched.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace tern::loops {

using test::Action;
using test::ForwardingPoller;
using test::TestLoop;

namespace {

/// Counts what all pollers of a runtime are asked for.
struct Counts {
    std::atomic<unsigned> kicks{0};
    std::atomic<unsigned> waits{0};
    std::atomic<unsigned> looks{0};           ///< of these, that did not wait
    std::atomic<unsigned> timed_waits{0};     ///< that set a timer of the kernel
    std::atomic<std::int64_t> longest_us{0};  ///< of these
    Duration late;                            ///< so much later than asked they end, at least
};

class CountingPoller final : public ForwardingPoller {
  public:
    CountingPoller(std::unique_ptr<Poller> real, Counts& counts)
        : ForwardingPoller(std::move(real)), counts_(counts) {}

    std::size_t wait(std::span<Report> reports, Duration timeout) override {
        ++counts_.waits;
        const std::size_t count = ForwardingPoller::wait(reports, timeout);
        if (timeout <= Duration()) ++counts_.looks;
        if (timeout <= Duration() || timeout.is_infinite()) return count;
        ++counts_.timed_waits;
        counts_.longest_us = std::max(counts_.longest_us.load(), timeout.microseconds());
        const SteadyClock clock;
        const Instant late = clock.now() + counts_.late;
        while (count == 0 && clock.now() < late)
            std::this_thread::yield();
        return count;
    }

    void kick() override {
        ++counts_.kicks;
        ForwardingPoller::kick();
    }

  private:
    Counts& counts_;
};

class CountingFactory final : public PollerFactory {
  public:
    std::unique_ptr<Poller> make(PollerUse use) override {
        return std::make_unique<CountingPoller>(real_.make(use), counts);
    }

    Counts counts;

  private:
    EpollFactory real_;
};

/// Real threads over counting pollers.
struct Counted {
    explicit Counted(unsigned threads, std::optional<Duration> spin = {})
        : runtime(RuntimeOptions{.main_domain = &domain, .pollers = &factory}),
          group(runtime.add_group(GroupOptions{.threads = threads, .spin = spin})) {}

    void run(std::function<void(Turn&)> body) {
        Action action{std::move(body)};
        Event first(action.callback());
        first.send(runtime.main_loop());
        runtime.run();
    }

    locking::Domain<test::Control> domain{"main"};
    CountingFactory factory;
    Runtime runtime;
    ThreadGroup& group;
};

/// Two loops of two threads send to each other in turn; how many hops there were, and kicks.
struct Hops {
    static constexpr unsigned most = 2000;

    explicit Hops(std::optional<Duration> spin = {}) : counted(2, spin) {
        Action pong_action{[&](Turn&) {
            if (++count < most) {
                ping->send(left.loop);
            } else {
                counted.runtime.quit();
            }
        }};
        Event pong(pong_action.callback());
        Action ping_action{[&](Turn&) {
            ++count;
            pong.send(right.loop);
        }};
        Event ping_event(ping_action.callback());
        ping = &ping_event;
        counted.run([&](Turn&) { ping->send(left.loop); });
    }

    Counts& counts() { return counted.factory.counts; }

    Counted counted;
    TestLoop left{counted.group, "left"};
    TestLoop right{counted.group, "right"};
    Event* ping = nullptr;
    unsigned count = 0;
};

bool strike(int bell) {
    const std::uint64_t one = 1;
    return ::write(bell, &one, sizeof one) == sizeof one;
}

void ring(int bell) {
    REQUIRE(strike(bell));
}

bool hear(int bell) {
    std::uint64_t count = 0;
    return ::read(bell, &count, sizeof count) == sizeof count;
}

/// When the calling thread is woken from here on, it waits until who has the processor gives it up.
void never_preempt() {
    const sched_param none{};
    REQUIRE(::sched_setscheduler(0, SCHED_BATCH, &none) == 0);
}

void work(Duration span) {
    const SteadyClock clock;
    const Instant until = clock.now() + span;
    while (clock.now() < until) {
    }
}

/// A loop and a thread on one processor that ring in turn, and how often the loop's thread slept.
struct Neighbours {
    static constexpr unsigned rings = 4000;

    void run() {
        Action begin{[this](Turn& turn) {
            watcher.emplace(turn.loop(), here.get(), Interest::readable, ready, this);
            strike(there.get());
        }};
        Event first(begin.callback());
        std::thread neighbour;
        std::thread runner([&] {  // whose processor the others inherit
            REQUIRE(locking::testing::stay_on_processor(0));
            neighbour = std::thread([this] {
                never_preempt();
                while (count < rings && hear(there.get())) {
                    work(Duration::from_microseconds(6));
                    strike(here.get());
                }
            });
            first.send(loop.loop);
            counted.runtime.run();
        });
        runner.join();
        strike(there.get());
        neighbour.join();
        const LoopEntry entry(loop.loop);
        watcher.reset();
    }

    static void ready(void* context, Turn&, Ready) {
        auto& self = *static_cast<Neighbours*>(context);
        if (!hear(self.here.get())) return;
        if (++self.count == rings) return self.counted.runtime.quit();
        strike(self.there.get());
    }

    unsigned sleeps() const { return counted.factory.counts.waits - counted.factory.counts.looks; }

    Counted counted{1};
    TestLoop loop{counted.group, "here"};
    FileDescriptor here{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    FileDescriptor there{::eventfd(0, EFD_CLOEXEC)};
    std::optional<Watcher> watcher;
    std::atomic<unsigned> count{0};
};

/// A latency thread and a worker that always has work, on one processor, and how late a timer of
/// the latency thread is. The kernel alone would let the worker go on until its next tick.
struct Beside {
    static constexpr unsigned shots = 40;

    Duration usual_lateness() {
        Timer timer(prompt.loop, callback<&Beside::fired>(*this));
        Event working(callback<&Beside::worked>(*this));
        Action begin{[&](Turn&) {
            never_preempt();
            next();
        }};
        Event first(begin.callback());
        again = &working;
        shot = &timer;
        std::thread runner([&] {
            REQUIRE(locking::testing::stay_on_processor(0));
            working.send(busy.loop);
            first.send(prompt.loop);
            runtime.run();
        });
        runner.join();
        {
            const LoopEntry entry(busy.loop);
            working.cancel();
        }
        const LoopEntry entry(prompt.loop);
        timer.stop();
        std::nth_element(late.begin(), late.begin() + shots / 2, late.end());
        return late[shots / 2];
    }

    void worked() {
        work(Duration::from_microseconds(100));
        again->send(busy.loop);
    }

    void fired() {
        late.push_back(runtime.clock().now() - due);
        if (late.size() == shots) return runtime.quit();
        next();
    }

    void next() {
        due = runtime.clock().now() + milliseconds(3);
        shot->at(due);
    }

    locking::Domain<test::Control> domain{"main"};
    Runtime runtime{RuntimeOptions{.main_domain = &domain}};
    TestLoop busy{runtime.add_group(GroupOptions{}), "busy"};
    TestLoop prompt{runtime.add_group(GroupOptions{.name = "latency",
                                                   .kind = GroupKind::latency,
                                                   .spin = Duration(),
                                                   .kernel_slice = Duration()}),
                    "prompt"};
    Event* again = nullptr;
    Timer* shot = nullptr;
    Instant due;
    std::vector<Duration> late;
};

}  // namespace

TEST_CASE("a thread that a descriptor woke does not kick itself") {
    constexpr unsigned rings = 200;
    Counted counted(1);
    const FileDescriptor bell(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    std::atomic<unsigned> heard{0};

    struct Listener {
        int bell;
        std::atomic<unsigned>& heard;
        Runtime& runtime;

        static void ready(void* context, Turn&, Ready) {
            auto& self = *static_cast<Listener*>(context);
            std::uint64_t count = 0;
            if (::read(self.bell, &count, sizeof count) != sizeof count) return;
            if (++self.heard == rings) self.runtime.quit();
        }
    } listener{bell.get(), heard, counted.runtime};

    Worker* sleeper = nullptr;
    GroupState::of(counted.runtime.main_group()).for_members([&](Worker& worker) {
        sleeper = &worker;
    });
    REQUIRE(sleeper != nullptr);
    std::optional<Watcher> watcher;
    std::thread ringer;
    unsigned kicks = 0;
    counted.run([&](Turn& turn) {
        watcher.emplace(turn.loop(), bell.get(), Interest::readable, Listener::ready, &listener);
        ringer = std::thread([&] {
            kicks = counted.factory.counts.kicks;
            for (unsigned i = 0; i < rings; ++i) {
                ring(bell.get());
                while (heard <= i || (i + 1 < rings && !sleeper->asleep()))
                    std::this_thread::yield();
            }
        });
    });
    ringer.join();
    CHECK(counted.factory.counts.kicks - kicks < rings / 4);
    const LoopEntry entry(counted.runtime.main_loop());
    watcher.reset();
}

TEST_CASE("an idle thread sets no timer because one that it woke has not run yet") {
    Hops hops;
    CHECK(hops.count >= Hops::most);
    CHECK(hops.counts().timed_waits < Hops::most / 10);
}

// Hidden: it needs two processors to itself (loops_quiet).
TEST_CASE("threads that hand work to and fro look for it before they sleep, unless told not to",
          "[.][quiet]") {
    CHECK(Hops(Duration()).counts().kicks > Hops::most / 2);
    // Where others need the processor they sleep sooner; some time is quiet enough.
    const SteadyClock clock;
    const Instant until = clock.now() + seconds(30);
    unsigned kicks = Hops::most;
    while (kicks > Hops::most / 4 && clock.now() < until)
        kicks = Hops().counts().kicks;
    CHECK(kicks <= Hops::most / 4);
}

TEST_CASE("a thread sleeps instead of yielding where its neighbour feeds its descriptors") {
    Neighbours neighbours;
    neighbours.run();
    CHECK(neighbours.count == Neighbours::rings);
    CHECK(neighbours.sleeps() > Neighbours::rings / 4 * 3);
}

TEST_CASE("a thread asks to be woken early for a timer, which does not fire early for that") {
    constexpr Duration period = Duration::from_milliseconds(2);
    constexpr unsigned shots_max = 200;
    Counted counted(1);
    counted.factory.counts.late = Duration::from_microseconds(60);
    TestLoop loop(counted.group, "a");
    Instant due;
    unsigned early = 0;
    unsigned shots = 0;
    Timer* next = nullptr;
    Action fire{[&](Turn& turn) {
        const Instant now = counted.runtime.clock().now();
        if (now < due) ++early;
        // By the second half it has learnt how late the kernel is.
        if (++shots == shots_max / 2) counted.factory.counts.longest_us = 0;
        if (shots == shots_max) return counted.runtime.quit();
        due = turn.now() + period;
        next->at(due);
    }};
    Timer timer(loop.loop, fire.callback());
    next = &timer;
    Event begin(fire.callback());
    counted.run([&](Turn&) { begin.send(loop.loop); });
    CHECK(early == 0);
    CHECK(counted.factory.counts.longest_us < period.microseconds() - 30);
    const LoopEntry entry(loop.loop);
    timer.stop();
}

TEST_CASE("a thread that waits for a kick only hears of what it is given to watch") {
    EpollFactory factory;
    const auto poller = factory.make(PollerUse::thread);
    const FileDescriptor bell(::eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
    constexpr Poller::Token token = 7;
    Poller::Token heard = 0;
    std::thread waiter([&] {
        Poller::Report reports[4];
        while (heard == 0) {
            if (poller->wait(reports, Duration::infinite()) == 1) heard = reports[0].token;
        }
    });
    // Most times it waits by then.
    for (unsigned i = 0; i < 1000; ++i)
        std::this_thread::yield();
    REQUIRE(poller->add(bell.get(), Interest::readable, token) == 0);
    waiter.join();
    CHECK(heard == token);
    poller->remove(bell.get());
}

TEST_CASE("a wait for a kick ends when its time is up") {
    EpollFactory factory;
    const auto poller = factory.make(PollerUse::thread);
    Poller::Report reports[1];
    const SteadyClock clock;
    const Instant start = clock.now();
    CHECK(poller->wait(reports, milliseconds(2)) == 0);
    CHECK(clock.now() - start >= milliseconds(2));
}

TEST_CASE("a latency thread is overdue from the moment it should wake until it does") {
    locking::Domain<test::Control> domain{"main"};
    Runtime runtime(RuntimeOptions{.main_domain = &domain});
    ThreadGroup& group =
        runtime.add_group(GroupOptions{.name = "latency", .kind = GroupKind::latency});
    TestLoop loop(group, "prompt");
    Action nothing{[](Turn&) {}};
    Timer timer(loop.loop, nothing.callback());
    Worker* worker = nullptr;
    GroupState::of(group).for_members([&](Worker& member) { worker = &member; });
    REQUIRE(worker != nullptr);
    Action look{[&](Turn& turn) {
        const Instant now = turn.now();
        // Asleep by then, with an hour to go.
        while (!worker->asleep())
            std::this_thread::yield();
        CHECK_FALSE(worker->overdue(now));
        CHECK(worker->overdue(now + seconds(3700)));
        runtime.quit();
    }};
    Event looking(look.callback());
    Action arm{[&](Turn&) {
        timer.in(seconds(3600));
        looking.send(runtime.main_loop());
    }};
    Event arming(arm.callback());
    arming.send(loop.loop);
    runtime.run();
    const LoopEntry entry(loop.loop);
    timer.stop();
}

TEST_CASE("a worker makes way for a latency thread of its processor between two handlers") {
    const auto half_a_millisecond = Duration::from_microseconds(500);
    // Where others use the processor as well, some time is quiet enough.
    const SteadyClock clock;
    const Instant until = clock.now() + seconds(30);
    Duration usual = Beside().usual_lateness();
    while (usual > half_a_millisecond && clock.now() < until)
        usual = Beside().usual_lateness();
    CHECK(usual <= half_a_millisecond);
}

TEST_CASE("the kernel is asked for a slice, and a slice of zero is not asked for") {
    CHECK_FALSE(ask_for_slice(Duration()));
    std::thread([] {
        // Whether it is taken depends on the kernel's policy for this process.
        const bool taken = ask_for_slice(Duration::from_microseconds(100));
        CHECK(taken == ask_for_slice(Duration::from_microseconds(100)));
    }).join();
}

}  // namespace tern::loops
