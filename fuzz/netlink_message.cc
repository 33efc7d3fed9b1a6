// Every decoder of netlink messages; what decodes as a route must encode and decode to the same.
#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/os/netlink_codec.h"

#include <vector>

namespace {

using namespace tern::os::netlink;

void check_route(const RouteMessage& route) {
    RouteMessage wanted = route;
    // Not ours to write: flags that only the kernel sets, and what names no route in a removal.
    if (wanted.removed || wanted.cloned || wanted.has_input_interface ||
        wanted.unknown_encapsulation || wanted.next_hop_object != 0 || wanted.table == 0) {
        return;
    }
    for (NextHop& hop : wanted.next_hops)
        hop.dead = false;
    std::vector<std::uint32_t> memory(16384);
    const tern::MutableBytes output(reinterpret_cast<std::uint8_t*>(memory.data()),
                                    memory.size() * 4);
    const std::size_t length = encode_route(output, wanted, 0, 1);
    if (length == 0) return;
    RouteMessage seen;
    const auto again = decode_route(output.first(length), seen);
    TERN_ASSERT(again.has_value(), "an encoded route must decode");
    TERN_ASSERT(seen.destination == wanted.destination && seen.table == wanted.table);
    TERN_ASSERT(seen.next_hops.size() == wanted.next_hops.size());
    TERN_ASSERT(seen.metrics == wanted.metrics);
}

}  // namespace

TERN_FUZZ(netlink_message, data, size) {
    tern::Bytes datagram(data, size);
    RouteMessage route;
    while (true) {
        const tern::Bytes message = next_message(datagram);
        if (message.empty()) return;
        if (decode_route(message, route)) check_route(route);
        const bool known =
            decode_link(message).has_value() || decode_address(message).has_value() ||
            decode_neighbor(message).has_value() || decode_error(message).has_value();
        static_cast<void>(known);
    }
}
