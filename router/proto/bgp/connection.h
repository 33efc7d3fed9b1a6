#pragma once
/// One TCP connection with a neighbour, driven by the state machine table: framing, timers, OPEN
/// exchange, transmission. It knows no routes: UPDATEs go to its owner, and what the owner wants to
/// send (the streams of its export groups) it asks for when the socket takes more. Belongs to its
/// neighbour's loop. The owner destroys it only from outside of its callbacks. Source: RFC 4271
/// section 8, RFC 9687.

#include "loops/timer.h"
#include "router/os/network.h"
#include "router/proto/bgp/fsm.h"
#include "router/proto/bgp/negotiate.h"
#include "router/proto/bgp/wire/header.h"
#include "router/proto/bgp/wire/open.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tern::bgp {

class Connection;

/// Where a failure came from; the word in front of it in `show protocols`.
enum class ErrorClass : std::uint8_t { none, socket, sent, received, local, automatic };

struct ConnectionEnd {
    ErrorClass kind = ErrorClass::none;
    std::string text;
    std::uint8_t code = 0;  ///< of the NOTIFICATION sent or received
    std::uint8_t subcode = 0;
    bool was_established = false;
};

class ConnectionOwner {
  public:
    /// A TCP connection stands: its addresses are known, the OPEN can be made.
    [[nodiscard]] virtual wire::OpenMessage make_open(Connection& connection) = 0;
    [[nodiscard]] virtual const NegotiationPolicy& policy() const = 0;
    /// The neighbour's OPEN is acceptable; false if this connection loses a collision.
    [[nodiscard]] virtual bool open_accepted(Connection& connection) = 0;
    virtual void established(Connection& connection) = 0;
    virtual void ended(Connection& connection, const ConnectionEnd& end) = 0;
    virtual void update(Connection& connection, Bytes body) = 0;
    virtual void refresh(Connection& connection, Bytes body) = 0;
    /// No more input for now: what was gathered can be applied.
    virtual void input_done() = 0;
    /// Bytes of UPDATEs to be sent, in whole messages but for the rest of what was begun.
    virtual void collect(std::vector<Bytes>& pieces, std::size_t max) = 0;
    /// `inside`: the last piece was taken in part only; its rest is collected first next time.
    virtual void consumed(std::size_t bytes, bool inside) = 0;
    [[nodiscard]] virtual std::uint32_t startup_hold_time() const = 0;
    virtual void log_message(std::string_view direction, std::string_view text) = 0;

  protected:
    ~ConnectionOwner() = default;
};

class Connection {
  public:
    enum class Direction : std::uint8_t { outgoing, incoming };

    Connection(ConnectionOwner& owner, loops::Loop& loop, Direction direction);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    /// Begins to connect.
    void connect(os::Network& network, const os::ConnectOptions& options);
    /// Takes an accepted connection over.
    void adopt(std::unique_ptr<os::TcpConnection> tcp);
    /// Ends it with this message, if a message can be sent in its state.
    void stop(const wire::Notification& notification);
    void lose_collision();
    /// A bad UPDATE: RFC 7606 left no other way.
    void fail_update(const wire::Notification& notification);
    /// Queues a whole message (route refresh).
    void send(std::vector<std::uint8_t> message);
    /// Streams have bytes.
    void transmit();

    [[nodiscard]] State state() const { return state_; }

    [[nodiscard]] Direction direction() const { return direction_; }

    [[nodiscard]] os::TcpConnection* tcp() const { return tcp_.get(); }

    [[nodiscard]] const wire::OpenMessage& local_open() const { return local_open_; }

    [[nodiscard]] const wire::OpenMessage& remote_open() const { return remote_open_; }

    [[nodiscard]] const SessionParameters& parameters() const { return parameters_; }

    [[nodiscard]] loops::Duration hold_left() const { return hold_.remaining(); }

    [[nodiscard]] loops::Duration keepalive_left() const { return keepalive_.remaining(); }

    [[nodiscard]] loops::Duration send_hold_left() const { return send_hold_.remaining(); }

    [[nodiscard]] std::size_t control_pending() const;

  private:
    static constexpr std::size_t read_size = 64 * 1024;
    static constexpr unsigned reads_per_turn = 8;
    static constexpr std::size_t pieces_max = 32;

    static void on_connected(os::TcpConnection& tcp, void* self);
    static void on_readable(os::TcpConnection& tcp, void* self);
    static void on_writable(os::TcpConnection& tcp, void* self);
    static void on_failed(os::TcpConnection& tcp, const os::SystemError& error, void* self);

    void dispatch(Event event);
    void perform(Action action);
    void close(const ConnectionEnd& end);
    void receive();
    void make_room();
    /// False when the rest of the buffer is not to be looked at any more.
    bool take_messages();
    bool take_message(const wire::Frame& frame);
    void take_open(Bytes body);
    void take_notification(Bytes body);
    void fail(Event event, const wire::Notification& notification);
    void send_open();
    void send_notification(const wire::Notification& notification);
    bool write_control();
    bool write_streams();
    void progress();
    void hold_expired();
    void keepalive_expired();
    void send_hold_expired();
    [[nodiscard]] os::TcpCallbacks callbacks();

    ConnectionOwner& owner_;
    loops::Loop& loop_;
    Direction direction_;
    State state_ = State::idle;
    std::unique_ptr<os::TcpConnection> tcp_;
    std::unique_ptr<std::uint8_t[]> input_;  // only while something is read or waits for its rest
    std::size_t input_room_ = 0;
    std::size_t input_size_ = 0;
    std::deque<std::vector<std::uint8_t>> control_;
    std::size_t control_offset_ = 0;
    std::vector<Bytes> pieces_;
    bool writing_blocked_ = false;
    bool inside_stream_ = false;  // a piece of a stream was written in part
    wire::OpenMessage local_open_;
    wire::OpenMessage remote_open_;
    SessionParameters parameters_;
    wire::Notification notification_;  // what an event carries
    ConnectionEnd end_;
    std::size_t message_max_ = wire::message_max;
    loops::Timer hold_;
    loops::Timer keepalive_;
    loops::Timer send_hold_;
};

}  // namespace tern::bgp
