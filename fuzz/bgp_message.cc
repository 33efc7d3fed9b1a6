/// Whole BGP messages: framing, then the decoder of the type found.
/// The first octet chooses the session's rules.

#include "fuzz/fuzz_target.h"
#include "router/proto/bgp/wire/header.h"
#include "router/proto/bgp/wire/notification.h"
#include "router/proto/bgp/wire/open.h"
#include "router/proto/bgp/wire/route_refresh.h"
#include "router/proto/bgp/wire/update.h"

#include <array>

namespace {

using namespace tern::bgp::wire;

void decode(const Frame& found, const UpdateRules& rules) {
    DecodedUpdate update;
    switch (found.type) {
        case MessageType::open:
            if (const auto open = decode_open(found.body)) {
                (void)decode_open(tern::Bytes(encode_open(*open)).subspan(header_length));
            }
            break;
        case MessageType::update:
            decode_update(found.body, rules, update);
            break;
        case MessageType::notification:
            if (const auto view = decode_notification(found.body)) (void)shutdown_text(*view);
            break;
        case MessageType::route_refresh:
            (void)decode_route_refresh(found.body, true);
            break;
        case MessageType::keepalive:
            break;
    }
}

}  // namespace

TERN_FUZZ(bgp_message, data, size) {
    if (size < 1) return;
    const bool ids = (data[0] & 1) != 0;
    const std::array families{FamilyRules{ipv4_unicast, ids, true},
                              FamilyRules{ipv6_unicast, ids, false}};
    UpdateRules rules{{}, families};
    rules.attributes.as4 = (data[0] & 2) == 0;
    rules.attributes.interior = (data[0] & 4) != 0;
    tern::Bytes rest(data + 1, size - 1);
    while (const auto found = frame(rest, message_max_extended)) {
        if (!found->complete) return;
        decode(*found, rules);
        rest = rest.subspan(found->length);
    }
}
