#include "loops/session.h"

#include "loops/credits.h"
#include "loops/test_support.h"

#include <deque>
#include <memory>
#include <random>

#include <catch2/catch.hpp>

namespace tern::loops {

using test::Action;
using test::Sim;
using test::TestLoop;

TEST_CASE("an orphaned session is freed when its last operation ends") {
    Sim sim;
    bool freed = false;
    Action action{[&](Turn&) { freed = true; }};
    Event event(action.callback());
    auto session = std::make_unique<Session>(sim.main(), event);
    Session::Operation first = session->begin();
    Session::Operation second = session->begin();
    CHECK(session->operations() == 2);
    session->peer_closed();
    CHECK(first.cancelled());
    CHECK(sim.sim.settle());
    CHECK_FALSE(freed);
    first.end();
    CHECK(sim.sim.settle());
    CHECK_FALSE(freed);
    second.end();
    CHECK(sim.sim.settle());
    CHECK(freed);
}

TEST_CASE("a session without operations is freed at once") {
    Sim sim;
    bool freed = false;
    Action action{[&](Turn&) { freed = true; }};
    Event event(action.callback());
    Session session(sim.main(), event);
    session.begin().end();
    CHECK(sim.sim.settle());
    CHECK_FALSE(freed);
    session.peer_closed();
    CHECK(sim.sim.settle());
    CHECK(freed);
}

TEST_CASE("a latch waits for the last hold, moved about or not") {
    Sim sim;
    int runs = 0;
    Action action{[&](Turn&) { ++runs; }};
    Event event(action.callback());
    Latch latch(sim.main(), event);
    Latch::Hold a = latch.hold();
    Latch::Hold b = std::move(a);
    latch.close();
    CHECK(sim.sim.settle());
    CHECK(runs == 0);
    b.release();
    CHECK(sim.sim.settle());
    CHECK(runs == 1);
}

TEST_CASE("credits cork at the high mark and release at the low one, not in between") {
    Sim sim;
    int retries = 0;
    Action action{[&](Turn&) { ++retries; }};
    Event retry(action.callback());
    Credits credits(10, 30);
    for (int i = 0; i < 3; ++i)
        CHECK(credits.take(10, sim.main(), retry));
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    credits.give(10);
    CHECK(credits.corked());
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    CHECK(sim.sim.settle());
    CHECK(retries == 0);
    credits.give(10);
    CHECK(sim.sim.settle());
    CHECK(retries == 1);
    CHECK(credits.take(1, sim.main(), retry));
}

TEST_CASE("a producer that left is not sent a retry") {
    Sim sim;
    int retries = 0;
    Action action{[&](Turn&) { ++retries; }};
    Event retry(action.callback());
    Credits credits(0, 1);
    CHECK(credits.take(1, sim.main(), retry));
    CHECK_FALSE(credits.take(1, sim.main(), retry));
    credits.forget(retry);
    credits.give(1);
    CHECK(sim.sim.settle());
    CHECK(retries == 0);
}

namespace {

/// A session whose answer is made in another loop, chunk by chunk, as long as somebody listens.
template <class S>
struct ClientOf {
    ClientOf(Sim& sim_, Loop& elsewhere_, int chunks_)
        : sim(sim_), elsewhere(elsewhere_), chunks(chunks_), session(sim_.main(), freed_event) {
        operation = session.begin();
        produce.send(elsewhere);
    }

    void make_chunk(Turn& turn) {
        if (operation.cancelled() || --chunks <= 0) {
            made_after_close = made - made_at_close;
            operation.end();  // the session may be gone from here on
            return;
        }
        ++made;
        produce.send(turn.loop());
    }

    void close() {
        closed = true;
        made_at_close = made;
        session.peer_closed();
    }

    Sim& sim;
    Loop& elsewhere;
    int chunks;
    int made = 0;
    int made_at_close = 0;
    int made_after_close = 0;
    bool closed = false;
    bool freed = false;
    Event freed_event{[](void* self, Turn&) { static_cast<ClientOf*>(self)->freed = true; }, this};
    Event produce{[](void* self, Turn& turn) { static_cast<ClientOf*>(self)->make_chunk(turn); },
                  this};
    S session;
    typename S::Operation operation;
};

using Client = ClientOf<Session>;

/// A session whose operations do not hear that the peer has gone.
class DeafSession : public Session {
  public:
    struct Operation : Session::Operation {
        bool cancelled() const { return false; }
    };

    using Session::Session;

    Operation begin() { return {Session::begin()}; }
};

/// A loop is stopped that works for a thousand clients who have left; whether that comes to an end
/// and nothing is left of them.
template <class S>
bool shutdown_frees_orphans() {
    Sim sim(6, 2);
    auto producer = std::make_unique<TestLoop>(*sim.group, "producer");
    std::deque<ClientOf<S>> clients;
    for (int i = 0; i < 1000; ++i) {
        clients.emplace_back(sim, producer->loop, 1'000'000);
        clients.back().close();
    }
    bool stopped = false;
    Action action{[&](Turn&) { stopped = true; }};
    Event event(action.callback());
    producer->loop.stop(sim.main(), event);
    CHECK(sim.sim.settle());
    CHECK(stopped);
    producer.reset();
    bool freed = true;
    for (ClientOf<S>& client : clients) {
        freed = freed && client.freed;
        client.operation.end();
    }
    CHECK(sim.sim.settle());
    return freed;
}

}  // namespace

TEST_CASE("AT-CLI-1 clients that leave at any moment are all freed, once", "[AT-CLI-1]") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed " << seed);
        Sim sim(seed, 3);
        TestLoop producer(*sim.group, "producer");
        std::mt19937_64 random(seed);
        std::deque<Client> clients;
        for (int i = 0; i < 500; ++i) {
            clients.emplace_back(sim, producer.loop, 1 + static_cast<int>(random() % 50));
            for (std::uint64_t steps = random() % 8; steps > 0; --steps)
                sim.sim.step();
            if (Client& leaver = clients[random() % clients.size()]; !leaver.closed) leaver.close();
        }
        for (Client& client : clients) {
            if (!client.closed) client.close();
        }
        CHECK(sim.sim.settle());
        for (const Client& client : clients) {
            REQUIRE(client.freed);
            REQUIRE_FALSE(client.operation.active());
        }
    }
}

TEST_CASE("AT-CLI-2 output stops within one chunk when the peer closes in the middle",
          "[AT-CLI-2]") {
    Sim sim(5, 2);
    TestLoop producer(*sim.group, "producer");
    Client client(sim, producer.loop, 1'000'000);
    while (client.made < 1000)
        REQUIRE(sim.sim.step());
    client.close();
    CHECK(sim.sim.settle(100));
    CHECK(client.freed);
    CHECK(client.made_after_close <= 1);
}

TEST_CASE("AT-CLI-3 a loop with a thousand orphaned sessions behind it can be stopped",
          "[AT-CLI-3]") {
    CHECK(shutdown_frees_orphans<Session>());
    CHECK_FALSE(shutdown_frees_orphans<DeafSession>());
}

}  // namespace tern::loops
