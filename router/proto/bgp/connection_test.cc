#include "router/proto/bgp/connection.h"

#include "loops/sim_runtime.h"
#include "router/base/lock_order.h"
#include "router/proto/bgp/wire/route_refresh.h"

#include <algorithm>
#include <optional>

#include <catch2/catch.hpp>

namespace tern::bgp {

namespace {

/// A socket whose other end is the test.
class ScriptedTcp final : public os::TcpConnection {
  public:
    struct Ends {
        std::vector<std::uint8_t> to_router;
        std::vector<std::uint8_t> from_router;
        std::size_t room = 1 << 20;  ///< what the neighbour takes before it blocks
        bool closed_by_neighbour = false;
        bool closed_by_router = false;
        bool wants_room = false;
        os::TcpCallbacks callbacks;
        ScriptedTcp* tcp = nullptr;
    };

    explicit ScriptedTcp(Ends& ends) : ends_(ends) { ends_.tcp = this; }

    ~ScriptedTcp() override {
        ends_.closed_by_router = true;
        ends_.tcp = nullptr;
    }

    void set_callbacks(const os::TcpCallbacks& callbacks) override { ends_.callbacks = callbacks; }

    os::IoResult read(MutableBytes into) override {
        const std::size_t n = std::min(into.size(), ends_.to_router.size());
        if (n == 0) {
            return {ends_.closed_by_neighbour ? os::IoStatus::end : os::IoStatus::would_block};
        }
        std::copy_n(ends_.to_router.begin(), n, into.begin());
        ends_.to_router.erase(ends_.to_router.begin(),
                              ends_.to_router.begin() + static_cast<std::ptrdiff_t>(n));
        return {os::IoStatus::ok, n};
    }

    os::IoResult write(std::span<const Bytes> pieces) override {
        std::size_t taken = 0;
        for (const Bytes piece : pieces) {
            const std::size_t n = std::min(piece.size(), ends_.room);
            ends_.from_router.insert(ends_.from_router.end(), piece.begin(),
                                     piece.begin() + static_cast<std::ptrdiff_t>(n));
            ends_.room -= n;
            taken += n;
        }
        return {taken == 0 ? os::IoStatus::would_block : os::IoStatus::ok, taken};
    }

    void want_writable() override { ends_.wants_room = true; }

    void pause_rx() override {}

    void resume_rx() override {}

    [[nodiscard]] os::Endpoint local() const override { return {net::IpAddress::v4(1), 179}; }

    [[nodiscard]] os::Endpoint remote() const override { return {net::IpAddress::v4(2), 179}; }

    void move_to(loops::Loop&) override {}

    os::SystemResult<void> set_ttl(std::uint8_t, std::uint8_t) override { return {}; }

    void abort_on_close() override {}

  private:
    Ends& ends_;
};

wire::OpenMessage open_of(std::uint32_t as, std::uint32_t id, std::uint16_t hold_time) {
    wire::OpenMessage open;
    open.as = AsNumber(as);
    open.router_id = RouterId(id);
    open.hold_time = hold_time;
    open.capabilities.present = true;
    open.capabilities.as4 = as;
    open.capabilities.multiprotocol = {wire::ipv4_unicast};
    open.capabilities.route_refresh = true;
    return open;
}

/// A router with one connection, and the neighbour on the other side of it.
class Scene final : public ConnectionOwner {
  public:
    Scene() : loop(*group_, domain_, "peer") {
        policy_.local_as = AsNumber(65000);
        policy_.remote_as = AsNumber(65001);
        policy_.families = {{wire::ipv4_unicast}};
        connection.emplace(*this, loop, Connection::Direction::incoming);
        const loops::LoopEntry entry(loop);
        connection->adopt(std::make_unique<ScriptedTcp>(ends));
    }

    ~Scene() {
        const loops::LoopEntry entry(loop);
        connection.reset();
    }

    void deliver(Bytes message) {
        const loops::LoopEntry entry(loop);
        ends.to_router.insert(ends.to_router.end(), message.begin(), message.end());
        if (ends.tcp != nullptr) ends.callbacks.readable(*ends.tcp, ends.callbacks.context);
    }

    void give_room(std::size_t room) {
        const loops::LoopEntry entry(loop);
        ends.room = room;
        ends.wants_room = false;
        if (ends.tcp != nullptr) ends.callbacks.writable(*ends.tcp, ends.callbacks.context);
    }

    void establish() {
        deliver(wire::encode_open(open_of(65001, 2, 90)));
        deliver(wire::encode_keepalive());
        REQUIRE(connection->state() == State::established);
        ends.from_router.clear();
    }

