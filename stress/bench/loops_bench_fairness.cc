// Rows P10 to P14: how late timers are, idle and among busy loops, and how evenly loops share.

#include "stress/bench/loops_fixture.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <optional>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <sys/epoll.h>
#include <unistd.h>

namespace tern::bench {
namespace {

constexpr std::size_t busy_loops = 8;
constexpr std::int64_t work_us = 200;
constexpr std::int64_t quiet_period_us = 10'000;
constexpr std::int64_t run_ms = 1000;

using std::chrono::microseconds;
using std::chrono::milliseconds;

/// Works for that long in CPU time of this thread, as a handler does, however busy the machine is.
void work(std::int64_t us) {
    const double until = thread_ns() + static_cast<double>(us) * 1000;
    while (thread_ns() < until) {
    }
}

double us_since(Clock::time_point moment) {
    return ns_since(moment) / 1000;
}

// ---- P10: one timer, nothing else to do, on one core, since they wake up differently fast ----

constexpr std::size_t idle_shots = 40;

std::int64_t idle_delay_us(std::size_t shot) {
    return 1000 + static_cast<std::int64_t>(shot * 7919 % 9000);
}

Sample tern_idle_lateness() {
    const Placement placement(Cores::one);
    placement.take(0);
    Machine machine(workers(1));
    OwnLoop side(machine.group, "timers");

    struct Shots {
        loops::Runtime* runtime;
        loops::Event* finished;
        std::vector<double> late;
        loops::Instant due;
        std::optional<loops::Timer> timer;

        static void fired(void* self, loops::Turn& turn) {
            auto& shots = *static_cast<Shots*>(self);
            shots.late.push_back(
                static_cast<double>((shots.runtime->clock().now() - shots.due).microseconds()));
            shots.next(turn);
        }

        void next(loops::Turn&) {
            if (late.size() == idle_shots) {
                finished->send(runtime->main_loop());
                return;
            }
            due = runtime->clock().now() + loops::microseconds(idle_delay_us(late.size()));
            timer->at(due);
        }
    };

    Job finished([&](loops::Turn&) { machine.runtime.quit(); });
    Shots shots{&machine.runtime, &finished.event, {}, {}, {}};
    shots.timer.emplace(side.loop, Shots::fired, &shots);
    Job begin([&](loops::Turn& turn) { shots.next(turn); });
    machine.run([&](loops::Turn&) { begin.event.send(side.loop); });
    return of_latencies(shots.late);
}

Sample asio_idle_lateness() {
    const Placement placement(Cores::one);
    placement.take(0);
    boost::asio::io_context context{1};
    boost::asio::steady_timer timer(context);
    std::vector<double> late;
    Clock::time_point due;
    std::function<void()> next = [&] {
        if (late.size() == idle_shots) return;
        due = Clock::now() + microseconds(idle_delay_us(late.size()));
        timer.expires_at(due);
        timer.async_wait([&](auto) {
            late.push_back(us_since(due));
            next();
        });
    };
    next();
    context.run();
    return of_latencies(late);
}

/// As most loops wait: whole milliseconds, rounded up.
Sample epoll_idle_lateness() {
    const Placement placement(Cores::one);
    placement.take(0);
    const int epoll = epoll_create1(EPOLL_CLOEXEC);
    std::vector<double> late;
    for (std::size_t shot = 0; shot < idle_shots; ++shot) {
        const std::int64_t us = idle_delay_us(shot);
        const Clock::time_point due = Clock::now() + microseconds(us);
        epoll_event event;
        epoll_wait(epoll, &event, 1, static_cast<int>((us + 999) / 1000));
        late.push_back(us_since(due));
    }
    ::close(epoll);
    return of_latencies(late);
}

// ---- P11 to P14: eight loops that always work, on two threads, and a ninth with a timer ----

/// What a run of the crowd showed.
struct Crowd {
    std::vector<double> late_us;  ///< of the ninth loop's timer
    std::vector<std::uint64_t> work = std::vector<std::uint64_t>(busy_loops);
    double even_after_ms = 0;  ///< until both threads had four loops
    std::uint64_t late_moves = 0;

    double evenness() const {
        const auto [least, most] = std::minmax_element(work.begin(), work.end());
        return static_cast<double>(*most) / static_cast<double>(std::max<std::uint64_t>(*least, 1));
    }

