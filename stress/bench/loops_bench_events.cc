// Rows P3 to P5, P18 and P19: events between loops and threads.

#include "locking/ticks.h"
#include "stress/bench/loops_fixture.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tern::bench {
namespace {

constexpr std::uint64_t hops = 200'000;
constexpr std::uint64_t thread_hops = 4'000;
constexpr std::uint64_t accounted = 1'000'000;

// ---- P3: hops between two loops of one thread ----

class Hopping {
  public:
    Hopping() {
        ping_.send(left_.loop);
        runtime_.run();
    }

    double ns_per_hop() const { return ns_ / static_cast<double>(hops); }

  private:
    static void to_right(void* context, loops::Turn&) {
        auto& self = *static_cast<Hopping*>(context);
        if (self.count_ == 0) self.start_ns_ = thread_ns();
        ++self.count_;
        self.pong_.send(self.right_.loop);
    }

    static void to_left(void* context, loops::Turn&) {
        auto& self = *static_cast<Hopping*>(context);
        if (++self.count_ < hops) {
            self.ping_.send(self.left_.loop);
            return;
        }
        self.ns_ = thread_ns() - self.start_ns_;
        self.runtime_.quit();
    }

    locking::Domain<Main> main_domain_;
    loops::Runtime runtime_{loops::RuntimeOptions{.main_domain = &main_domain_}};
    OwnLoop left_{runtime_.main_group(), "left"};
    OwnLoop right_{runtime_.main_group(), "right"};
    loops::Event ping_{to_right, this};
    loops::Event pong_{to_left, this};
    std::uint64_t count_ = 0;
    double start_ns_ = 0;
    double ns_ = 0;
};

/// The same between two strands of one context.
struct StrandHopping {
    boost::asio::io_context context{1};
    boost::asio::strand<boost::asio::io_context::executor_type> left{context.get_executor()};
    boost::asio::strand<boost::asio::io_context::executor_type> right{context.get_executor()};
    std::uint64_t count = 0;

    void to_right() {
        ++count;
        boost::asio::post(right, [this] { to_left(); });
    }

    void to_left() {
        if (++count < hops) boost::asio::post(left, [this] { to_right(); });
    }
};

Sample asio_hops() {
    StrandHopping hopping;
    boost::asio::post(hopping.left, [&] { hopping.to_right(); });
    return ns_per_operation(1, [&] { hopping.context.run(); }) / static_cast<double>(hops);
}

// ---- P4, P5: hops between two threads ----

Sample tern_thread_hops(const loops::GroupOptions& options, Cores cores) {
    const Placement placement(cores);
    Machine machine(options);
    OwnLoop left(machine.group, "left");
    OwnLoop right(machine.group, "right");
    std::uint64_t count = 0;
    Clock::time_point start;
    double ns = 0;
    Job finished([&](loops::Turn&) { machine.runtime.quit(); });
    std::optional<Job> ping;
    Job pong([&](loops::Turn&) {
        if (++count < thread_hops) {
            ping->event.send(left.loop);
        } else {
            ns = ns_since(start);
            finished.event.send(machine.runtime.main_loop());
        }
    });
    ping.emplace([&](loops::Turn&) {
        ++count;
        pong.event.send(right.loop);
    });
    Job placed([&](loops::Turn&) {
        placement.take(1);
        start = Clock::now();
        ping->event.send(left.loop);
    });
    Job first([&](loops::Turn&) {
        placement.take(0);
        placed.event.send(right.loop);
    });
    machine.run([&](loops::Turn&) { first.event.send(left.loop); });
    return ns / static_cast<double>(count) / 1000;
}

/// The same between two contexts, each with a thread of its own.
struct ContextHopping {
    using Guard = boost::asio::executor_work_guard<boost::asio::io_context::executor_type>;

    boost::asio::io_context left{1};
    boost::asio::io_context right{1};
    Guard left_guard{left.get_executor()};
    Guard right_guard{right.get_executor()};
    std::uint64_t count = 0;

