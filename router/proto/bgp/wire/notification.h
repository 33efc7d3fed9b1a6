#pragma once

/// NOTIFICATION messages: codes, texts and the shutdown communication.
/// `Notification` is also the error type of every decoder here: what a peer did wrong is expressed
/// as the message to send back before the session is closed.
/// Pure values; never logs, never sends. Bytes of a received message are borrowed by
/// `NotificationView` until the caller's buffer changes.
/// Source: RFC 4271 section 4.5 and 6, RFC 4486, RFC 9003, RFC 9687, RFC 7313, RFC 9234.

#include "router/base/bytes.h"
#include "router/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tern::bgp::wire {

enum class ErrorCode : std::uint8_t {
    header = 1,
    open = 2,
    update = 3,
    hold_timer_expired = 4,
    state_machine = 5,
    cease = 6,
    route_refresh = 7,
    send_hold_timer_expired = 8,
};

namespace header_error {
inline constexpr std::uint8_t not_synchronized = 1, bad_length = 2, bad_type = 3;
}

namespace open_error {
inline constexpr std::uint8_t unspecific = 0, unsupported_version = 1, bad_peer_as = 2,
                              bad_identifier = 3, unsupported_parameter = 4,
                              unacceptable_hold_time = 6, missing_capability = 7, no_family = 8,
                              role_mismatch = 11;
}

namespace update_error {
inline constexpr std::uint8_t malformed_attributes = 1, unrecognized_well_known = 2,
                              missing_well_known = 3, attribute_flags = 4, attribute_length = 5,
                              invalid_origin = 6, invalid_next_hop = 8, optional_attribute = 9,
                              invalid_network = 10, malformed_as_path = 11;
}

namespace state_error {
inline constexpr std::uint8_t open_sent = 1, open_confirm = 2, established = 3;
}

namespace cease {
inline constexpr std::uint8_t maximum_prefixes = 1, administrative_shutdown = 2, deconfigured = 3,
                              administrative_reset = 4, rejected = 5, configuration_change = 6,
                              collision = 7, out_of_resources = 8, hard_reset = 9;
}

/// A NOTIFICATION to be sent; the data are copied since they outlive the message they quote.
struct Notification {
    ErrorCode code = ErrorCode::cease;
    std::uint8_t subcode = 0;
    std::vector<std::uint8_t> data = {};

    friend bool operator==(const Notification&, const Notification&) = default;
};

/// A received NOTIFICATION. The code may be one we do not know.
struct NotificationView {
    std::uint8_t code = 0;
    std::uint8_t subcode = 0;
    Bytes data = {};
};

/// Text of `Last error:` and the log, e.g. "Hold timer expired"; "Unknown error 9.3" otherwise.
[[nodiscard]] std::string error_text(std::uint8_t code, std::uint8_t subcode);

/// Whether the code speaks of capabilities or optional parameters, so that a peer too old for
/// them may be tried again without (RFC 5492 section 3).
[[nodiscard]] bool is_capability_error(std::uint8_t code, std::uint8_t subcode);

/// `body` is the message without its 19-byte header.
[[nodiscard]] Result<NotificationView, Notification> decode_notification(Bytes body);

/// The whole message with header. Data that would not fit into 4096 bytes are cut.
[[nodiscard]] std::vector<std::uint8_t> encode_notification(const Notification& notification);

/// Data of a Cease 6/2 or 6/4 that carries `text` to the other operator (RFC 9003 section 2); at
/// most 255 bytes, cut at a UTF-8 boundary. An empty text gives no data.
[[nodiscard]] std::vector<std::uint8_t> shutdown_data(std::string_view text);

/// The operator's text of a Cease 6/2 or 6/4, with control characters replaced by a space; empty
/// if there is none or its length octet does not fit the data.
[[nodiscard]] std::string shutdown_text(const NotificationView& notification);

}  // namespace tern::bgp::wire
