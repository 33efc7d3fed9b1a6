#pragma once

/// Attributes every route may have, whoever made it: their ids, definitions and enumerations.
/// The preference is listed because filters and show name it, but it lives in the route itself.
/// Constants; register_core_attributes() is called once by the owner of a registry. Protocols'
/// attributes are never listed here.

#include "router/attr/attribute_set.h"
#include "router/attr/next_hop.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tern::attr {

namespace core {
inline constexpr AttributeId next_hop = 0x01;    ///< NextHopListView
inline constexpr AttributeId recursive = 0x02;   ///< RecursiveNextHop
inline constexpr AttributeId preference = 0x03;  ///< a field of the route
inline constexpr AttributeId from = 0x04;        ///< only if set by a filter
inline constexpr AttributeId source = 0x05;      ///< RouteOrigin
inline constexpr AttributeId igp_metric = 0x06;
inline constexpr AttributeId local_metric = 0x07;
inline constexpr AttributeId mpls_label = 0x08;
inline constexpr AttributeId mpls_policy = 0x09;
inline constexpr AttributeId mpls_class = 0x0a;
inline constexpr AttributeId aspa_providers = 0x0b;
inline constexpr AttributeId flowspec_valid = 0x0c;
}  // namespace core

/// Metrics from here on mean "unknown".
inline constexpr std::uint32_t metric_unknown = 0xffff'ffff;
/// IGP metric of an unreachable next hop.
inline constexpr std::uint32_t metric_unreachable = 0xffff'fffe;

/// In the order of the filter constants RTS_*; 0 is not used by routes.
enum class RouteOrigin : std::uint8_t {
    none,
    static_,
    inherit,
    device,
    static_device,
    redirect,
    rip,
    ospf,
    ospf_ia,
    ospf_ext1,
    ospf_ext2,
    bgp,
    pipe,
    babel,
    rpki,
    perf,
    l3vpn,
    aggregated,
    bridge,
    evpn,
};

/// As `show route all` prints it: `static`, `OSPF-E2`, `BGP`.
[[nodiscard]] std::string_view route_origin_name(RouteOrigin origin);

/// A filter constant such as RTS_BGP or SCOPE_LINK.
struct EnumConstant {
    std::string_view name;
    ValueType type;
    std::uint32_t value;
};

/// All enumeration constants of the filter language.
[[nodiscard]] std::span<const EnumConstant> enum_constants();
[[nodiscard]] std::optional<EnumConstant> find_enum_constant(std::string_view name);

void register_core_attributes(AttributeRegistry& registry);

/// Shorthands for the usual questions.
[[nodiscard]] inline NextHopListView next_hops(const AttributeSet& set) {
    return NextHopListView(set.bytes(core::next_hop));
}

[[nodiscard]] inline RouteOrigin origin_of(const AttributeSet& set) {
    return static_cast<RouteOrigin>(set.word_or(core::source, 0));
}

}  // namespace tern::attr
