// Descriptors and their loops: opening, moving, and the end of a loop that has some.
#include "loops/file_descriptor.h"
#include "loops/stream_testing.h"
#include "loops/test_support.h"

#include <memory>
#include <optional>
#include <thread>
#include <type_traits>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tern::loops {

using test::Action;
using test::open_descriptors;
using test::Real;
using test::Sim;
using test::Stopper;
using test::TestLoop;

namespace {

/// A listener in the abstract namespace of Unix sockets, named after this process.
struct Listener {
    Listener() : fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        address.sun_family = AF_UNIX;
        const std::string name = "tern-loops-" + std::to_string(::getpid());
        std::copy(name.begin(), name.end(), address.sun_path + 1);
        REQUIRE(::bind(fd.get(), generic(), sizeof address) == 0);
        REQUIRE(::listen(fd.get(), 8) == 0);
    }

    FileDescriptor connect() const {
        FileDescriptor client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        REQUIRE(::connect(client.get(), generic(), sizeof address) == 0);
        return client;
    }

    const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&address); }

    sockaddr_un address{};
    FileDescriptor fd;
};

void ignore(void*, Turn&, Ready) {}

}  // namespace

TEST_CASE("AT-SOCK-1 a watcher cannot be made without naming its loop", "[AT-SOCK-1]") {
    STATIC_REQUIRE(std::is_constructible_v<Watcher, Loop&, int, Interest, WatchFunction, void*>);
    STATIC_REQUIRE_FALSE(std::is_constructible_v<Watcher, int, Interest, WatchFunction, void*>);
    STATIC_REQUIRE_FALSE(std::is_default_constructible_v<Watcher>);
    STATIC_REQUIRE_FALSE(std::is_move_constructible_v<Watcher>);
}

