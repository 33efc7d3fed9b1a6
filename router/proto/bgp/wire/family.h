#pragma once

/// Address families as BGP names them: (AFI, SAFI) pairs and their channel names.
/// One table row per family is the only place that knows code points and names; everything else
/// passes `Family` values. A family without a row is still a value: it is what a newer peer may
/// announce, and it prints as <afi/safi>.
/// Source: RFC 4760 section 3, RFC 8277, RFC 4364, RFC 6514, RFC 8955, RFC 7432.

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::bgp::wire {

struct Family {
    std::uint16_t afi = 0;
    std::uint8_t safi = 0;

    friend auto operator<=>(const Family&, const Family&) = default;
};

inline constexpr std::uint16_t afi_ipv4 = 1;
inline constexpr std::uint16_t afi_ipv6 = 2;
inline constexpr std::uint16_t afi_l2vpn = 25;

inline constexpr Family ipv4_unicast{afi_ipv4, 1};
inline constexpr Family ipv6_unicast{afi_ipv6, 1};

/// How the NLRI of a family are built; `ip` is [path id] length prefix.
enum class NlriForm : std::uint8_t { ip, labeled, vpn, flow, evpn };

struct FamilyRow {
    Family family;
    std::string_view name;    ///< channel name, as shown by `show protocols all`
    std::string_view syntax;  ///< words that open the channel in a configuration
    NlriForm form;
    bool available;  ///< whether this build carries routes of the family
};

inline constexpr std::array<FamilyRow, 13> family_table{{
    {{1, 1}, "ipv4", "ipv4", NlriForm::ip, true},
    {{1, 2}, "ipv4-mc", "ipv4 multicast", NlriForm::ip, true},
    {{1, 4}, "ipv4-mpls", "ipv4 mpls", NlriForm::labeled, false},
    {{1, 128}, "vpn4-mpls", "vpn4 mpls", NlriForm::vpn, false},
    {{1, 129}, "vpn4-mc", "vpn4 multicast", NlriForm::vpn, false},
    {{1, 133}, "flow4", "flow4", NlriForm::flow, false},
    {{2, 1}, "ipv6", "ipv6", NlriForm::ip, true},
    {{2, 2}, "ipv6-mc", "ipv6 multicast", NlriForm::ip, true},
    {{2, 4}, "ipv6-mpls", "ipv6 mpls", NlriForm::labeled, false},
    {{2, 128}, "vpn6-mpls", "vpn6 mpls", NlriForm::vpn, false},
    {{2, 129}, "vpn6-mc", "vpn6 multicast", NlriForm::vpn, false},
    {{2, 133}, "flow6", "flow6", NlriForm::flow, false},
    {{25, 70}, "evpn", "evpn", NlriForm::evpn, false},
}};

/// The row of a family, or null for one this table does not know.
[[nodiscard]] constexpr const FamilyRow* find_family(Family family) {
    for (const FamilyRow& row : family_table) {
        if (row.family == family) return &row;
    }
    return nullptr;
}

[[nodiscard]] constexpr const FamilyRow* find_family(std::string_view syntax) {
    for (const FamilyRow& row : family_table) {
        if (row.syntax == syntax) return &row;
    }
    return nullptr;
}

/// The channel name, or `<afi/safi>` for an unknown family.
[[nodiscard]] std::string family_name(Family family);

}  // namespace tern::bgp::wire
