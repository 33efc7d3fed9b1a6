// The system's backend, and watchers over real sockets on real threads. Socket pairs only.
#include "loops/file_descriptor.h"
#include "loops/poller_epoll.h"
#include "loops/signals.h"
#include "loops/test_support.h"
#include "loops/watchdog.h"

#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tern::loops {

using test::Action;
using test::Real;
using test::TestLoop;

namespace {

struct Pair {
    FileDescriptor a;
    FileDescriptor b;

    Pair() {
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
        a = FileDescriptor(fds[0]);
        b = FileDescriptor(fds[1]);
    }
};

/// Reads a stream of bytes 0, 1, 2, ... and checks their order.
struct Checker {
    std::optional<Watcher> watcher;
    std::size_t received = 0;
    std::size_t wanted = 0;
    Event* finished = nullptr;
    Loop* main = nullptr;

    static void on_ready(void* context, Turn&, Ready) {
        auto& self = *static_cast<Checker*>(context);
        unsigned char buffer[4096];
        const ssize_t got = ::read(self.watcher->fd(), buffer, sizeof buffer);
        if (got <= 0) return;
        for (ssize_t i = 0; i < got; ++i) {
            TERN_ASSERT(buffer[i] == (self.received & 0xff), "stream out of order");
            ++self.received;
        }
        if (self.received == self.wanted) self.finished->send(*self.main);
    }
};

/// Calls `full` when the other side takes no more for the first time.
void write_stream(int fd, std::size_t bytes, const std::function<void()>& full) {
    std::size_t sent = 0;
    bool was_full = false;
    while (sent < bytes) {
        unsigned char buffer[1000];
        const std::size_t count = std::min(sizeof buffer, bytes - sent);
        for (std::size_t i = 0; i < count; ++i) {
            buffer[i] = static_cast<unsigned char>(sent + i);
        }
        const ssize_t written = ::write(fd, buffer, count);
        if (written > 0) {
            sent += static_cast<std::size_t>(written);
            continue;
        }
        if (!std::exchange(was_full, true)) full();
        std::this_thread::yield();
    }
}

}  // namespace

TEST_CASE("a poller reports, changes its mind and forgets") {
    EpollFactory factory;
    const auto poller = factory.make(PollerUse::loop);
    REQUIRE(poller != nullptr);
    const Pair pair;
    constexpr Poller::Token token = 7;
    Poller::Report reports[4];
    REQUIRE(poller->add(pair.a.get(), Interest::readable, token) == 0);
    CHECK(poller->add(pair.a.get(), Interest::readable, token) == EEXIST);
    CHECK(poller->wait(reports, Duration()) == 0);
    REQUIRE(::write(pair.b.get(), "x", 1) == 1);
    REQUIRE(poller->wait(reports, Duration()) == 1);
    CHECK(reports[0].token == token);
    CHECK(reports[0].ready.readable);
    CHECK_FALSE(reports[0].ready.writable);
    REQUIRE(poller->change(pair.a.get(), Interest::writable, token) == 0);
    REQUIRE(poller->wait(reports, Duration()) == 1);
    CHECK(reports[0].ready.writable);
    poller->remove(pair.a.get());
    CHECK(poller->wait(reports, Duration()) == 0);
}

TEST_CASE("a poller inside another is readable while it has something to say") {
    EpollFactory factory;
    const auto outer = factory.make(PollerUse::thread);
    const auto inner = factory.make(PollerUse::loop);
    const Pair pair;
    constexpr Poller::Token token = 7;
    Poller::Report reports[4];
    REQUIRE(outer->add(inner->descriptor(), Interest::readable, token) == 0);
    REQUIRE(inner->add(pair.a.get(), Interest::readable, token) == 0);
    CHECK(outer->wait(reports, Duration()) == 0);
    REQUIRE(::write(pair.b.get(), "x", 1) == 1);
    CHECK(outer->wait(reports, Duration()) == 1);
    CHECK(outer->wait(reports, Duration()) == 1);
    char byte = 0;
    REQUIRE(::read(pair.a.get(), &byte, 1) == 1);
    CHECK(outer->wait(reports, Duration()) == 0);
}

TEST_CASE("a kick ends the next wait") {
    EpollFactory factory;
    const auto poller = factory.make(PollerUse::thread);
    Poller::Report reports[4];
    poller->kick();
    CHECK(poller->wait(reports, Duration::infinite()) == 0);
    poller->kick();
    CHECK(poller->wait(reports, Duration::infinite()) == 0);
}