    double p99_ms() {
        std::sort(late_us.begin(), late_us.end());
        return late_us[late_us.size() * 99 / 100] / 1000;
    }
};

struct TernCrowd {
    struct Busy {
        explicit Busy(TernCrowd& crowd_) : own(crowd_.machine.group, "busy"), crowd(crowd_) {}

        static void run(void* self, loops::Turn& turn) {
            auto& busy = *static_cast<Busy*>(self);
            if (busy.crowd.crowded) busy.crowd.take_core();
            work(work_us);
            ++busy.count;
            busy.thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
            if (!busy.crowd.over) busy.event.send(turn.loop());
        }

        OwnLoop own;
        TernCrowd& crowd;
        std::uint64_t count = 0;
        std::atomic<std::thread::id> thread{};
        loops::Event event{run, this};
    };

    /// `one_thread`: all loops begin on a single thread, the second one is added later.
    TernCrowd(loops::GroupKind quiet_kind, bool one_thread)
        : machine(workers(one_thread ? 1 : 2)), crowded(one_thread) {
        loops::ThreadGroup* group = &machine.group;
        if (quiet_kind == loops::GroupKind::latency) {
            loops::GroupOptions options;
            options.name = "latency";
            options.kind = quiet_kind;
            group = &machine.runtime.add_group(options);
        }
        quiet.emplace(*group, "quiet");
        timer.emplace(quiet->loop, fired, this);
        for (std::size_t i = 0; i < busy_loops; ++i)
            busy.emplace_back(*this);
        end.emplace(machine.runtime.main_loop(), ended, this);
        look.emplace(machine.runtime.main_loop(), looked, this);
    }

    Crowd go() {
        Job grown([](loops::Turn&) {});
        Job first_shot([this](loops::Turn& turn) { next(turn); });
        machine.run([&](loops::Turn&) {
            for (Busy& each : busy)
                each.event.send(each.own.loop);
            start = Clock::now();
            if (crowded) {
                machine.group.set_threads(2, machine.runtime.main_loop(), grown.event);
                look->every(loops::microseconds(250));
            }
            first_shot.event.send(quiet->loop);
            end->in(loops::milliseconds(run_ms));
        });
        for (std::size_t i = 0; i < busy_loops; ++i) {
            const loops::LoopEntry entry(busy[i].own.loop);
            busy[i].event.cancel();
            crowd.work[i] = busy[i].count;
        }
        crowd.late_moves = machine.group.moves() - moves_when_even;
        {
            const locking::Guard<Main> guard = machine.domain.lock_dynamic();
            end.reset();
            look.reset();
        }
        const loops::LoopEntry entry(quiet->loop);
        timer.reset();
        return crowd;
    }

    /// Each thread of the group has a core of its own: left alone, the kernel lets the second one
    /// run beside the first for ten milliseconds and more.
    void take_core() {
        static thread_local const TernCrowd* placed_for = nullptr;
        if (placed_for == this) return;
        placed_for = this;
        placement.take(cores_taken++);
    }

    void next(loops::Turn&) {
        due = machine.runtime.clock().now() + loops::microseconds(quiet_period_us);
        timer->at(due);
    }

    static void fired(void* context, loops::Turn& turn) {
        auto& self = *static_cast<TernCrowd*>(context);
        const loops::Duration late = self.machine.runtime.clock().now() - self.due;
        self.crowd.late_us.push_back(static_cast<double>(late.microseconds()));
        self.next(turn);
    }

    static void ended(void* context, loops::Turn&) {
        auto& self = *static_cast<TernCrowd*>(context);
        self.over = true;
        self.machine.runtime.quit();
    }

    /// Have all run, and did four last run on each of two threads?
    static void looked(void* context, loops::Turn&) {
        auto& self = *static_cast<TernCrowd*>(context);
        std::array<std::thread::id, busy_loops> last;
        for (std::size_t i = 0; i < busy_loops; ++i)
            last[i] = self.busy[i].thread.load(std::memory_order_relaxed);
        const auto idle = std::count(last.begin(), last.end(), std::thread::id());
        const auto together = std::count(last.begin(), last.end(), last[0]);
        if (idle != 0 || together != busy_loops / 2) return;
        self.crowd.even_after_ms = us_since(self.start) / 1000;
        self.moves_when_even = self.machine.group.moves();
        self.look->stop();
    }

