#include "router/attr/core_attributes.h"

#include <array>

#include <fmt/format.h>

namespace tern::attr {

namespace {

void format_source(std::string& out, const AttributeRef& attribute) {
    out += route_origin_name(static_cast<RouteOrigin>(attribute.word));
}

void format_metric(std::string& out, const AttributeRef& attribute) {
    if (attribute.word >= metric_unreachable) {
        out += "unknown";
    } else {
        fmt::format_to(std::back_inserter(out), "{}", attribute.word);
    }
}

constexpr std::array<std::string_view, 20> origin_names = {
    "",     "static",  "inherit", "device",     "static-device", "redirect", "RIP",
    "OSPF", "OSPF-IA", "OSPF-E1", "OSPF-E2",    "BGP",           "pipe",     "Babel",
    "RPKI", "Perf",    "L3VPN",   "aggregated", "bridge",        "EVPN",
};

using enum ValueType;

constexpr EnumConstant constants[] = {
    {"RTS_STATIC", enum_rts, 1},
    {"RTS_INHERIT", enum_rts, 2},
    {"RTS_DEVICE", enum_rts, 3},
    {"RTS_STATIC_DEVICE", enum_rts, 4},
    {"RTS_REDIRECT", enum_rts, 5},
    {"RTS_RIP", enum_rts, 6},
    {"RTS_OSPF", enum_rts, 7},
    {"RTS_OSPF_IA", enum_rts, 8},
    {"RTS_OSPF_EXT1", enum_rts, 9},
    {"RTS_OSPF_EXT2", enum_rts, 10},
    {"RTS_BGP", enum_rts, 11},
    {"RTS_PIPE", enum_rts, 12},
    {"RTS_BABEL", enum_rts, 13},
    {"RTS_RPKI", enum_rts, 14},
    {"RTS_L3VPN", enum_rts, 16},
    {"RTS_AGGREGATED", enum_rts, 17},
    {"SCOPE_HOST", enum_scope, 0},
    {"SCOPE_LINK", enum_scope, 1},
    {"SCOPE_SITE", enum_scope, 2},
    {"SCOPE_ORGANIZATION", enum_scope, 3},
    {"SCOPE_UNIVERSE", enum_scope, 4},
    {"SCOPE_UNDEFINED", enum_scope, 5},
    {"RTD_UNICAST", enum_rtd, 0},
    {"RTD_BLACKHOLE", enum_rtd, 1},
    {"RTD_UNREACHABLE", enum_rtd, 2},
    {"RTD_PROHIBIT", enum_rtd, 3},
    {"ROA_UNKNOWN", enum_roa, 0},
    {"ROA_VALID", enum_roa, 1},
    {"ROA_INVALID", enum_roa, 2},
    {"ASPA_UNKNOWN", enum_aspa, 0},
    {"ASPA_VALID", enum_aspa, 1},
    {"ASPA_INVALID", enum_aspa, 2},
    {"AF_IPV4", enum_af, 1},
    {"AF_IPV6", enum_af, 2},
    {"NET_IP4", enum_net_type, 0},
    {"NET_IP6", enum_net_type, 1},
    {"NET_VPN4", enum_net_type, 2},
    {"NET_VPN6", enum_net_type, 3},
    {"NET_ROA4", enum_net_type, 4},
    {"NET_ROA6", enum_net_type, 5},
    {"NET_FLOW4", enum_net_type, 6},
    {"NET_FLOW6", enum_net_type, 7},
    {"NET_IP6_SADR", enum_net_type, 8},
    {"NET_ETH", enum_net_type, 9},
    {"NET_MPLS", enum_net_type, 10},
    {"NET_ASPA", enum_net_type, 11},
    {"NET_EVPN", enum_net_type, 12},
    {"NET_NEIGHBOR", enum_net_type, 13},
    {"NET_EVPN_EAD", enum_net_evpn_type, 1},
    {"NET_EVPN_MAC", enum_net_evpn_type, 2},
    {"NET_EVPN_IMET", enum_net_evpn_type, 3},
    {"NET_EVPN_ES", enum_net_evpn_type, 4},
    {"MPLS_POLICY_NONE", enum_mpls_policy, 0},
    {"MPLS_POLICY_STATIC", enum_mpls_policy, 1},
    {"MPLS_POLICY_PREFIX", enum_mpls_policy, 2},
    {"MPLS_POLICY_AGGREGATE", enum_mpls_policy, 3},
    {"MPLS_POLICY_VRF", enum_mpls_policy, 4},
    {"ORIGIN_IGP", enum_bgp_origin, 0},
    {"ORIGIN_EGP", enum_bgp_origin, 1},
    {"ORIGIN_INCOMPLETE", enum_bgp_origin, 2},
    {"RA_PREF_LOW", enum_ra_preference, 0},
    {"RA_PREF_MEDIUM", enum_ra_preference, 1},
    {"RA_PREF_HIGH", enum_ra_preference, 2},
    {"KBR_SRC_BIRD", enum_kbr_source, 0},
    {"KBR_SRC_LOCAL", enum_kbr_source, 1},
    {"KBR_SRC_STATIC", enum_kbr_source, 2},
    {"KBR_SRC_DYNAMIC", enum_kbr_source, 3},
};

}  // namespace

std::string_view route_origin_name(RouteOrigin origin) {
    const auto index = static_cast<std::size_t>(origin);
    return index < origin_names.size() ? origin_names[index] : std::string_view("?");
}

std::span<const EnumConstant> enum_constants() {
    return constants;
}

std::optional<EnumConstant> find_enum_constant(std::string_view name) {
    for (const EnumConstant& constant : constants) {
        if (constant.name == name) return constant;
    }
    return std::nullopt;
}

void register_core_attributes(AttributeRegistry& registry) {
    using enum AttributeTraits;
    const AttributeDefinition rows[] = {
        {core::next_hop, "nexthop", "", ValueType::next_hops, hidden, nullptr},
        {core::recursive, "hostentry", "", recursive_next_hop, hidden, nullptr},
        {core::preference, "preference", "", int_, route_field, nullptr},
        {core::from, "from", "", ip, AttributeTraits::none, nullptr},
        {core::source, "source", "", enum_rts, AttributeTraits::none, format_source},
        {core::igp_metric, "igp_metric", "", int_, AttributeTraits::none, format_metric},
        {core::local_metric, "local_metric", "", int_, AttributeTraits::none, format_metric},
        {core::mpls_label, "mpls_label", "", int_, AttributeTraits::none, nullptr},
        {core::mpls_policy, "mpls_policy", "", enum_mpls_policy, AttributeTraits::none, nullptr},
        {core::mpls_class, "mpls_class", "", int_, AttributeTraits::none, nullptr},
        {core::aspa_providers, "aspa_providers", "aspa_providers", opaque, unknown_type, nullptr},
        {core::flowspec_valid, "flowspec_valid", "", int_, AttributeTraits::none, nullptr},
    };
    for (const AttributeDefinition& row : rows)
        registry.add(row);
}

}  // namespace tern::attr
