// Rows P6 to P8 and P17: what a hundred thousand idle loops and thousands of idle sockets cost.

#include "loops/file_descriptor.h"
#include "loops/watcher.h"
#include "stress/bench/loops_fixture.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <deque>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace tern::bench {
namespace {

constexpr std::size_t loops_many = 100'000;
constexpr std::size_t loops_with_descriptors = 2000;  ///< what 20 000 descriptors allow a peer
constexpr std::size_t changes = 50'000;
constexpr std::size_t sockets = 5000;
constexpr std::size_t turns = 4000;

double resident_bytes() {
    return resident_mib() * 1024 * 1024;
}

/// Bytes of resident memory for each of `count` things that `make` makes.
template <class F>
double bytes_each(std::size_t count, F&& make) {
    const double before = resident_bytes();
    for (std::size_t i = 0; i < count; ++i)
        make();
    return (resident_bytes() - before) / static_cast<double>(count);
}

template <class F>
double cpu_ns_each(std::size_t count, F&& make) {
    return ns_per_operation(count, std::forward<F>(make));
}

/// `measure(count, make)` with `make` creating one more loop.
template <class Measure>
Sample tern_loops(Measure measure) {
    Machine machine(workers(2));
    std::deque<OwnLoop> all;
    return measure(loops_many, [&] { all.emplace_back(machine.group, "idle"); });
}

template <class Measure>
Sample asio_strands(Measure measure) {
    boost::asio::io_context context{1};
    std::deque<boost::asio::strand<boost::asio::io_context::executor_type>> all;
    return measure(loops_many, [&] { all.emplace_back(context.get_executor()); });
}

template <class Measure>
Sample asio_contexts(Measure measure) {
    std::deque<boost::asio::io_context> contexts;
    std::deque<boost::asio::steady_timer> timers;
    return measure(loops_with_descriptors, [&] {
        timers.emplace_back(contexts.emplace_back(1), std::chrono::hours(1)).async_wait([](auto) {
        });
    });
}

#ifdef TERN_BENCH_LIBUV
template <class Measure>
Sample uv_loops(Measure measure) {
    std::deque<uv_loop_t> all;
    const double each = measure(loops_with_descriptors, [&] { uv_loop_init(&all.emplace_back()); });
    for (uv_loop_t& loop : all)
        uv_loop_close(&loop);
    return each;
}
#endif

#ifdef TERN_BENCH_LIBEVENT
template <class Measure>
Sample libevent_bases(Measure measure) {
    std::deque<event_base*> all;
    const double each = measure(loops_with_descriptors, [&] { all.push_back(event_base_new()); });
    for (event_base* base : all)
        event_base_free(base);
    return each;
}
#endif

template <class Measure>
void add_loop_makers(Row& row, Measure measure) {
    row.add("tern", [measure] { return tern_loops(measure); });
    row.add("asio strand", [measure] { return asio_strands(measure); });
    row.add("asio context", [measure] { return asio_contexts(measure); });
#ifdef TERN_BENCH_LIBUV
    row.add("libuv", [measure] { return uv_loops(measure); });
#else
    row.leave_out("libuv", "not installed");
#endif
#ifdef TERN_BENCH_LIBEVENT
    row.add("libevent", [measure] { return libevent_bases(measure); });
#else
    row.leave_out("libevent", "not installed");
#endif
}

// ---- P7: changing one socket ----

loops::FileDescriptor quiet_descriptor() {
    return loops::FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

/// In a handler: only a loop that runs has its descriptors in the kernel.
Sample tern_changes() {
    Machine machine(workers(2));
    std::deque<OwnLoop> all;
    for (std::size_t i = 0; i < loops_many; ++i)
        all.emplace_back(machine.group, "idle");
    const loops::FileDescriptor quiet = quiet_descriptor();
    double ns = 0;
    Job change([&](loops::Turn& turn) {
        loops::Watcher watcher(
            turn.loop(), quiet.get(), loops::Interest::readable,
            [](void*, loops::Turn&, loops::Ready) {}, nullptr);
        ns = ns_per_operation(changes, [&] {
            watcher.set_interest(loops::Interest::none);
            watcher.set_interest(loops::Interest::readable);
        });
        machine.runtime.quit();
    });
    machine.run([&](loops::Turn&) { change.event.send(all[loops_many / 2].loop); });
    return ns / 2;
}

Sample epoll_changes() {
    const loops::FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    const loops::FileDescriptor quiet = quiet_descriptor();
    epoll_event event{};
    epoll_ctl(epoll.get(), EPOLL_CTL_ADD, quiet.get(), &event);
    return ns_per_operation(changes, [&] {
        event.events ^= EPOLLIN;
        epoll_ctl(epoll.get(), EPOLL_CTL_MOD, quiet.get(), &event);
    });
}

#ifdef TERN_BENCH_LIBEVENT
Sample libevent_changes() {
    event_base* const base = event_base_new();
    const loops::FileDescriptor quiet = quiet_descriptor();
    event* const each = event_new(
        base, quiet.get(), EV_READ | EV_PERSIST, [](evutil_socket_t, short, void*) {}, nullptr);
    event_add(each, nullptr);
    const double ns = ns_per_operation(changes, [&] {
        event_del(each);
        event_add(each, nullptr);
    });
    event_free(each);
    event_base_free(base);
    return ns / 2;
}
#endif

#ifdef TERN_BENCH_LIBUV
/// libuv tells the kernel at its next turn only, so each change is followed by one.
Sample uv_changes() {
    uv_loop_t loop{};
    uv_loop_init(&loop);
    const loops::FileDescriptor quiet = quiet_descriptor();
    uv_poll_t poll{};
    uv_poll_init(&loop, &poll, quiet.get());
    const auto ready = [](uv_poll_t*, int, int) {};
    const double ns = ns_per_operation(changes, [&] {
        uv_poll_start(&poll, UV_WRITABLE, ready);
        uv_poll_start(&poll, UV_READABLE, ready);
        uv_run(&loop, UV_RUN_NOWAIT);
    });
    uv_close(reinterpret_cast<uv_handle_t*>(&poll), nullptr);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
    return ns / 2;
}
#endif

// ---- P8: one active of many idle sockets ----

std::vector<loops::FileDescriptor> idle_descriptors() {
    std::vector<loops::FileDescriptor> all;
    for (std::size_t i = 0; i < sockets; ++i)
        all.push_back(quiet_descriptor());
    return all;
}

void ring(const loops::FileDescriptor& bell) {
    const std::uint64_t one = 1;
    if (::write(bell.get(), &one, sizeof one) != sizeof one) std::abort();
}

void silence(const loops::FileDescriptor& bell) {
    std::uint64_t count = 0;
    if (::read(bell.get(), &count, sizeof count) != sizeof count) std::abort();
}

/// All in one loop of the main thread; the handler of the active one rings it again.
Sample tern_one_of_many() {
    Machine machine(workers(1));
    OwnLoop side(machine.runtime.main_group(), "sockets");
    const std::vector<loops::FileDescriptor> all = idle_descriptors();

    struct Active {
        const loops::FileDescriptor* bell;
        loops::Runtime* runtime;
        std::size_t count = 0;
        double start = 0;
        double ns = 0;

        static void ready(void* self, loops::Turn&, loops::Ready) {
            auto& active = *static_cast<Active*>(self);
            silence(*active.bell);
            if (active.count == 0) active.start = thread_ns();  // the thread knows the loop now
            if (++active.count <= turns) {
                ring(*active.bell);
            } else {
                active.ns = thread_ns() - active.start;
                active.runtime->quit();
            }
        }
    } active{&all[sockets / 2], &machine.runtime};

    std::deque<loops::Watcher> watchers;
    machine.run([&](loops::Turn&) {
        const loops::LoopEntry entry(side.loop);
        for (const loops::FileDescriptor& each : all) {
            watchers.emplace_back(side.loop, each.get(), loops::Interest::readable, Active::ready,
                                  &active);
        }
        ring(*active.bell);
    });
    const loops::LoopEntry entry(side.loop);
    watchers.clear();
    return active.ns / static_cast<double>(turns) / 1000;
}

Sample poll_one_of_many() {
    const std::vector<loops::FileDescriptor> all = idle_descriptors();
    std::vector<pollfd> asked;
    for (const loops::FileDescriptor& each : all)
        asked.push_back({each.get(), POLLIN, 0});
    const loops::FileDescriptor& bell = all[sockets / 2];
    return ns_per_operation(turns / 10,
                            [&] {
                                ring(bell);
                                ::poll(asked.data(), asked.size(), -1);
                                const auto found = std::find_if(
                                    asked.begin(), asked.end(),
                                    [](const pollfd& each) { return each.revents != 0; });
                                if (found->fd != bell.get()) std::abort();
                                silence(bell);
                            }) /
           1000;
}

Sample epoll_one_of_many() {
    const std::vector<loops::FileDescriptor> all = idle_descriptors();
    const loops::FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    for (const loops::FileDescriptor& each : all) {
        epoll_event event{.events = EPOLLIN, .data = {.fd = each.get()}};
        epoll_ctl(epoll.get(), EPOLL_CTL_ADD, each.get(), &event);
    }
    const loops::FileDescriptor& bell = all[sockets / 2];
    return ns_per_operation(turns,
                            [&] {
                                ring(bell);
                                std::array<epoll_event, 64> events;
                                epoll_wait(epoll.get(), events.data(), 64, -1);
                                silence(bell);
                            }) /
           1000;
}

// ---- P17: the price of doing nothing ----

/// Two threads with 100 000 loops and 10 000 far timers, of which nothing is due.
struct Idle {
    Idle() {
        for (std::size_t i = 0; i < loops_many; ++i)
            all.emplace_back(machine.group, "idle");
        for (std::size_t i = 0; i < far_timers; ++i) {
            const loops::LoopEntry entry(of_timer(i).loop);
            timers
                .emplace_back(
                    of_timer(i).loop, [](void*, loops::Turn&) {}, nullptr)
                .in(loops::seconds(3600 + static_cast<std::int64_t>(i)));
        }
    }

    ~Idle() {
        for (std::size_t i = 0; i < far_timers; ++i) {
            // Their loops never run again.
            const locking::Guard<Side> side = of_timer(i).domain.lock_dynamic();
            timers[i].stop();
        }
    }

    OwnLoop& of_timer(std::size_t i) { return all[i * loops_many / far_timers]; }

    static constexpr std::size_t far_timers = 10'000;

    Machine machine{workers(2)};
    std::deque<OwnLoop> all;
    std::deque<loops::Timer> timers;
};

/// What the runtime's threads cost per second of doing nothing. The one who looks is none of them,
/// and begins when they have given back their caches, which they do a second after the last work.
ThreadCosts idling() {
    constexpr auto settling = std::chrono::milliseconds(1500);
    constexpr auto window = std::chrono::seconds(2);
    Idle idle;
    ThreadCosts costs;
    std::thread observer([&] {
        std::this_thread::sleep_for(settling);
        const ThreadCosts before = costs_of_other_threads();
        std::this_thread::sleep_for(window);
        const ThreadCosts after = costs_of_other_threads();
        const double span = std::chrono::duration<double>(window).count();
        costs = {(after.cpu_ns - before.cpu_ns) / span, (after.wake_ups - before.wake_ups) / span};
        idle.machine.runtime.quit();
    });
    idle.machine.run([](loops::Turn&) {});
    observer.join();
    return costs;
}

}  // namespace

void add_scale_rows(Suite& suite) {
    add_loop_makers(suite.add({.id = "P6-memory",
                               .group = "idle loops",
                               .text = "memory of an idle loop with its lock, among 100 000",
                               .unit = "B",
                               .target = {.value = 256, .ratio = 0.27, .peer = "asio context"},
                               .rounds = 5,
                               .own_process = true}),
                    [](std::size_t count, auto make) { return bytes_each(count, make); });
    add_loop_makers(suite.add({.id = "P6-create",
                               .group = "idle loops",
                               .text = "create a loop, 100 000 of them",
                               .unit = "ns",
                               .target = {.value = 150, .ratio = 0.02, .peer = "asio context"},
                               .rounds = 5}),
                    [](std::size_t count, auto make) { return cpu_ns_each(count, make); });
    Row& change = suite.add({.id = "P7",
                             .group = "sockets",
                             .text = "change one socket with 100 000 loops",
                             .unit = "ns",
                             .target = {.value = 1000, .ratio = 1.3, .peer = "epoll_ctl"},
                             .rounds = 10});
    change.add("tern", tern_changes).add("epoll_ctl", epoll_changes);
#ifdef TERN_BENCH_LIBEVENT
    change.add("libevent", libevent_changes);
#else
    change.leave_out("libevent", "not installed");
#endif
#ifdef TERN_BENCH_LIBUV
    change.add("libuv", uv_changes);
#else
    change.leave_out("libuv", "not installed");
#endif
    suite
        .add({.id = "P8",
              .group = "sockets",
              .text = "one turn with 1 active of 5000 sockets",
              .unit = "us",
              .target = {.value = 1.5, .ratio = 0.05, .peer = "poll"},
              .rounds = 10})
        .add("tern", tern_one_of_many)
        .add("epoll", epoll_one_of_many)
        .add("poll", poll_one_of_many);
    suite
        .add({.id = "P17",
              .group = "idle loops",
              .text = "idle: 2 threads, 100 000 loops, 10 000 far timers",
              .unit = "ppm of a core",
              .target = {.value = 10},
              .rounds = 3})
        .add("tern", [] { return Sample(idling().cpu_ns / 1000); });
    suite
        .add({.id = "P17-wake-ups",
              .group = "idle loops",
              .text = "the same: times that one of the threads slept anew",
              .unit = "per s",
              .target = {.value = 0},
              .rounds = 3})
        .add("tern", [] { return Sample(idling().wake_ups); });
}

}  // namespace tern::bench
