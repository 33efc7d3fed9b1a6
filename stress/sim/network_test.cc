#include "stress/sim/network.h"

#include "router/base/lock_order.h"

#include <cerrno>
#include <numeric>

#include <catch2/catch.hpp>

namespace tern::sim {
namespace {

net::IpAddress ip(std::string_view text) {
    return net::IpAddress::parse(text).value();
}

/// One end of a connection that remembers what it was told.
struct Peer {
    std::unique_ptr<os::TcpConnection> connection;
    std::vector<std::uint8_t> received;
    unsigned connected = 0;
    unsigned readable = 0;
    unsigned writable = 0;
    unsigned failed = 0;
    int error = 0;
    bool ended = false;
    bool drop_on_readable = false;
    const loops::Loop* expected_loop = nullptr;

    os::TcpCallbacks callbacks() {
        return {on_connected, on_readable, on_writable, on_failed, this};
    }

    os::IoResult write(const std::vector<std::uint8_t>& bytes) {
        const Bytes piece(bytes);
        return connection->write({&piece, 1});
    }

    void check_loop() const {
        if (expected_loop != nullptr) CHECK(expected_loop->running_here());
    }

    static void on_connected(os::TcpConnection&, void* peer) {
        static_cast<Peer*>(peer)->check_loop();
        ++static_cast<Peer*>(peer)->connected;
    }

    static void on_readable(os::TcpConnection& connection, void* context) {
        auto& peer = *static_cast<Peer*>(context);
        peer.check_loop();
        ++peer.readable;
        if (peer.drop_on_readable) {
            peer.connection.reset();
            return;
        }
        std::array<std::uint8_t, 700> buffer{};
        const os::IoResult got = connection.read(buffer);
        if (got.status == os::IoStatus::end) peer.ended = true;
        peer.received.insert(peer.received.end(), buffer.begin(),
                             buffer.begin() + static_cast<long>(got.bytes));
    }

    static void on_writable(os::TcpConnection&, void* peer) {
        ++static_cast<Peer*>(peer)->writable;
    }

    static void on_failed(os::TcpConnection&, const os::SystemError& error, void* context) {
        auto& peer = *static_cast<Peer*>(context);
        ++peer.failed;
        peer.error = error.number;
    }
};

/// Two hosts on one link; the caller lives in the main loop, the called one in a loop of its own.
struct Pair {
    explicit Pair(NetworkOptions options = {}, LinkOptions wire = {})
        : sim(control, options.seed), network(sim, options) {
        link = &network.add_link(a, ip("10.0.0.1"), b, ip("10.0.0.2"), wire);
        loop.emplace(sim.runtime().add_group({.name = "worker"}), protocol, "called");
    }

    ~Pair() {
        enter([&] {
            caller.connection.reset();
            called.connection.reset();
            listener.reset();
        });
    }

    /// Runs with both loops' domains held, as an operator's command would.
    template <class Function>
    void enter(Function&& function) {
        const loops::LoopEntry outer(sim.runtime().main_loop());
        const loops::LoopEntry inner(*loop);
        function();
    }

    void listen(os::SocketOptions socket = {}) {
        enter([&] {
            auto made =
                b.listen(*loop, {.local = {ip("0.0.0.0"), 179}, .socket = socket}, on_accept, this);
            REQUIRE(made);
            listener = std::move(*made);
        });
    }

    void call(os::SocketOptions socket = {}) {
        enter([&] {
            auto made = a.connect(sim.runtime().main_loop(),
                                  {.remote = {ip("10.0.0.2"), 179}, .local = {}, .socket = socket},
                                  caller.callbacks());
            REQUIRE(made);
            caller.connection = std::move(*made);
        });
    }

    void establish() {
        listen();
        call();
        sim.run_for(loops::seconds(1));
        REQUIRE(caller.connected == 1);
        REQUIRE(called.connection != nullptr);
    }

    static void on_accept(std::unique_ptr<os::TcpConnection> connection, void* context) {
        auto& self = *static_cast<Pair*>(context);
        self.called.connection = std::move(connection);
        self.called.connection->set_callbacks(self.called.callbacks());
    }

