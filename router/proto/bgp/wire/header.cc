#include "router/proto/bgp/wire/header.h"

#include <algorithm>

namespace tern::bgp::wire {

namespace {

constexpr std::size_t marker_length = 16;

/// Least length of each type (RFC 4271 section 6.1); 0 for a type that does not exist.
std::size_t least_length(std::uint8_t type) {
    switch (static_cast<MessageType>(type)) {
        case MessageType::open:
            return header_length + 10;
        case MessageType::update:
            return header_length + 4;
        case MessageType::notification:
            return header_length + 2;
        case MessageType::keepalive:
            return header_length;
        // RFC 7313 section 5: a wrong length is answered by 7/1, which its decoder does.
        case MessageType::route_refresh:
            return header_length;
    }
    return 0;
}

bool bound_to_4096(MessageType type) {
    return type == MessageType::open || type == MessageType::keepalive;
}

}  // namespace

Result<Frame, Notification> frame(Bytes buffer, std::size_t length_max) {
    // A wrong marker is reported as soon as it is seen: what follows could be anything.
    const std::size_t marker_seen = std::min(buffer.size(), marker_length);
    for (std::size_t i = 0; i < marker_seen; ++i) {
        if (buffer[i] != 0xff) {
            return fail_with(Notification{ErrorCode::header, header_error::not_synchronized});
        }
    }
    if (buffer.size() < header_length) return Frame{};
    const std::size_t length = static_cast<std::size_t>(buffer[16]) << 8 | buffer[17];
    const std::uint8_t type = buffer[18];
    if (length < header_length || length > length_max) return fail_with(bad_message_length(length));
    const std::size_t least = least_length(type);
    if (least == 0)
        return fail_with(Notification{ErrorCode::header, header_error::bad_type, {type}});
    const MessageType known = static_cast<MessageType>(type);
    if (length < least) return fail_with(bad_message_length(length));
    if (known == MessageType::keepalive && length != header_length) {
        return fail_with(bad_message_length(length));
    }
    if (bound_to_4096(known) && length > message_max) return fail_with(bad_message_length(length));
    if (buffer.size() < length) return Frame{};
    return Frame{true, known, buffer.subspan(header_length, length - header_length), length};
}

void put_header(MutableBytes message, MessageType type) {
    std::fill_n(message.begin(), marker_length, std::uint8_t{0xff});
    message[16] = static_cast<std::uint8_t>(message.size() >> 8);
    message[17] = static_cast<std::uint8_t>(message.size());
    message[18] = static_cast<std::uint8_t>(type);
}

Notification bad_message_length(std::size_t length) {
    return Notification{
        ErrorCode::header,
        header_error::bad_length,
        {static_cast<std::uint8_t>(length >> 8), static_cast<std::uint8_t>(length)}};
}

std::vector<std::uint8_t> encode_keepalive() {
    std::vector<std::uint8_t> out(header_length);
    put_header(out, MessageType::keepalive);
    return out;
}

}  // namespace tern::bgp::wire
