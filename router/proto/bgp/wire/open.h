#pragma once

/// OPEN messages, with both forms of optional parameters.
/// Decoding checks form only (version, lengths, known parameters); whether the values suit the
/// session is for negotiate.h. Pure; used by sessions, BMP and tests alike.
/// Source: RFC 4271 section 4.2 and 6.2, RFC 5492, RFC 6286, RFC 6793, RFC 9072.

#include "router/base/bytes.h"
#include "router/base/result.h"
#include "router/base/strong.h"
#include "router/proto/bgp/wire/capability.h"
#include "router/proto/bgp/wire/notification.h"

#include <cstdint>
#include <vector>

namespace tern::bgp::wire {

/// Stands in the two-octet field for an AS that does not fit (RFC 6793 section 9).
inline constexpr std::uint16_t as_trans = 23456;

struct OpenMessage {
    /// The speaker's AS: of the 4-octet capability when present, else of the two-octet field.
    AsNumber as = {};
    std::uint16_t hold_time = 0;  ///< seconds; 0 or at least 3 to be acceptable
    RouterId router_id = {};
    Capabilities capabilities = {};

    friend bool operator==(const OpenMessage&, const OpenMessage&) = default;
};

/// `body` is the message without header. Errors: 2/1 (data: our version), 2/4 for an unknown
/// optional parameter, 2/0 for one whose length does not fit or a malformed capability.
[[nodiscard]] Result<OpenMessage, Notification> decode_open(Bytes body);

/// The whole message. Without capabilities at all (`present` false) no parameter is sent. The
/// extended parameter form of RFC 9072 is used when they do not fit 255 octets.
[[nodiscard]] std::vector<std::uint8_t> encode_open(const OpenMessage& open);

}  // namespace tern::bgp::wire
