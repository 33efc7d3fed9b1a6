#include "router/proto/bgp/wire/route_refresh.h"

#include <algorithm>

namespace tern::bgp::wire {

Result<RouteRefresh, Notification> decode_route_refresh(Bytes body, bool enhanced) {
    Reader reader(body);
    const std::uint16_t afi = reader.u16();
    const std::uint8_t kind = reader.u8();
    const RouteRefresh refresh{{afi, reader.u8()}, static_cast<RefreshKind>(kind)};
    if (reader.complete()) return refresh;
    // RFC 5291 filters (longer requests) were never announced, so no length but four is right.
    if (!enhanced) return fail_with(bad_message_length(body.size() + header_length));
    if (refresh.kind != RefreshKind::begin && refresh.kind != RefreshKind::end) {
        return fail_with(bad_message_length(body.size() + header_length));
    }
    // RFC 7313 section 5: the data field contains the complete ROUTE-REFRESH message.
    Notification error{ErrorCode::route_refresh, 1, {}};
    error.data.resize(header_length + body.size());
    put_header(error.data, MessageType::route_refresh);
    std::copy(body.begin(), body.end(), error.data.begin() + header_length);
    return fail_with(std::move(error));
}

std::array<std::uint8_t, header_length + 4> encode_route_refresh(RouteRefresh refresh) {
    std::array<std::uint8_t, header_length + 4> out{};
    put_header(out, MessageType::route_refresh);
    Writer writer(MutableBytes(out).subspan(header_length));
    writer.u16(refresh.family.afi);
    writer.u8(static_cast<std::uint8_t>(refresh.kind));
    writer.u8(refresh.family.safi);
    return out;
}

}  // namespace tern::bgp::wire