    /// The messages sent so far; they must be whole.
    std::vector<wire::MessageType> sent() {
        std::vector<wire::MessageType> types;
        Bytes rest(ends.from_router);
        while (!rest.empty()) {
            const auto frame = wire::frame(rest, wire::message_max_extended);
            REQUIRE(frame.has_value());
            REQUIRE(frame->complete);
            types.push_back(frame->type);
            last_body.assign(frame->body.begin(), frame->body.end());
            rest = rest.subspan(frame->length);
        }
        ends.from_router.clear();
        return types;
    }

    // ConnectionOwner
    wire::OpenMessage make_open(Connection&) override { return open_of(65000, 1, 90); }

    const NegotiationPolicy& policy() const override { return policy_; }

    bool open_accepted(Connection&) override { return accepts; }

    void established(Connection&) override { ++ups; }

    void ended(Connection&, const ConnectionEnd& how) override { end = how; }

    void update(Connection& from, Bytes) override {
        ++updates;
        if (update_error) from.fail_update(*update_error);
    }

    void refresh(Connection&, Bytes) override { ++refreshes; }

    void input_done() override {}

    void collect(std::vector<Bytes>& pieces, std::size_t) override {
        if (!stream.empty()) pieces.emplace_back(stream);
    }

    void consumed(std::size_t bytes, bool inside) override {
        CHECK(inside == (bytes != stream.size()));
        stream.erase(stream.begin(), stream.begin() + static_cast<std::ptrdiff_t>(bytes));
    }

    std::uint32_t startup_hold_time() const override { return 240; }

    void log_message(std::string_view, std::string_view) override {}

    locking::Domain<level::Control> main_domain{"main"};
    loops::SimRuntime sim{main_domain, 1};

  private:
    loops::ThreadGroup* group_ = &sim.runtime().add_group({.threads = 1});
    locking::Domain<level::Protocol> domain_{"peer"};
    NegotiationPolicy policy_;