    const Placement placement{Cores::two};
    std::atomic<unsigned> cores_taken{0};
    Machine machine;
    bool crowded;
    std::atomic<bool> over{false};
    Crowd crowd;
    std::optional<OwnLoop> quiet;
    std::deque<Busy> busy;
    std::optional<loops::Timer> timer;
    std::optional<loops::Timer> end;
    std::optional<loops::Timer> look;
    Clock::time_point start;
    loops::Instant due;
    std::uint64_t moves_when_even = 0;
};

Crowd tern_crowd(loops::GroupKind quiet_kind) {
    return TernCrowd(quiet_kind, false).go();
}

Crowd asio_crowd() {
    Crowd crowd;
    boost::asio::io_context context{2};
    std::deque<boost::asio::strand<boost::asio::io_context::executor_type>> strands;
    for (std::size_t i = 0; i < busy_loops + 1; ++i)
        strands.emplace_back(context.get_executor());
    std::atomic<bool> over{false};
    std::deque<std::function<void()>> bodies;
    for (std::size_t i = 0; i < busy_loops; ++i) {
        bodies.emplace_back([&, i] {
            work(work_us);
            ++crowd.work[i];
            if (!over) boost::asio::post(strands[i], bodies[i]);
        });
        boost::asio::post(strands[i], bodies[i]);
    }
    boost::asio::steady_timer timer(strands[busy_loops]);
    Clock::time_point due;
    std::function<void()> next = [&] {
        due = Clock::now() + microseconds(quiet_period_us);
        timer.expires_at(due);
        timer.async_wait([&](auto) {
            crowd.late_us.push_back(us_since(due));
            if (!over) next();
        });
    };
    boost::asio::post(strands[busy_loops], next);
    boost::asio::steady_timer end(context, milliseconds(run_ms));
    end.async_wait([&](auto) { over = true; });
    std::thread other([&] { context.run(); });
    context.run();
    other.join();
    return crowd;
}

Row crowd_row(std::string_view id, std::string_view text, std::string_view unit, Target target) {
    Row row{.id = std::string(id), .group = "fairness", .text = std::string(text)};
    row.unit = unit;
    row.target = target;
    row.rounds = 10;
    return row;
}

}  // namespace

void add_fairness_rows(Suite& suite) {
    suite
        .add({.id = "P10",
              .group = "fairness",
              .text = "lateness of a timer of 1 to 10 ms with nothing else to do",
              .unit = "us",
              .target = {.value = 50, .ratio = 0.5, .peer = "epoll_wait"},
              .rounds = 10})
        .add("tern", tern_idle_lateness)
        .add("asio", asio_idle_lateness)
        .add("epoll_wait", epoll_idle_lateness);
    suite
        .add(crowd_row("P11", "99 % lateness of a 10 ms timer among 8 busy loops on 2 threads",
                       "ms", {.value = 2, .ratio = 1, .peer = "asio strands"}))
        .add("tern", [] { return tern_crowd(loops::GroupKind::worker).p99_ms(); })
        .add("asio strands", [] { return asio_crowd().p99_ms(); });
    suite
        .add(crowd_row("P11-latency", "the same with the timer in the low-latency class", "ms",
                       {.value = 0.35, .ratio = 0.18, .peer = "asio strands"}))
        .add("tern", [] { return tern_crowd(loops::GroupKind::latency).p99_ms(); })
        .add("asio strands", [] { return asio_crowd().p99_ms(); });
    suite
        .add(crowd_row("P12", "work of the luckiest of 8 busy loops by that of the unluckiest", "x",
                       {.value = 1.03, .ratio = 1.03, .peer = "asio strands"}))
        .add("tern", [] { return tern_crowd(loops::GroupKind::worker).evenness(); })
        .add("asio strands", [] { return asio_crowd().evenness(); });
    suite
        .add(crowd_row(
            "P13",
            "8 busy loops of one thread until a second one, with a core of its own, has 4 of them",
            "ms", {.value = 10}))
        .add("tern", [] { return TernCrowd(loops::GroupKind::worker, true).go().even_after_ms; });
    suite.add(crowd_row("P14", "moves in the second after that", "moves", {.value = 1}))
        .add("tern", [] {
            return static_cast<double>(TernCrowd(loops::GroupKind::worker, true).go().late_moves);
        });
}

}  // namespace tern::bench
