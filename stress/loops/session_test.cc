// Clients that leave at any moment while answers are made for them in other threads.
#include "loops/session.h"

#include "loops/test_support.h"
#include "stress/scale.h"

#include <deque>
#include <memory>
#include <random>

#include <catch2/catch.hpp>

namespace tern::stress {

using loops::Event;
using loops::Loop;
using loops::Session;
using loops::Turn;
using loops::test::Action;
using loops::test::Real;
using loops::test::TestLoop;

namespace {

/// One client after the other: opens, asks, leaves after a random while, is freed, and again.
struct Seat {
    Seat(Loop& home_, Loop& producer_, std::uint64_t clients_, unsigned seed)
        : home(home_), producer(producer_), clients(clients_), random(seed) {}

    void open() {
        session = std::make_unique<Session>(home, freed_event);
        operation = session->begin();
        chunks = random() % 64;
        patience = random() % 64;
        produce.send(producer);
        leave.send(home);
    }

    /// In the producer's loop.
    void make_chunk(Turn& turn) {
        if (operation.cancelled() || chunks-- == 0) {
            operation.end();
            return;
        }
        ++made;
        produce.send(turn.loop());
    }

    /// In the home loop.
    void maybe_leave(Turn& turn) {
        if (patience-- == 0) {
            session->peer_closed();
        } else {
            leave.send(turn.loop());
        }
    }

    void freed(Turn&) {
        session.reset();
        ++served;
        if (served < clients) {
            open();
        } else {
            done();
        }
    }

    Loop& home;
    Loop& producer;
    std::uint64_t clients;
    std::mt19937 random;
    std::uint64_t chunks = 0;
    std::uint64_t patience = 0;
    std::uint64_t made = 0;
    std::uint64_t served = 0;
    std::function<void()> done;
    std::unique_ptr<Session> session;
    Session::Operation operation;
    Event produce{loops::callback<&Seat::make_chunk>(*this)};
    Event leave{loops::callback<&Seat::maybe_leave>(*this)};
    Event freed_event{loops::callback<&Seat::freed>(*this)};
};

}  // namespace

TEST_CASE("sessions whose peers leave in the middle of output are freed once each") {
    const std::uint64_t clients = scaled(1000);
    Real real(3);
    std::deque<TestLoop> producers;
    for (int i = 0; i < 4; ++i)
        producers.emplace_back(real.group, "producer");
    std::deque<Seat> seats;
    for (unsigned i = 0; i < 16; ++i) {
        seats.emplace_back(real.runtime.main_loop(), producers[i % producers.size()].loop, clients,
                           i);
    }
    std::size_t open = seats.size();
    std::size_t left = producers.size();
    std::deque<Event> stops;
    Action stopped{[&](Turn&) {
        if (--left == 0) real.runtime.quit();
    }};
    for (Seat& seat : seats) {
        seat.done = [&] {
            if (--open > 0) return;
            for (TestLoop& producer : producers) {
                producer.loop.stop(real.runtime.main_loop(),
                                   stops.emplace_back(stopped.callback()));
            }
        };
    }
    real.run([&](Turn&) {
        for (Seat& seat : seats)
            seat.open();
    });
    for (const Seat& seat : seats)
        CHECK(seat.served == clients);
}

}  // namespace tern::stress
