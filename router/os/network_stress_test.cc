// Real sockets over the loopback interface.
#include "locking/domain.h"
#include "loops/runtime.h"
#include "loops/timer.h"
#include "router/base/lock_order.h"
#include "router/os/system_network.h"
#include "router/os/tcp_listener.h"

#include <array>
#include <cstring>

#include <catch2/catch.hpp>

namespace tern::os {
namespace {

/// Everything in the main loop of a runtime; gives up after ten seconds.
struct World {
    locking::Domain<level::Control> domain{"main"};
    loops::Runtime runtime{{.main_domain = &domain}};
    SystemNetwork network;
    TcpListeners listeners{network, runtime.main_loop()};
    loops::Timer limit{runtime.main_loop(),
                       [](void* context, loops::Turn&) {
                           auto& world = *static_cast<World*>(context);
                           world.timed_out = true;
                           world.runtime.quit();
                       },
                       this};
    ListenClaim claim;
    std::unique_ptr<TcpConnection> client;
    std::unique_ptr<TcpConnection> server;
    std::vector<std::uint8_t> sent;
    std::vector<std::uint8_t> received;
    std::size_t written = 0;
    bool timed_out = false;
    int reads = 0;
    std::string error;

    void run() {
        {
            const loops::LoopEntry entry(runtime.main_loop());
            limit.in(loops::seconds(10));
        }
        runtime.run();
    }

    ~World() {
        const loops::LoopEntry entry(runtime.main_loop());
        limit.stop();
        client.reset();
        server.reset();
        claim.release();
    }
};

World& world_of(void* context) {
    return *static_cast<World*>(context);
}

void write_more(TcpConnection& connection, void* context) {
    World& world = world_of(context);
    while (world.written < world.sent.size()) {
        const Bytes piece = Bytes(world.sent).subspan(world.written);
        const std::array<Bytes, 2> pieces = {piece.first(piece.size() / 2),
                                             piece.subspan(piece.size() / 2)};
        const IoResult result = connection.write(pieces);
        if (result.status != IoStatus::ok) {
            connection.want_writable();
            return;
        }
        world.written += result.bytes;
    }
}

void read_more(TcpConnection& connection, void* context) {
    World& world = world_of(context);
    ++world.reads;
    std::array<std::uint8_t, 65536> block = {};
    const IoResult result = connection.read(block);
    if (result.status == IoStatus::ok) {
        world.received.insert(world.received.end(), block.begin(),
                              block.begin() + static_cast<std::ptrdiff_t>(result.bytes));
    }
    if (result.status == IoStatus::end || world.received.size() == world.sent.size()) {
        world.runtime.quit();
    }
}

void nothing(TcpConnection&, void*) {}

void failed(TcpConnection&, const SystemError& error, void* context) {
    world_of(context).error = error.text;
    world_of(context).runtime.quit();
}

void accepted(std::unique_ptr<TcpConnection> connection, void* context) {
    World& world = world_of(context);
    world.server = std::move(connection);
    world.server->set_callbacks({nothing, read_more, nothing, failed, &world});
}

constexpr std::uint16_t port = 17917;

ListenRequest request(World& world) {
    ListenRequest result;
    result.local = {net::IpAddress::v4(0x7f000001), port, 0};
    result.peers = net::Prefix::ip4(0x7f000000, 8);
    result.accept = accepted;
    result.context = &world;
    return result;
}

ConnectOptions to_server() {
    ConnectOptions options;
    options.remote = {net::IpAddress::v4(0x7f000001), port, 0};
    return options;
}

}  // namespace

TEST_CASE("ten megabytes arrive in order through a connection that is written in pieces") {
    World world;
    world.sent.resize(10'000'000);
    for (std::size_t i = 0; i < world.sent.size(); ++i) {
        world.sent[i] = static_cast<std::uint8_t>(i * 2654435761U >> 13);
    }
    {
        const loops::LoopEntry entry(world.runtime.main_loop());
        auto claim = world.listeners.claim(request(world));
        REQUIRE(claim);
        world.claim = std::move(*claim);
        auto client = world.network.connect(world.runtime.main_loop(), to_server(),
                                            {write_more, nothing, write_more, failed, &world});
        REQUIRE(client);
        world.client = std::move(*client);
    }
    world.run();
    CHECK_FALSE(world.timed_out);
    CHECK(world.error.empty());
    CHECK(world.received == world.sent);
}

TEST_CASE("a refused connection is reported by the callback") {
    World world;
    {
        const loops::LoopEntry entry(world.runtime.main_loop());
        auto client = world.network.connect(world.runtime.main_loop(), to_server(),
                                            {nothing, nothing, nothing, failed, &world});
        if (client) world.client = std::move(*client);
        if (!client) world.error = client.error().text;
    }
    if (world.error.empty()) world.run();
    CHECK(world.error == "connect: Connection refused");
}

TEST_CASE("connections that nobody claims are reset") {
    World world;
    {
        const loops::LoopEntry entry(world.runtime.main_loop());
        ListenRequest other = request(world);
        other.peers = net::Prefix::ip4(0x0a000000, 8);
        auto claim = world.listeners.claim(other);
        REQUIRE(claim);
        world.claim = std::move(*claim);
        const auto on_end = [](TcpConnection&, void* context) {
            world_of(context).error = "readable";
            world_of(context).runtime.quit();
        };
        auto client = world.network.connect(world.runtime.main_loop(), to_server(),
                                            {nothing, on_end, nothing, failed, &world});
        REQUIRE(client);
        world.client = std::move(*client);
    }
    world.run();
    CHECK_FALSE(world.timed_out);
    CHECK_FALSE(world.server);
    CHECK_FALSE(world.error.empty());
}

TEST_CASE("a reset is reported even while reception is paused") {
    World world;
    {
        const loops::LoopEntry entry(world.runtime.main_loop());
        ListenRequest pausing = request(world);
        pausing.accept = [](std::unique_ptr<TcpConnection> connection, void* context) {
            World& w = world_of(context);
            accepted(std::move(connection), context);
            w.server->pause_rx();
            w.client->abort_on_close();
            w.client.reset();
        };
        auto claim = world.listeners.claim(pausing);
        REQUIRE(claim);
        world.claim = std::move(*claim);
        auto client = world.network.connect(world.runtime.main_loop(), to_server(),
                                            {nothing, nothing, nothing, failed, &world});
        REQUIRE(client);
        world.client = std::move(*client);
    }
    world.run();
    CHECK_FALSE(world.timed_out);
    CHECK(world.reads == 0);
    CHECK(world.error == "connection: Connection reset by peer");
}

}  // namespace tern::os