  public:
    loops::Loop loop;
    ScriptedTcp::Ends ends;
    std::optional<Connection> connection;
    std::optional<ConnectionEnd> end;
    std::optional<wire::Notification> update_error;
    std::vector<std::uint8_t> stream;
    std::vector<std::uint8_t> last_body;
    bool accepts = true;
    int ups = 0;
    int updates = 0;
    int refreshes = 0;
};

std::vector<std::uint8_t> message(wire::MessageType type, std::size_t body) {
    std::vector<std::uint8_t> out(wire::header_length + body);
    wire::put_header(out, type);
    return out;
}

using wire::MessageType;

}  // namespace

// RFC 4271 section 8.2.2.
TEST_CASE("a connection becomes established by OPEN and KEEPALIVE") {
    Scene scene;
    CHECK(scene.sent() == std::vector{MessageType::open});
    CHECK(scene.connection->state() == State::open_sent);
    scene.deliver(wire::encode_open(open_of(65001, 2, 30)));
    CHECK(scene.sent() == std::vector{MessageType::keepalive});
    CHECK(scene.connection->state() == State::open_confirm);
    scene.deliver(wire::encode_keepalive());
    CHECK(scene.connection->state() == State::established);
    CHECK(scene.ups == 1);
    CHECK(scene.connection->parameters().hold_time == 30);
}

TEST_CASE("messages are understood however the stream is cut") {
    Scene scene;
    std::vector<std::uint8_t> input = wire::encode_open(open_of(65001, 2, 90));
    const std::vector<std::uint8_t> keepalive = wire::encode_keepalive();
    input.insert(input.end(), keepalive.begin(), keepalive.end());
    const std::vector<std::uint8_t> update = message(MessageType::update, 4);
    for (int i = 0; i < 3; ++i)
        input.insert(input.end(), update.begin(), update.end());
    for (const std::uint8_t octet : input)
        scene.deliver({&octet, 1});
    CHECK(scene.connection->state() == State::established);
    CHECK(scene.updates == 3);
}

// RFC 4271 section 6.2: the AS of the OPEN must be the one configured.
TEST_CASE("an OPEN of the wrong AS is answered by 2/2 and the end") {
    Scene scene;
    scene.sent();
    scene.deliver(wire::encode_open(open_of(64999, 2, 90)));
    CHECK(scene.sent() == std::vector{MessageType::notification});
    CHECK(scene.last_body[0] == 2);
    CHECK(scene.last_body[1] == wire::open_error::bad_peer_as);
    CHECK(scene.ends.closed_by_router);
    REQUIRE(scene.end);
    CHECK(scene.end->kind == ErrorClass::sent);
}

// RFC 4271 section 6.8.
TEST_CASE("a connection that loses a collision says 6/7") {
    Scene scene;
    scene.sent();
    scene.accepts = false;
    scene.deliver(wire::encode_open(open_of(65001, 2, 90)));
    CHECK(scene.sent() == std::vector{MessageType::notification});
    CHECK(scene.last_body[0] == 6);
    CHECK(scene.last_body[1] == wire::cease::collision);
    CHECK(scene.connection->state() == State::idle);
}

// RFC 4271 section 6.5.
TEST_CASE("silence for the hold time ends the session with 4/0") {
    Scene scene;
    scene.establish();
    scene.sim.run_for(loops::seconds(89));
    CHECK(scene.connection->state() == State::established);
    scene.sim.run_for(loops::seconds(2));
    CHECK(scene.connection->state() == State::idle);
    REQUIRE(scene.end);
    CHECK(scene.end->text == "Hold timer expired");
    CHECK(scene.end->was_established);
}

TEST_CASE("a keepalive that waits in the socket is heard before the hold timer counts") {
    Scene scene;
    scene.establish();
    scene.ends.to_router = wire::encode_keepalive();  // nobody was told yet
    scene.sim.run_for(loops::seconds(100));
    CHECK(scene.connection->state() == State::established);
}

// RFC 4271 section 10: the keepalive interval is jittered between 0.75 and 1.
TEST_CASE("keepalives go out at three quarters to the whole of a third of the hold time") {
    Scene scene;
    scene.establish();
    for (int i = 0; i < 8; ++i) {
        scene.sim.run_for(loops::seconds(30));
        scene.deliver(wire::encode_keepalive());
    }
    const std::size_t count = scene.sent().size();
    CHECK(count >= 8);
    CHECK(count <= 11);
}

// RFC 9687 section 3.
TEST_CASE("a neighbour that reads nothing is dropped after the send hold time") {
    Scene scene;
    scene.establish();
    scene.stream = message(MessageType::update, 4000);
    scene.give_room(100);
    CHECK(scene.ends.wants_room);
    for (int i = 0; i < 17; ++i) {
        scene.sim.run_for(loops::seconds(10));
        scene.deliver(wire::encode_keepalive());
    }
    CHECK(scene.connection->state() == State::established);
    for (int i = 0; i < 3; ++i) {
        scene.sim.run_for(loops::seconds(10));
        scene.deliver(wire::encode_keepalive());
    }
    CHECK(scene.connection->state() == State::idle);
    CHECK(scene.end->text == "Send hold timer expired");
}

TEST_CASE("a control message never goes into the middle of a half-written UPDATE") {
    Scene scene;
    scene.establish();
    scene.stream = message(MessageType::update, 200);
    scene.give_room(50);
    {
        const loops::LoopEntry entry(scene.loop);
        const auto refresh =
            wire::encode_route_refresh({wire::ipv4_unicast, wire::RefreshKind::request});
        scene.connection->send({refresh.begin(), refresh.end()});
    }
    scene.give_room(1000);
    CHECK(scene.sent() == std::vector{MessageType::update, MessageType::route_refresh});
}

TEST_CASE("an UPDATE that cannot be borne ends the session with its NOTIFICATION") {
    Scene scene;
    scene.establish();
    scene.update_error =
        wire::Notification{wire::ErrorCode::update, wire::update_error::malformed_attributes};
    const std::vector<std::uint8_t> update = message(MessageType::update, 4);
    std::vector<std::uint8_t> two(update);
    two.insert(two.end(), update.begin(), update.end());
    scene.deliver(two);
    CHECK(scene.updates == 1);
    CHECK(scene.sent() == std::vector{MessageType::notification});
    CHECK(scene.last_body[0] == 3);
    CHECK(scene.connection->state() == State::idle);
}

// RFC 4271 section 6.1.
TEST_CASE("a broken marker is answered by 1/1") {
    Scene scene;
    scene.establish();
    const std::vector<std::uint8_t> garbage(40, 0x55);
    scene.deliver(garbage);
    CHECK(scene.sent() == std::vector{MessageType::notification});
    CHECK(scene.last_body[0] == 1);
    CHECK(scene.last_body[1] == wire::header_error::not_synchronized);
}

TEST_CASE("the end of the stream is told as a closed connection") {
    Scene scene;
    scene.establish();
    scene.ends.closed_by_neighbour = true;
    scene.deliver({});
    REQUIRE(scene.end);
    CHECK(scene.end->kind == ErrorClass::socket);
    CHECK(scene.end->text == "Connection closed");
    CHECK(scene.end->was_established);
}

// RFC 9003 section 2.
TEST_CASE("the other operator's words come with the received Cease") {
    Scene scene;
    scene.establish();
    scene.deliver(
        wire::encode_notification({wire::ErrorCode::cease, wire::cease::administrative_shutdown,
                                   wire::shutdown_data("maintenance")}));
    REQUIRE(scene.end);
    CHECK(scene.end->kind == ErrorClass::received);
    CHECK(scene.end->text == "Administrative shutdown: \"maintenance\"");
    CHECK(scene.sent().empty());
}

}  // namespace tern::bgp
