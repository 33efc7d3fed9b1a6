#include "router/proto/bgp/wire/notification.h"

#include "router/proto/bgp/wire/header.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern::bgp::wire {

namespace {

struct ErrorRow {
    std::uint8_t code;
    std::uint8_t subcode;
    std::string_view text;
};

constexpr std::array error_table{
    ErrorRow{1, 0, "Invalid message header"},
    ErrorRow{1, 1, "Connection not synchronized"},
    ErrorRow{1, 2, "Bad message length"},
    ErrorRow{1, 3, "Bad message type"},
    ErrorRow{2, 0, "Invalid OPEN message"},
    ErrorRow{2, 1, "Unsupported version number"},
    ErrorRow{2, 2, "Bad peer AS"},
    ErrorRow{2, 3, "Bad BGP identifier"},
    ErrorRow{2, 4, "Unsupported optional parameter"},
    ErrorRow{2, 5, "Authentication failure"},
    ErrorRow{2, 6, "Unacceptable hold time"},
    ErrorRow{2, 7, "Required capability missing"},
    ErrorRow{2, 8, "No supported AFI/SAFI"},
    ErrorRow{2, 11, "Role mismatch"},
    ErrorRow{3, 0, "Invalid UPDATE message"},
    ErrorRow{3, 1, "Malformed attribute list"},
    ErrorRow{3, 2, "Unrecognized well-known attribute"},
    ErrorRow{3, 3, "Missing mandatory attribute"},
    ErrorRow{3, 4, "Invalid attribute flags"},
    ErrorRow{3, 5, "Invalid attribute length"},
    ErrorRow{3, 6, "Invalid ORIGIN attribute"},
    ErrorRow{3, 7, "AS routing loop"},
    ErrorRow{3, 8, "Invalid NEXT_HOP attribute"},
    ErrorRow{3, 9, "Optional attribute error"},
    ErrorRow{3, 10, "Invalid network field"},
    ErrorRow{3, 11, "Malformed AS_PATH"},
    ErrorRow{4, 0, "Hold timer expired"},
    ErrorRow{5, 0, "Finite state machine error"},
    ErrorRow{5, 1, "Unexpected message in OpenSent state"},
    ErrorRow{5, 2, "Unexpected message in OpenConfirm state"},
    ErrorRow{5, 3, "Unexpected message in Established state"},
    ErrorRow{6, 0, "Cease"},
    ErrorRow{6, 1, "Maximum number of prefixes reached"},
    ErrorRow{6, 2, "Administrative shutdown"},
    ErrorRow{6, 3, "Peer de-configured"},
    ErrorRow{6, 4, "Administrative reset"},
    ErrorRow{6, 5, "Connection rejected"},
    ErrorRow{6, 6, "Other configuration change"},
    ErrorRow{6, 7, "Connection collision resolution"},
    ErrorRow{6, 8, "Out of Resources"},
    ErrorRow{7, 0, "Invalid ROUTE-REFRESH message"},
    ErrorRow{7, 1, "Invalid ROUTE-REFRESH message length"},
    ErrorRow{8, 0, "Send hold timer expired"},
};

constexpr std::size_t shutdown_text_max = 255;  // RFC 9003 section 2: one length octet.

}  // namespace

std::string error_text(std::uint8_t code, std::uint8_t subcode) {
    for (const ErrorRow& row : error_table) {
        if (row.code == code && row.subcode == subcode) return std::string(row.text);
    }
    return fmt::format("Unknown error {}.{}", code, subcode);
}

bool is_capability_error(std::uint8_t code, std::uint8_t subcode) {
    if (code != static_cast<std::uint8_t>(ErrorCode::open)) return false;
    return subcode == open_error::unsupported_parameter ||
           subcode == open_error::missing_capability;
}

Result<NotificationView, Notification> decode_notification(Bytes body) {
    if (body.size() < 2) {
        // RFC 4271 section 6.4 gives no way to report this but locally; the header check names it.
        return fail_with(bad_message_length(body.size() + header_length));
    }
    return NotificationView{body[0], body[1], body.subspan(2)};
}

std::vector<std::uint8_t> encode_notification(const Notification& notification) {
    const std::size_t data_max = message_max - header_length - 2;
    const std::size_t data_length = std::min(notification.data.size(), data_max);
    const std::size_t length = header_length + 2 + data_length;
    std::vector<std::uint8_t> out(length);
    put_header(out, MessageType::notification);
    out[header_length] = static_cast<std::uint8_t>(notification.code);
    out[header_length + 1] = notification.subcode;
    std::copy_n(notification.data.begin(), data_length, out.begin() + header_length + 2);
    return out;
}

std::vector<std::uint8_t> shutdown_data(std::string_view text) {
    if (text.empty()) return {};
    std::size_t length = std::min(text.size(), shutdown_text_max);
    // A cut must not split a UTF-8 sequence: step back over continuation bytes.
    while (length < text.size() && length > 0 && (text[length] & 0xc0) == 0x80)
        --length;
    std::vector<std::uint8_t> out;
    out.reserve(length + 1);
    out.push_back(static_cast<std::uint8_t>(length));
    for (char c : text.substr(0, length))
        out.push_back(static_cast<std::uint8_t>(c));
    return out;
}

std::string shutdown_text(const NotificationView& notification) {
    if (notification.code != static_cast<std::uint8_t>(ErrorCode::cease)) return {};
    if (notification.subcode != cease::administrative_shutdown &&
        notification.subcode != cease::administrative_reset) {
        return {};
    }
    if (notification.data.empty()) return {};
    const std::size_t length = notification.data[0];
    if (length == 0 || length + 1 > notification.data.size()) return {};
    std::string out;
    out.reserve(length);
    for (std::uint8_t c : notification.data.subspan(1, length)) {
        out.push_back(c < 0x20 || c == 0x7f ? ' ' : static_cast<char>(c));
    }
    return out;
}

}  // namespace tern::bgp::wire
