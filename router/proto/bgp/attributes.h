#pragma once

/// BGP's attributes inside the router: ids, definitions for the registry, and the passage between
/// decoded messages and attribute lists.
/// An id is 0x100 plus the path attribute code, so codes without a name of their own have one too.
/// The flags octet of an attribute is the one of its path attribute. Payloads are those of the wire
/// (4-octet AS numbers), except that next hops are 16 octets, or 32 with a link-local address.
/// Stateless; the registry belongs to the router and is filled once.
/// Source: RFC 4271 section 5 and the RFC of each attribute (see wire/attribute.cc).

#include "router/attr/attribute_def.h"
#include "router/attr/attribute_list.h"
#include "router/attr/attribute_set.h"
#include "router/proto/bgp/wire/attr_next_hop.h"
#include "router/proto/bgp/wire/update.h"

#include <cstdint>

namespace tern::bgp {

[[nodiscard]] constexpr attr::AttributeId attribute_id(std::uint8_t code) {
    return static_cast<attr::AttributeId>(attr::bgp_base + code);
}

/// Whether an id is one of ours.
[[nodiscard]] constexpr bool is_bgp_attribute(attr::AttributeId id) {
    return id >= attr::bgp_base && id < attr::bgp_base + 256;
}

namespace id {
inline constexpr attr::AttributeId origin = attribute_id(wire::code::origin),
                                   as_path = attribute_id(wire::code::as_path),
                                   next_hop = attribute_id(wire::code::next_hop),
                                   med = attribute_id(wire::code::med),
                                   local_pref = attribute_id(wire::code::local_pref),
                                   atomic_aggregate = attribute_id(wire::code::atomic_aggregate),
                                   aggregator = attribute_id(wire::code::aggregator),
                                   community = attribute_id(wire::code::community),
                                   originator_id = attribute_id(wire::code::originator_id),
                                   cluster_list = attribute_id(wire::code::cluster_list),
                                   ext_community = attribute_id(wire::code::ext_community),
                                   aigp = attribute_id(wire::code::aigp),
                                   large_community = attribute_id(wire::code::large_community),
                                   otc = attribute_id(wire::code::otc);
}

/// Defines bgp_* with their v2 names, and bgp_unknown_0xNN for all other codes.
void define_attributes(attr::AttributeRegistry& registry);

/// Type of a code in attribute sets; bytestring for unknown ones.
[[nodiscard]] attr::ValueType attribute_type(std::uint8_t code);

/// Fills `list` with a message's attributes and the given next hop (wire form, may be empty).
/// Payloads are borrowed from the message: intern before the next one is decoded.
void fill_attributes(const wire::DecodedUpdate& update, Bytes next_hop, attr::AttributeList& list);

/// Next hop of a set or list; unspecified when there is none.
[[nodiscard]] wire::NextHop next_hop_of(Bytes payload);

}  // namespace tern::bgp
