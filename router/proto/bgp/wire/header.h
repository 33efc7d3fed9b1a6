#pragma once

/// The 19 bytes in front of every BGP message: marker, length, type.
/// Splits a byte stream into messages without copying; the session owns the buffer and calls
/// `frame` until it says that more bytes are needed. Never reads past the span it is given.
/// Source: RFC 4271 section 4.1 and 6.1, RFC 8654.

#include "router/base/bytes.h"
#include "router/base/result.h"
#include "router/proto/bgp/wire/notification.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tern::bgp::wire {

enum class MessageType : std::uint8_t {
    open = 1,
    update = 2,
    notification = 3,
    keepalive = 4,
    route_refresh = 5,
};

inline constexpr std::size_t header_length = 19;
inline constexpr std::size_t message_max = 4096;            ///< RFC 4271 section 4.1
inline constexpr std::size_t message_max_extended = 65535;  ///< RFC 8654 section 2

/// One message at the start of a buffer, or the need for more bytes (`complete` false).
struct Frame {
    bool complete = false;
    MessageType type = MessageType::keepalive;
    Bytes body = {};         ///< without the header; borrowed from the buffer
    std::size_t length = 0;  ///< bytes to consume, header included
};

/// Looks at the start of `buffer`. `length_max` is message_max or message_max_extended; OPEN and
/// KEEPALIVE are bound to 4096 in any case (RFC 8654 section 4). Errors are those of RFC 4271
/// section 6.1: 1/1, 1/2 (data: the erroneous length), 1/3 (data: the erroneous type).
[[nodiscard]] Result<Frame, Notification> frame(Bytes buffer, std::size_t length_max);

/// Writes marker, the span's own size as length, and type. `message` holds the whole message.
void put_header(MutableBytes message, MessageType type);

/// The 1/2 error that quotes an erroneous length.
[[nodiscard]] Notification bad_message_length(std::size_t length);

[[nodiscard]] std::vector<std::uint8_t> encode_keepalive();

}  // namespace tern::bgp::wire
