#include "router/net/net_type.h"

namespace tern::net {

namespace {

constexpr std::array<NetTypeInfo, net_type_count> types = {{
    {NetType::ip4, "ipv4", "ipv4", "NET_IP4", 32, true},
    {NetType::ip6, "ipv6", "ipv6", "NET_IP6", 128, true},
    {NetType::vpn4, "vpn4", "vpn4", "NET_VPN4", 32, true},
    {NetType::vpn6, "vpn6", "vpn6", "NET_VPN6", 128, true},
    {NetType::roa4, "roa4", "roa4", "NET_ROA4", 32, false},
    {NetType::roa6, "roa6", "roa6", "NET_ROA6", 128, false},
    {NetType::flow4, "flow4", "flow4", "NET_FLOW4", 32, false},
    {NetType::flow6, "flow6", "flow6", "NET_FLOW6", 128, false},
    {NetType::ip6_sadr, "ipv6 sadr", "ipv6 sadr", "NET_IP6_SADR", 128, true},
    {NetType::eth, "eth", "eth", "NET_ETH", 0, true},
    {NetType::mpls, "mpls", "mpls", "NET_MPLS", 0, true},
    {NetType::aspa, "aspa", "aspa", "NET_ASPA", 0, false},
    {NetType::evpn, "evpn", "evpn", "NET_EVPN", 0, true},
    {NetType::neighbor, "neighbor", "neighbors", "NET_NEIGHBOR", 0, false},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < types.size(); ++i) {
        if (static_cast<std::size_t>(types[i].type) != i) return false;
    }
    return true;
}

static_assert(in_order(), "info() indexes by type");

}  // namespace

const NetTypeInfo& info(NetType type) {
    return types[static_cast<std::size_t>(type)];
}

const std::array<NetTypeInfo, net_type_count>& all_net_types() {
    return types;
}

std::optional<NetType> net_type_by_words(std::string_view table_words) {
    for (const NetTypeInfo& row : types) {
        if (row.table_words == table_words) return row.type;
    }
    return std::nullopt;
}

}  // namespace tern::net