    locking::Domain<level::Control> control{"main"};
    locking::Domain<level::Protocol> protocol{"called"};
    loops::SimRuntime sim;
    SimNetwork network;
    Host& a = network.add_host("a");
    Host& b = network.add_host("b");
    Link* link = nullptr;
    std::optional<loops::Loop> loop;
    std::unique_ptr<os::TcpListener> listener;
    Peer caller;
    Peer called;
};

std::vector<std::uint8_t> pattern(std::size_t size) {
    std::vector<std::uint8_t> bytes(size);
    std::iota(bytes.begin(), bytes.end(), std::uint8_t{1});
    return bytes;
}

}  // namespace

TEST_CASE("a call is answered after one round trip and both ends know their addresses") {
    Pair pair({}, {.delay = loops::milliseconds(20)});
    pair.listen();
    pair.call();
    pair.sim.run_for(loops::milliseconds(39));
    CHECK(pair.called.connection != nullptr);
    CHECK(pair.caller.connected == 0);
    pair.sim.run_for(loops::milliseconds(1));
    CHECK(pair.caller.connected == 1);
    CHECK(pair.caller.connection->local().address == ip("10.0.0.1"));
    CHECK(pair.called.connection->remote() == pair.caller.connection->local());
    CHECK(pair.called.connection->local().port == 179);
}

TEST_CASE("nobody listens: refused; no such neighbour: unreachable; not our address: refused") {
    Pair pair;
    pair.call();
    pair.sim.run_for(loops::seconds(1));
    CHECK(pair.caller.error == ECONNREFUSED);
    CHECK(pair.caller.failed == 1);
    pair.enter([&] {
        const auto far = pair.a.connect(
            pair.sim.runtime().main_loop(),
            {.remote = {ip("10.9.9.9"), 179}, .local = {}, .socket = {}}, pair.caller.callbacks());
        REQUIRE(!far);
        CHECK(far.error().number == ENETUNREACH);
        const auto odd =
            pair.a.connect(pair.sim.runtime().main_loop(),
                           {.remote = {ip("10.0.0.2"), 179}, .local = ip("10.0.0.7"), .socket = {}},
                           pair.caller.callbacks());
        REQUIRE(!odd);
        CHECK(odd.error().number == EADDRNOTAVAIL);
    });
}

TEST_CASE("bytes arrive whole and in order however they are cut") {
    Pair pair({.seed = 7, .buffer = 100'000, .segment = 100}, {.jitter = loops::milliseconds(30)});
    pair.establish();
    const auto bytes = pattern(50'000);
    pair.enter([&] { CHECK(pair.caller.write(bytes).bytes == bytes.size()); });
    pair.sim.run_for(loops::seconds(10));
    CHECK(pair.called.received == bytes);
    CHECK(pair.network.traffic().bytes == bytes.size());
    CHECK(pair.network.traffic().segments > bytes.size() / 100);
}

TEST_CASE("a paused reader holds the writer back until it resumes") {
    Pair pair({.buffer = 4096});
    pair.establish();
    pair.enter([&] {
        pair.called.connection->pause_rx();
        CHECK(pair.caller.write(pattern(5000)).bytes == 4096);
        CHECK(pair.caller.write(pattern(1)).status == os::IoStatus::would_block);
        pair.caller.connection->want_writable();
    });
    pair.sim.run_for(loops::seconds(60));
    CHECK(pair.called.readable == 0);
    CHECK(pair.caller.writable == 0);
    pair.enter([&] { pair.called.connection->resume_rx(); });
    pair.sim.run_for(loops::seconds(1));
    CHECK(pair.called.received.size() == 4096);
    CHECK(pair.caller.writable == 1);
    pair.enter([&] { CHECK(pair.caller.write(pattern(904)).bytes == 904); });
}

TEST_CASE("an orderly close is an end, one with unread data or on demand is a reset") {
    Pair pair;
    pair.establish();
    SECTION("orderly") {
        pair.enter([&] {
            pair.caller.write(pattern(10));
            pair.caller.connection.reset();
        });
        pair.sim.run_for(loops::seconds(1));
        CHECK(pair.called.received.size() == 10);
        CHECK(pair.called.ended);
        CHECK(pair.called.failed == 0);
        pair.enter([&] { pair.called.connection.reset(); });
        pair.sim.run_for(loops::seconds(1));
        CHECK(pair.network.connections() == 0);
    }
    SECTION("unread data") {
        pair.enter([&] {
            pair.caller.connection->pause_rx();
            pair.called.write(pattern(10));
        });
        pair.sim.run_for(loops::seconds(1));
        pair.enter([&] { pair.caller.connection.reset(); });
        pair.sim.run_for(loops::seconds(1));
        CHECK(pair.called.error == ECONNRESET);
    }
    SECTION("abort") {
        pair.enter([&] {
            pair.caller.connection->abort_on_close();
            pair.caller.connection.reset();
        });
        pair.sim.run_for(loops::seconds(1));
        CHECK(pair.called.error == ECONNRESET);
        CHECK(!pair.called.ended);
    }
}

TEST_CASE("a callback may destroy the connection that called it") {
    Pair pair;
    pair.establish();
    pair.called.drop_on_readable = true;
    pair.enter([&] { pair.caller.write(pattern(10)); });
    pair.sim.run_for(loops::seconds(1));
    CHECK(pair.called.connection == nullptr);
    CHECK(pair.caller.error == ECONNRESET);  // it went with ten bytes unread
}

TEST_CASE("a short cut only delays, a long one ends the connection of who waits for an answer") {
    Pair pair({.give_up = loops::seconds(60)});
    pair.establish();
    pair.network.cut(*pair.link);
    pair.enter([&] { pair.caller.write(pattern(10)); });
    pair.sim.run_for(loops::seconds(50));
    CHECK(pair.called.received.empty());
    SECTION("short") {
        pair.network.heal(*pair.link);
        pair.sim.run_for(loops::seconds(2));
        CHECK(pair.called.received.size() == 10);
        CHECK(pair.caller.failed == 0);
    }
    SECTION("long") {
        pair.sim.run_for(loops::seconds(15));
        CHECK(pair.caller.error == ETIMEDOUT);
        CHECK(pair.called.failed == 0);  // it had nothing to say, so it cannot know
        pair.network.heal(*pair.link);
        pair.enter([&] { pair.called.write(pattern(1)); });
        pair.sim.run_for(loops::seconds(2));
        CHECK(pair.called.error == ECONNRESET);
    }
}

TEST_CASE("a reset link fails both ends once, even a paused one") {
    Pair pair;
    pair.establish();
    pair.enter([&] { pair.called.connection->pause_rx(); });
    pair.network.reset(*pair.link);
    pair.sim.run_for(loops::seconds(1));
    CHECK(pair.caller.failed == 1);
    CHECK(pair.called.failed == 1);
    pair.enter([&] {
        CHECK(pair.caller.write(pattern(1)).status == os::IoStatus::failed);
        pair.caller.connection.reset();
        pair.called.connection.reset();
    });
    CHECK(pair.network.connections() == 0);
}

TEST_CASE("a connection that moves is served by its new loop") {
    Pair pair;
    pair.establish();
    locking::Domain<level::ExportGroup> domain{"other"};
    loops::Loop other(pair.loop->group(), domain, "other");
    pair.enter([&] {
        const loops::LoopEntry entry(other);
        pair.caller.write(pattern(10));
        pair.called.connection->move_to(other);
        pair.called.expected_loop = &other;
    });
    pair.sim.run_for(loops::seconds(1));
    CHECK(pair.called.received.size() == 10);
    const loops::LoopEntry entry(other);
    pair.called.connection.reset();
}

TEST_CASE("a wrong TCP-MD5 secret or a short TTL gets no answer at all") {
    const net::Prefix all = net::Prefix::ip4(0, 0);
    os::SocketOptions strict;
    os::SocketOptions wrong;
    SECTION("secret (RFC 2385)") {
        strict.md5_keys = {{all, "right"}};
        wrong.md5_keys = {{all, "wrong"}};
    }
    SECTION("TTL (RFC 5082 section 3)") {
        strict.ttl = 255;
        strict.min_ttl = 255;
    }
    Pair pair({.give_up = loops::seconds(60)});
    pair.listen(strict);
    pair.call(wrong);
    pair.sim.run_for(loops::seconds(30));
    CHECK(pair.caller.connected == 0);
    CHECK(pair.caller.failed == 0);
    pair.sim.run_for(loops::seconds(40));
    CHECK(pair.caller.error == ETIMEDOUT);
    pair.enter([&] { pair.caller.connection.reset(); });
    pair.call(strict);
    pair.sim.run_for(loops::seconds(1));
    CHECK(pair.caller.connected == 1);
}

TEST_CASE("a lossy link resets connections, and the same seed gives the same run") {
    const auto run = [](std::uint64_t seed) {
        Pair pair({.seed = seed, .segment = 50},
                  {.jitter = loops::milliseconds(5), .reset_one_in = 100});
        pair.establish();
        while (pair.caller.failed == 0) {
            pair.enter([&] { pair.caller.write(pattern(200)); });
            pair.sim.run_for(loops::seconds(1));
        }
        pair.sim.run_for(loops::seconds(1));
        CHECK(pair.called.error == ECONNRESET);
        return std::pair(pair.network.traffic().fingerprint, pair.sim.steps());
    };
    CHECK(run(5) == run(5));
    CHECK(run(5) != run(6));
}

}  // namespace tern::sim
