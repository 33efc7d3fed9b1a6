#pragma once

/// ROUTE-REFRESH messages: the request and the two marks around its answer.
/// One message of four octets; the subtype octet is the reserved one of RFC 2918. Pure: what to do
/// on each (and in which order) is the channel's matter.
/// Source: RFC 2918 section 3, RFC 7313 section 3.2 and 5.

#include "router/base/bytes.h"
#include "router/base/result.h"
#include "router/proto/bgp/wire/family.h"
#include "router/proto/bgp/wire/header.h"
#include "router/proto/bgp/wire/notification.h"

#include <array>
#include <cstdint>

namespace tern::bgp::wire {

enum class RefreshKind : std::uint8_t { request = 0, begin = 1, end = 2 };

struct RouteRefresh {
    Family family;
    /// Other values than the enumerators are to be ignored (RFC 7313 section 5).
    RefreshKind kind = RefreshKind::request;

    friend bool operator==(const RouteRefresh&, const RouteRefresh&) = default;

    [[nodiscard]] bool known() const { return kind <= RefreshKind::end; }
};

/// `body` is the message without header. The error is 7/1 with the message as data, only for
/// speakers with enhanced refresh; RFC 2918 has none, and a wrong length is then 1/2.
[[nodiscard]] Result<RouteRefresh, Notification> decode_route_refresh(Bytes body, bool enhanced);

[[nodiscard]] std::array<std::uint8_t, header_length + 4> encode_route_refresh(
    RouteRefresh refresh);

}  // namespace tern::bgp::wire