TEST_CASE("AT-SOCK-8 a stream survives its watcher moving between loops all the time",
          "[AT-SOCK-8]") {
    constexpr std::size_t bytes = 2'000'000;
    Real real(2);
    TestLoop first(real.group, "first");
    TestLoop second(real.group, "second");
    const Pair pair;
    Checker checker;
    checker.wanted = bytes;
    checker.main = &real.runtime.main_loop();
    bool over = false;
    int moves = 0;
    std::thread writer;
    const auto shut = [&] {
        const locking::PairLock<test::Protocol> lock(first.domain, second.domain);
        checker.watcher.reset();
    };
    Action finished_action{[&](Turn&) { over = true; }};
    Event finished(finished_action.callback());
    checker.finished = &finished;
    Event* again = nullptr;
    int stops = 2;
    Action stopped_action{[&](Turn&) {
        if (--stops == 0) real.runtime.quit();
    }};
    Event stopped_first(stopped_action.callback());
    Event stopped_second(stopped_action.callback());
    Action move_action{[&](Turn& turn) {
        if (over) {
            shut();
            first.loop.stop(turn.loop(), stopped_first);
            second.loop.stop(turn.loop(), stopped_second);
            return;
        }
        {
            const locking::PairLock<test::Protocol> lock(first.domain, second.domain);
            Loop& other = &checker.watcher->loop() == &first.loop ? second.loop : first.loop;
            checker.watcher->move_to(other);
            ++moves;
        }
        again->send(turn.loop());
    }};
    Event move(move_action.callback());
    again = &move;
    real.run([&](Turn& turn) {
        {
            const LoopEntry entry(first.loop);
            checker.watcher.emplace(first.loop, pair.a.get(), Interest::readable, Checker::on_ready,
                                    &checker);
        }
        writer = std::thread([&] { write_stream(pair.b.get(), bytes, [] {}); });
        move.send(turn.loop());
    });
    writer.join();
    CHECK(checker.received == bytes);
    CHECK(moves > 10);
}

TEST_CASE("AT-SOCK-4 the sender of a paused stream is held up and all bytes come after the resume",
          "[AT-SOCK-4]") {
    constexpr std::size_t bytes = 10'000'000;
    Real real(1);
    TestLoop loop(real.group, "reader");
    const Pair pair;
    Checker checker;
    checker.wanted = bytes;
    checker.main = &real.runtime.main_loop();
    Action stopped_action{[&](Turn&) { real.runtime.quit(); }};
    Event stopped(stopped_action.callback());
    Action finished_action{[&](Turn& turn) {
        {
            const LoopEntry entry(loop.loop);
            checker.watcher.reset();
        }
        loop.loop.stop(turn.loop(), stopped);
    }};
    Event finished(finished_action.callback());
    checker.finished = &finished;
    bool resumed = false;
    Action resume_action{[&](Turn&) {
        const LoopEntry entry(loop.loop);
        CHECK(checker.received == 0);
        resumed = true;
        checker.watcher->resume_rx(PauseReason::cork);
    }};
    Timer resume(real.runtime.main_loop(), resume_action.callback());
    Action full_action{[&](Turn&) { resume.in(milliseconds(50)); }};
    Event full(full_action.callback());
    std::thread writer;
    real.run([&](Turn&) {
        {
            const LoopEntry entry(loop.loop);
            checker.watcher.emplace(loop.loop, pair.a.get(), Interest::readable, Checker::on_ready,
                                    &checker);
            checker.watcher->pause_rx(PauseReason::cork);
        }
        writer = std::thread([&] {
            write_stream(pair.b.get(), bytes, [&] { full.send(real.runtime.main_loop()); });
        });
    });
    writer.join();
    CHECK(resumed);
    CHECK(checker.received == bytes);
}

TEST_CASE("a signal arrives as a handler call in its loop") {
    Real real(1);
    int got = 0;

    struct Context {
        int& got;
        Runtime& runtime;
    } context{got, real.runtime};

    std::unique_ptr<Signals> signals;
    {
        const LoopEntry entry(real.runtime.main_loop());
        signals = Signals::make(
            real.runtime.main_loop(), {SIGUSR2},
            [](void* data, Turn&, int signal) {
                auto& where = *static_cast<Context*>(data);
                where.got = signal;
                where.runtime.quit();
            },
            &context);
    }
    REQUIRE(signals != nullptr);
    real.run([&](Turn&) { ::kill(::getpid(), SIGUSR2); });
    CHECK(got == SIGUSR2);
    const LoopEntry entry(real.runtime.main_loop());
    signals.reset();
}

TEST_CASE("the watchdog reports a handler that does not come back, once") {
    Real real(1);
    TestLoop loop(real.group, "stuck");
    std::atomic<bool> release{false};

    struct Seen {
        std::atomic<bool>& release;
        int reports = 0;
    } seen{release};

    Watchdog watchdog(
        real.runtime.main_loop(),
        [](void* context, const ThreadReport& report) {
            auto& where = *static_cast<Seen*>(context);
            if (report.group != "worker") return;
            ++where.reports;
            where.release = true;
        },
        &seen);
    Action stopped_action{[&](Turn&) { real.runtime.quit(); }};
    Event stopped(stopped_action.callback());
    Action finished_action{[&](Turn& turn) {
        watchdog.set_limit(Duration());
        loop.loop.stop(turn.loop(), stopped);
    }};
    Event finished(finished_action.callback());
    Action spin{[&](Turn&) {
        while (!release.load())
            std::this_thread::yield();
        finished.send(real.runtime.main_loop());
    }};
    Event event(spin.callback());
    real.run([&](Turn&) {
        watchdog.set_limit(milliseconds(20));
        event.send(loop.loop);
    });
    CHECK(seen.reports == 1);
}

}  // namespace tern::loops
