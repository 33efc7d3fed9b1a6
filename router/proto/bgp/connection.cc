#include "router/proto/bgp/connection.h"

#include "loops/loop.h"
#include "router/proto/bgp/wire/notification.h"

#include <algorithm>
#include <cstring>

namespace tern::bgp {

Connection::Connection(ConnectionOwner& owner, loops::Loop& loop, Direction direction)
    : owner_(owner),
      loop_(loop),
      direction_(direction),
      hold_(loop, loops::callback<&Connection::hold_expired>(*this)),
      keepalive_(loop, loops::callback<&Connection::keepalive_expired>(*this)),
      send_hold_(loop, loops::callback<&Connection::send_hold_expired>(*this)) {}

Connection::~Connection() = default;

os::TcpCallbacks Connection::callbacks() {
    return {on_connected, on_readable, on_writable, on_failed, this};
}

void Connection::connect(os::Network& network, const os::ConnectOptions& options) {
    state_ = State::connect;
    auto tcp = network.connect(loop_, options, callbacks());
    if (!tcp) {
        end_ = {ErrorClass::socket, std::strerror(tcp.error().number)};
        state_ = State::active;
        close(end_);
        return;
    }
    tcp_ = std::move(*tcp);
}

void Connection::adopt(std::unique_ptr<os::TcpConnection> tcp) {
    state_ = State::active;
    tcp_ = std::move(tcp);
    tcp_->set_callbacks(callbacks());
    dispatch(Event::connected);
}

void Connection::stop(const wire::Notification& notification) {
    notification_ = notification;
    end_ = {ErrorClass::none, {}};
    dispatch(Event::stop);
}

void Connection::lose_collision() {
    fail(Event::collision_lost, {wire::ErrorCode::cease, wire::cease::collision});
}

void Connection::fail_update(const wire::Notification& notification) {
    fail(Event::update_bad, notification);
}

void Connection::fail(Event event, const wire::Notification& notification) {
    notification_ = notification;
    const auto code = static_cast<std::uint8_t>(notification.code);
    end_ = {ErrorClass::sent, wire::error_text(code, notification.subcode), code,
            notification.subcode};
    dispatch(event);
}

void Connection::dispatch(Event event) {
    const Transition next = transition(state_, event);
    const bool was_established = state_ == State::established;
    if (event == Event::hold_expires) end_ = {ErrorClass::sent, wire::error_text(4, 0), 4, 0};
    if (event == Event::send_hold_expires) end_ = {ErrorClass::sent, wire::error_text(8, 0), 8, 0};
    if ((next.actions & send_state_error) != 0) {
        notification_ = {wire::ErrorCode::state_machine,
                         static_cast<std::uint8_t>(
                             state_ == State::open_sent      ? wire::state_error::open_sent
                             : state_ == State::open_confirm ? wire::state_error::open_confirm
                                                             : wire::state_error::established)};
        end_ = {ErrorClass::sent, wire::error_text(5, notification_.subcode), 5,
                notification_.subcode};
    }
    state_ = next.next;
    const bool ends = (next.actions & bgp::close) != 0;
    for (Actions left = next.actions; left != 0 && !ends; left &= left - 1) {
        perform(static_cast<Action>(left & (~left + 1)));
    }
    if (!ends) return;
    if ((next.actions & (bgp::send_notification | send_state_error)) != 0) {
        send_notification(notification_);
    } else if ((next.actions & send_hold_error) != 0) {
        send_notification({wire::ErrorCode::hold_timer_expired, 0});
    }
    end_.was_established = was_established;
    close(end_);
}

/// What does not end the connection.
void Connection::perform(Action action) {
    const auto start = [](loops::Timer& timer, std::uint32_t seconds) {
        seconds == 0 ? timer.stop() : timer.in(loops::seconds(seconds));
    };
    // RFC 4271 section 10: 0.75 to 1 of the time, at random.
    const auto start_jittered = [&](loops::Timer& timer, std::uint32_t seconds) {
        const loops::Duration quarter = loops::seconds(seconds) / 4;
        const auto off = static_cast<std::int64_t>(loop_.random() % 1024);
        seconds == 0 ? timer.stop() : timer.in(loops::seconds(seconds) - quarter * off / 1024);
    };
    switch (action) {
        case bgp::send_open:
            send_open();
            return;
        case start_hold_large:
            start(hold_, owner_.startup_hold_time());
            return;
        case send_keepalive:
            send(wire::encode_keepalive());
            return;
        case start_keepalive:
            start_jittered(keepalive_, parameters_.keepalive_time);
            return;
        case start_hold:
            start(hold_, parameters_.hold_time);
            return;
        case session_up:
            owner_.established(*this);
            return;
        default:
            return;  // what ends the connection, and what the caller of dispatch does
    }
}

/// Drops the socket and tells the owner; nothing of this connection runs afterwards.
void Connection::close(const ConnectionEnd& end) {
    hold_.stop();
    keepalive_.stop();
    send_hold_.stop();
    tcp_.reset();
    state_ = State::idle;
    const ConnectionEnd copy = end;
    owner_.ended(*this, copy);
}

void Connection::on_connected(os::TcpConnection&, void* context) {
    static_cast<Connection*>(context)->dispatch(Event::connected);
}

void Connection::on_readable(os::TcpConnection&, void* context) {
    static_cast<Connection*>(context)->receive();
}

void Connection::on_writable(os::TcpConnection&, void* context) {
    auto& self = *static_cast<Connection*>(context);
    self.writing_blocked_ = false;
    self.transmit();
}

void Connection::on_failed(os::TcpConnection&, const os::SystemError& error, void* context) {
    auto& self = *static_cast<Connection*>(context);
    self.end_ = {ErrorClass::socket, std::strerror(error.number)};
    const bool was_established = self.state_ == State::established;
    self.dispatch(Event::connection_failed);
    if (self.tcp_ == nullptr) return;
    self.end_.was_established = was_established;
    self.close(self.end_);
}

void Connection::receive() {
    make_room();
    for (unsigned i = 0; i < reads_per_turn && tcp_ != nullptr; ++i) {
        const os::IoResult got =
            tcp_->read({input_.get() + input_size_, input_room_ - input_size_});
        if (got.status == os::IoStatus::would_block) break;
        if (got.status != os::IoStatus::ok) {
            owner_.input_done();
            end_ = {ErrorClass::socket, got.status == os::IoStatus::end
                                            ? std::string("Connection closed")
                                            : std::string(std::strerror(got.error))};
            const bool was_established = state_ == State::established;
            dispatch(Event::connection_failed);
            if (tcp_ == nullptr) return;
            end_.was_established = was_established;
            close(end_);
            return;
        }
        input_size_ += got.bytes;
        if (!take_messages()) return;
        if (got.bytes < read_size) break;
    }
    if (tcp_ == nullptr) return;
    if (input_size_ == 0) input_.reset();
    owner_.input_done();
}

/// Room for one read behind the longest message that may wait for its rest.
void Connection::make_room() {
    const std::size_t room = read_size + message_max_;
    if (input_ != nullptr && input_room_ >= room) return;
    auto larger = std::make_unique_for_overwrite<std::uint8_t[]>(room);
    if (input_size_ != 0) std::memcpy(larger.get(), input_.get(), input_size_);
    input_ = std::move(larger);
    input_room_ = room;
}

bool Connection::take_messages() {
    std::size_t at = 0;
    while (tcp_ != nullptr) {
        const auto framed = wire::frame(Bytes(input_.get() + at, input_size_ - at), message_max_);
        if (!framed) {
            owner_.input_done();
            fail(Event::header_bad, framed.error());
            return false;
        }
        if (!framed->complete) break;
        if (!take_message(*framed)) return false;
        at += framed->length;
    }
    if (tcp_ == nullptr) return false;
    if (at != 0) std::memmove(input_.get(), input_.get() + at, input_size_ - at);
    input_size_ -= at;
    return true;
}

bool Connection::take_message(const wire::Frame& frame) {
    switch (frame.type) {
        case wire::MessageType::open:
            take_open(frame.body);
            break;
        case wire::MessageType::keepalive:
            dispatch(Event::keepalive_received);
            break;
        case wire::MessageType::notification:
            take_notification(frame.body);
            break;
        case wire::MessageType::update:
            dispatch(Event::update_received);
            if (state_ == State::established) owner_.update(*this, frame.body);
            break;
        case wire::MessageType::route_refresh:
            dispatch(Event::refresh_received);
            if (state_ == State::established) owner_.refresh(*this, frame.body);
            break;
    }
    return tcp_ != nullptr;
}

void Connection::take_open(Bytes body) {
    if (state_ != State::open_sent) {
        dispatch(Event::open_received);
        return;
    }
    auto open = wire::decode_open(body);
    if (!open) {
        fail(Event::open_bad, open.error());
        return;
    }
    remote_open_ = std::move(*open);
    auto agreed = negotiate(owner_.policy(), local_open_, remote_open_);
    if (!agreed) {
        fail(Event::open_bad, agreed.error());
        return;
    }
    parameters_ = std::move(*agreed);
    if (!owner_.open_accepted(*this)) {
        lose_collision();
        return;
    }
    message_max_ = parameters_.message_max;
    dispatch(Event::open_received);
}

void Connection::take_notification(Bytes body) {
    owner_.input_done();
    const auto view = wire::decode_notification(body);
    if (!view) {
        end_ = {ErrorClass::received, "Malformed notification"};
        dispatch(Event::notification);
        return;
    }
    std::string text = wire::error_text(view->code, view->subcode);
    if (const std::string said = wire::shutdown_text(*view); !said.empty()) {
        text += ": \"" + said + "\"";
    }
    owner_.log_message("Received", text);
    end_ = {ErrorClass::received, text, view->code, view->subcode};
    const bool version = view->code == 2 && view->subcode == wire::open_error::unsupported_version;
    dispatch(version ? Event::notification_version : Event::notification);
}

void Connection::send_open() {
    local_open_ = owner_.make_open(*this);
    send(wire::encode_open(local_open_));
}

void Connection::send_notification(const wire::Notification& notification) {
    if (tcp_ == nullptr) return;
    const auto code = static_cast<std::uint8_t>(notification.code);
    owner_.log_message("Sending", wire::error_text(code, notification.subcode));
    // It could not be told apart from the rest of what was begun.
    if (inside_stream_ || control_offset_ != 0) return;
    const std::vector<std::uint8_t> message = wire::encode_notification(notification);
    const Bytes piece(message);
    (void)tcp_->write({&piece, 1});
}

void Connection::send(std::vector<std::uint8_t> message) {
    control_.push_back(std::move(message));
    transmit();
}

std::size_t Connection::control_pending() const {
    std::size_t bytes = 0;
    for (const auto& each : control_)
        bytes += each.size();
    return bytes - control_offset_;
}

/// Control messages go first, but never into the middle of a stream's message.
void Connection::transmit() {
    while (tcp_ != nullptr && !writing_blocked_) {
        if (!control_.empty() && !inside_stream_) {
            if (!write_control()) return;
        } else if (!write_streams()) {
            return;
        }
    }
}

/// Anything written shows that the neighbour reads (RFC 9687).
void Connection::progress() {
    const std::uint32_t limit = parameters_.send_hold_time;
    if (state_ == State::established && limit != 0) send_hold_.in(loops::seconds(limit));
}

bool Connection::write_control() {
    const std::vector<std::uint8_t>& message = control_.front();
    const Bytes piece = Bytes(message).subspan(control_offset_);
    const os::IoResult put = tcp_->write({&piece, 1});
    if (put.status == os::IoStatus::failed) return false;  // `failed` will be called
    if (put.bytes != 0) progress();
    control_offset_ += put.bytes;
    if (control_offset_ == message.size()) {
        control_.pop_front();
        control_offset_ = 0;
        return true;
    }
    writing_blocked_ = true;
    tcp_->want_writable();
    return false;
}

namespace {

bool ends_with_piece(std::span<const Bytes> pieces, std::size_t bytes) {
    for (const Bytes piece : pieces) {
        if (bytes < piece.size()) break;
        bytes -= piece.size();
    }
    return bytes == 0;
}

}  // namespace

bool Connection::write_streams() {
    if (state_ != State::established) return false;
    pieces_.clear();
    owner_.collect(pieces_, control_.empty() ? pieces_max : 1);
    if (pieces_.empty()) return false;
    std::size_t offered = 0;
    for (const Bytes piece : pieces_)
        offered += piece.size();
    const os::IoResult put = tcp_->write(pieces_);
    if (put.status == os::IoStatus::failed) return false;
    if (put.bytes != 0) {
        progress();
        inside_stream_ = !ends_with_piece(pieces_, put.bytes);
        owner_.consumed(put.bytes, inside_stream_);
    }
    if (put.bytes == offered) return true;
    writing_blocked_ = true;
    tcp_->want_writable();
    return false;
}

/// What waits in the socket was sent in time: a busy thread is no reason to end a session.
void Connection::hold_expired() {
    receive();
    if (tcp_ == nullptr || hold_.active()) return;
    dispatch(Event::hold_expires);
}

void Connection::keepalive_expired() {
    dispatch(Event::keepalive_expires);
}

/// Expiry without anything waiting to be written is only a quiet time.
void Connection::send_hold_expired() {
    if (!writing_blocked_) {
        progress();
        return;
    }
    dispatch(Event::send_hold_expires);
}

}  // namespace tern::bgp
