#pragma once

/// Kinds of network keys a table can have, with their names in configuration and filters.
/// The order is that of the filter constants NET_*, so the numeric values are visible to users.
/// Constants and pure functions; no owner, no domain, never extended at run time.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tern::net {

enum class NetType : std::uint8_t {
    ip4,
    ip6,
    vpn4,
    vpn6,
    roa4,
    roa6,
    flow4,
    flow6,
    ip6_sadr,
    eth,
    mpls,
    aspa,
    evpn,
    neighbor,
};

inline constexpr std::size_t net_type_count = 14;

struct NetTypeInfo {
    NetType type;
    std::string_view table_words;  ///< in front of `table` in the configuration: "ipv6 sadr"
    std::string_view channel_words;
    std::string_view constant;  ///< filter constant, and without NET_ the enum's print name
    std::uint8_t max_length;    ///< longest prefix, 0 where there is none
    bool has_next_hop;          ///< routes carry a destination
};

[[nodiscard]] const NetTypeInfo& info(NetType type);
[[nodiscard]] const std::array<NetTypeInfo, net_type_count>& all_net_types();
/// By the words in front of `table`.
[[nodiscard]] std::optional<NetType> net_type_by_words(std::string_view table_words);

[[nodiscard]] constexpr bool is_ip(NetType type) {
    return type == NetType::ip4 || type == NetType::ip6;
}

}  // namespace tern::net