    void to_right() {
        ++count;
        boost::asio::post(right, [this] { to_left(); });
    }

    void to_left() {
        if (++count < thread_hops) {
            boost::asio::post(left, [this] { to_right(); });
        } else {
            left_guard.reset();
            right_guard.reset();
        }
    }
};

Sample asio_thread_hops(Cores cores) {
    const Placement placement(cores);
    ContextHopping hopping;
    std::thread other([&] {
        placement.take(1);
        hopping.right.run();
    });
    placement.take(0);
    const double ns = time_ns([&] {
        boost::asio::post(hopping.left, [&hopping] { hopping.to_right(); });
        hopping.left.run();
        other.join();
    });
    return ns / static_cast<double>(hopping.count) / 1000;
}

/// The floor: two threads that wake each other with nothing around it.
struct FutexHopping {
    std::atomic<std::uint32_t> turn{0};

    void play(std::uint32_t mine) {
        for (std::uint64_t i = 0; i < thread_hops / 2; ++i) {
            std::uint32_t now = 0;
            while ((now = turn.load()) % 2 != mine)
                ::syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, nullptr, nullptr, 0);
            turn.fetch_add(1);
            ::syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
        }
    }
};

Sample futex_thread_hops(Cores cores) {
    const Placement placement(cores);
    FutexHopping hopping;
    std::thread other([&] {
        placement.take(1);
        hopping.play(1);
    });
    placement.take(0);
    return time_ns([&] {
               hopping.play(0);
               other.join();
           }) /
           static_cast<double>(thread_hops) / 1000;
}

// ---- P19: a loop that is stopped and freed while two threads ping it ----

Sample stopping_under_pings() {
    constexpr std::size_t rounds = 2000;
    Machine machine(workers(1));
    std::unique_ptr<OwnLoop> loop = std::make_unique<OwnLoop>(machine.group, "short-lived");
    std::atomic<OwnLoop*> target{loop.get()};
    std::atomic<bool> ended{false};
    std::atomic<int> inside{0};
    const auto ping = [&] {
        loops::Event event([](void*, loops::Turn&) {}, nullptr);
        while (!ended) {
            ++inside;
            if (OwnLoop* const found = target.load()) event.send(found->loop);
            // The event leaves with its loop; nobody else waits for it.
            while (event.queued() && target.load() != nullptr)
                std::this_thread::yield();
            --inside;
            std::this_thread::yield();
        }
        while (event.queued())
            std::this_thread::yield();
    };
    std::size_t count = 0;
    double ns = 0;
    Clock::time_point start;
    std::optional<Job> stopped;
    const auto stop = [&] {
        target = nullptr;
        start = Clock::now();
        loop->loop.stop(machine.runtime.main_loop(), stopped->event);
    };
    stopped.emplace([&](loops::Turn&) {
        while (inside != 0)
            std::this_thread::yield();
        loop.reset();
        ns += ns_since(start);
        if (++count == rounds) {
            ended = true;
            machine.runtime.quit();
            return;
        }
        loop = std::make_unique<OwnLoop>(machine.group, "short-lived");
        target = loop.get();
        stop();
    });
    std::vector<std::thread> threads;
    machine.run([&](loops::Turn&) {
        threads.emplace_back(ping);
        threads.emplace_back(ping);
        stop();
    });
    for (std::thread& thread : threads)
        thread.join();
    return ns / static_cast<double>(rounds) / 1000;
}

// ---- P18: what it costs to know where the time goes ----

/// The bookkeeping of events run in one loop after another, `per_run` at a time, as a turn does it.
Sample accounting(std::uint64_t per_run) {
    const loops::SteadyClock clock;
    loops::Pace pace(clock, true);
    std::uint64_t used_ns = 0;
    std::uint64_t slowest_ns = 0;
    return ns_per_operation(accounted / per_run,
                            [&] {
                                const std::uint64_t before = pace.spent_ns();
                                pace.begin();
                                for (std::uint64_t i = 0; i < per_run; ++i) {
                                    if (!pace.step()) continue;
                                    slowest_ns = std::max(slowest_ns, pace.look());
                                }
                                pace.finish();
                                used_ns += pace.spent_ns() - before;
                                keep(used_ns);
                            }) /
           static_cast<double>(per_run);
}