TEST_CASE("AT-SOCK-3 an accepted socket moves to another loop before any byte is delivered",
          "[AT-SOCK-3]") {
    Real real(2);
    TestLoop listening(real.group, "listener");
    TestLoop session(real.group, "session");
    const Listener listener;
    FileDescriptor client;
    FileDescriptor accepted;
    std::optional<Watcher> listens;
    std::optional<Watcher> reads;
    Loop* made_in = nullptr;
    std::vector<Loop*> delivered_in;
    int stops = 2;
    Action stopped{[&](Turn&) {
        if (--stops == 0) real.runtime.quit();
    }};
    Event first_stopped(stopped.callback());
    Event second_stopped(stopped.callback());
    Action finished_action{[&](Turn& turn) {
        {
            const LoopEntry entry(listening.loop);
            listens.reset();
        }
        {
            const LoopEntry entry(session.loop);
            reads.reset();
        }
        listening.loop.stop(turn.loop(), first_stopped);
        session.loop.stop(turn.loop(), second_stopped);
    }};
    Event finished(finished_action.callback());

    struct Reading {
        std::vector<Loop*>& delivered_in;
        std::optional<Watcher>& watcher;
        Event& finished;
        Loop& main;

        static void ready(void* self, Turn& turn, Ready) {
            auto& reading = *static_cast<Reading*>(self);
            char byte = 0;
            if (::read(reading.watcher->fd(), &byte, 1) != 1) return;
            reading.delivered_in.push_back(&turn.loop());
            reading.finished.send(reading.main);
        }
    } reading{delivered_in, reads, finished, real.runtime.main_loop()};

    struct Accepting {
        std::function<void(Turn&)> body;

        static void ready(void* self, Turn& turn, Ready) {
            static_cast<Accepting*>(self)->body(turn);
        }
    } accepting{[&](Turn& turn) {
        accepted = FileDescriptor(
            ::accept4(listens->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        REQUIRE(accepted);
        reads.emplace(turn.loop(), accepted.get(), Interest::readable, Reading::ready, &reading);
        made_in = &reads->loop();
        // Both are held: the listener's by this turn, the session's as its sibling.
        const locking::TryGuard<test::Protocol> other = session.domain.try_lock();
        REQUIRE(other);
        reads->move_to(session.loop);
    }};

    real.run([&](Turn&) {
        const LoopEntry entry(listening.loop);
        listens.emplace(listening.loop, listener.fd.get(), Interest::readable, Accepting::ready,
                        &accepting);
        client = listener.connect();
        REQUIRE(::write(client.get(), "x", 1) == 1);
    });
    CHECK(made_in == &listening.loop);
    CHECK(delivered_in == std::vector<Loop*>{&session.loop});
}

TEST_CASE("AT-SOCK-10 a stop just before or after a move never loses a watcher", "[AT-SOCK-10]") {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        INFO("seed " << seed);
        Sim sim(seed, 2);
        TestLoop from(*sim.group, "from");
        TestLoop to(*sim.group, "to");
        const int fd = sim.sim.descriptors().open();
        std::optional<Watcher> watcher;
        {
            const LoopEntry entry(from.loop);
            watcher.emplace(from.loop, fd, Interest::readable, ignore, nullptr);
        }
        bool stopped = false;
        Action stopped_action{[&](Turn&) { stopped = true; }};
        Event stopped_event(stopped_action.callback());
        Action move_action{[&](Turn&) {
            const locking::PairLock<test::Protocol> both(from.domain, to.domain);
            watcher->move_to(to.loop);
        }};
        Action stop_action{[&](Turn&) { to.loop.stop(sim.main(), stopped_event); }};
        Event move(move_action.callback());
        Event stop(stop_action.callback());
        // The seed decides how the main loop's two events and the loops' runs interleave.
        (seed % 2 == 0 ? move : stop).send(sim.main());
        for (std::uint64_t steps = seed % 5; steps > 0; --steps)
            sim.sim.step();
        (seed % 2 == 0 ? stop : move).send(sim.main());
        CHECK(sim.sim.settle());
        CHECK(stopped);
        // Never orphaned: it says which loop it is in, and goes on from there.
        REQUIRE(&watcher->loop() == &to.loop);
        const locking::PairLock<test::Protocol> both(from.domain, to.domain);
        watcher->move_to(from.loop);
        watcher.reset();
        sim.sim.descriptors().close(fd);
    }
}

TEST_CASE("AT-SOCK-10 a socket that moves into a loop that stops is read and closed afterwards",
          "[AT-SOCK-10]") {
    const std::size_t before = open_descriptors();
    for (int round = 0; round < 100; ++round) {
        Real real(2);
        TestLoop from(real.group, "from");
        TestLoop to(real.group, "to");
        Stopper stopper(real.runtime);
        stopper.add(from.loop);
        std::optional<Watcher> watcher;
        std::thread mover;
        const auto move_to = [&](TestLoop& loop) {
            const locking::PairLock<test::Protocol> both(from.domain, to.domain);
            watcher->move_to(loop.loop);
        };

        struct Reader {
            static void ready(void* self, Turn&, Ready) {
                auto& reader = *static_cast<Reader*>(self);
                if (reader.stream.read()) reader.finished.send(reader.main);
            }

            test::ByteStream stream;
            Loop& main;
            Event& finished;
        };

        Action finished_action{[&](Turn&) {
            {
                const LoopEntry entry(from.loop);
                watcher.reset();
            }
            stopper.go();
        }};
        Event finished(finished_action.callback());
        Reader reader{{}, real.runtime.main_loop(), finished};
        // Whether it was stopped before or after the move, the socket can go on from there.
        Action stopped_action{[&](Turn&) {
            mover.join();
            CHECK(&watcher->loop() == &to.loop);
            move_to(from);
            reader.stream.write();
        }};
        Event stopped(stopped_action.callback());
        real.run([&](Turn& turn) {
            {
                const LoopEntry entry(from.loop);
                watcher.emplace(from.loop, reader.stream.reads.get(), Interest::readable,
                                Reader::ready, &reader);
            }
            mover = std::thread([&] { move_to(to); });
            for (int pause = 0; pause < round; ++pause)
                std::this_thread::yield();
            to.loop.stop(turn.loop(), stopped);
        });
        CHECK(reader.stream.received == 1);
    }
    CHECK(open_descriptors() == before);
}

}  // namespace tern::loops
