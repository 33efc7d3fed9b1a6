// A ring of loops joined by sockets: tokens with a checksum go round while every loop migrates
// between threads and every socket between two loops.
#include "loops/file_descriptor.h"
#include "loops/test_support.h"
#include "loops/watcher.h"
#include "stress/scale.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <random>

#include <catch2/catch.hpp>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tern::stress {

using loops::Event;
using loops::FileDescriptor;
using loops::Interest;
using loops::Loop;
using loops::Ready;
using loops::ThreadGroup;
using loops::Turn;
using loops::Watcher;
using loops::test::Action;
using loops::test::Real;
using loops::test::TestLoop;

namespace {

struct Token {
    std::uint64_t number = 0;
    std::uint64_t hops = 0;
    std::uint64_t sum = 0;  ///< of what each station adds
};

/// Reads tokens from one socket, adds to them, and writes them to the next station's.
struct Station {
    Station(ThreadGroup& group, std::uint64_t id_)
        : id(id_), first(group, "first"), second(group, "second") {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
        in = FileDescriptor(ends[0]);
        to_in = FileDescriptor(ends[1]);
    }

    void watch() {
        const loops::LoopEntry entry(first.loop);
        watcher.emplace(first.loop, in.get(), Interest::readable,
                        loops::watch_function<&Station::ready, Station>(), this);
    }

    void unwatch() {
        const locking::PairLock<loops::test::Protocol> both(first.domain, second.domain);
        watcher.reset();
    }

    void change_loop() {
        const locking::PairLock<loops::test::Protocol> both(first.domain, second.domain);
        watcher->move_to(&watcher->loop() == &first.loop ? second.loop : first.loop);
    }

    void ready(Turn&, Ready) {
        Token token;
        if (::recv(in.get(), &token, sizeof token, 0) != sizeof token) return;
        ++token.hops;
        token.sum += id;
        TERN_ASSERT(token.hops <= hops_max, "token ", token.number, " goes on too long");
        if (token.hops == hops_max) {
            arrived(token);
            return;
        }
        TERN_ASSERT(::send(next->to_in.get(), &token, sizeof token, 0) == sizeof token,
                    "a token was lost");
    }

    std::uint64_t id;
    TestLoop first;
    TestLoop second;
    FileDescriptor in;
    FileDescriptor to_in;
    std::optional<Watcher> watcher;
    Station* next = nullptr;
    std::uint64_t hops_max = 0;
    std::function<void(const Token&)> arrived;
};

/// Two for each station.
void allow_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

TEST_CASE("tokens go round a ring of sockets whole while loops and sockets move") {
    const std::size_t stations_count = scaled_to(20, 1000);
    const std::uint64_t rounds = std::max<std::uint64_t>(scaled(1000) / stations_count, 1);
    constexpr std::uint64_t tokens = 8;
    allow_descriptors();
    Real real(3);
    std::deque<Station> stations;
    for (std::size_t i = 0; i < stations_count; ++i)
        stations.emplace_back(real.group, i + 1);
    std::uint64_t sum_of_ids = stations_count * (stations_count + 1) / 2;
    std::atomic<std::uint64_t> missing{tokens};
    std::atomic<std::uint64_t> wrong{0};
    std::deque<Event> stops;
    std::size_t left = 2 * stations_count;
    Action stopped{[&](Turn&) {
        if (--left == 0) real.runtime.quit();
    }};
    std::optional<Event> moving;
    std::mt19937 random(3);
    Action moving_action{[&](Turn& turn) {
        if (missing > 0) {
            stations[random() % stations_count].change_loop();
            real.group.set_threads(1 + static_cast<unsigned>(random() % 5), turn.loop(), *moving);
            return;
        }
        for (Station& station : stations) {
            station.unwatch();
            for (Loop* loop : {&station.first.loop, &station.second.loop})
                loop->stop(turn.loop(), stops.emplace_back(stopped.callback()));
        }
    }};
    moving.emplace(moving_action.callback());
    for (std::size_t i = 0; i < stations_count; ++i) {
        stations[i].next = &stations[(i + 1) % stations_count];
        stations[i].hops_max = rounds * stations_count;
        stations[i].arrived = [&](const Token& token) {
            wrong += token.sum != rounds * sum_of_ids;
            --missing;
        };
    }
    real.run([&](Turn& turn) {
        for (Station& station : stations)
            station.watch();
        for (std::uint64_t number = 0; number < tokens; ++number) {
            const Token token{.number = number};
            Station& station = stations[number % stations_count];
            REQUIRE(::send(station.to_in.get(), &token, sizeof token, 0) == sizeof token);
        }
        moving->send(turn.loop());
    });
    CHECK(missing == 0);
    CHECK(wrong == 0);
}

}  // namespace tern::stress