/// The usual way: something is read at the end of each event.
template <class Read>
Sample reading_each_time(Read read) {
    std::uint64_t used = 0;
    std::uint64_t last = read();
    return ns_per_operation(accounted, [&] {
        const std::uint64_t now = read();
        used += now - last;
        last = now;
        keep(used);
    });
}

void add_accounting_row(Suite& suite, std::uint64_t per_run, Row row) {
    row.group = "events";
    row.unit = "ns";
    suite.add(std::move(row))
        .add("tern", [per_run] { return accounting(per_run); })
        .add("counter", [] { return reading_each_time(locking::ticks_now); })
        .add("clock", [] {
            return reading_each_time(
                [] { return static_cast<std::uint64_t>(Clock::now().time_since_epoch().count()); });
        });
}

void add_hop_row(Suite& suite, const loops::GroupOptions& options, Cores cores, Row row) {
    row.group = "wake-ups";
    row.unit = "us";
    suite.add(std::move(row))
        .add("tern", [options, cores] { return tern_thread_hops(options, cores); })
        .add("asio", [cores] { return asio_thread_hops(cores); })
        .add("futex", [cores] { return futex_thread_hops(cores); });
}

}  // namespace

void add_event_rows(Suite& suite) {
    suite
        .add({.id = "P3",
              .group = "events",
              .text = "hop between two loops of one thread",
              .unit = "ns",
              .target = {.value = 50, .ratio = 0.63, .peer = "asio strands"}})
        .add("tern", [] { return Hopping().ns_per_hop(); })
        .add("asio strands", asio_hops);
    loops::GroupOptions latency = workers(2);
    latency.kind = loops::GroupKind::latency;
    add_hop_row(suite, workers(2), Cores::two,
                {.id = "P4",
                 .text = "hop between two waiting threads, each with a core of its own",
                 .target = {.ratio = 1.05, .peer = "futex"}});
    add_hop_row(suite, workers(2), Cores::one,
                {.id = "P4-one-core",
                 .text = "the same with both on one core",
                 .target = {.ratio = 1.05, .peer = "futex"}});
    loops::GroupOptions sleepers = workers(2);
    sleepers.spin = loops::Duration();
    add_hop_row(suite, sleepers, Cores::two,
                {.id = "P4-asleep",
                 .text = "hop between two sleeping threads (no spin), each with a core of its own",
                 .target = {.ratio = 1.05, .peer = "futex"}});
    add_hop_row(suite, sleepers, Cores::one,
                {.id = "P4-asleep-one-core",
                 .text = "the same with both on one core",
                 .target = {.ratio = 1.05, .peer = "futex"}});
    add_hop_row(suite, latency, Cores::two,
                {.id = "P5",
                 .text = "hop between two low-latency threads, each with a core of its own",
                 .target = {.value = 0.15, .ratio = 0.01, .peer = "futex"}});
    add_hop_row(suite, latency, Cores::one,
                {.id = "P5-one-core",
                 .text = "the same with both on one core",
                 .target = {.ratio = 1.05, .peer = "futex"}});
    add_accounting_row(suite, 64,
                       {.id = "P18",
                        .text = "accounting per event, 64 events in a run",
                        .target = {.value = 1.5}});
    add_accounting_row(suite, 1,
                       {.id = "P18-single",
                        .text = "accounting per event, one event in a run",
                        .target = {.ratio = 1, .peer = "clock"}});
    suite
        .add({.id = "P19",
              .group = "events",
              .text = "stop and free a loop while two threads ping it",
              .unit = "us",
              .target = {.value = 1}})
        .add("tern", stopping_under_pings);
}

}  // namespace tern::bench
