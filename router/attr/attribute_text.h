#pragma once

/// Attribute values as `show route all` prints them.
/// A definition's own format comes first, else the type decides; types without one print the
/// placeholder `<type a1>` as the reference does. Pure, any domain; it never looks names up by
/// itself but in the registry given.

#include "router/attr/attribute_def.h"
#include "router/attr/attribute_set.h"

#include <string>

namespace tern::attr {

/// The value alone.
void append_attribute_value(std::string& out,
                            const AttributeDefinition* definition,
                            const AttributeRef& attribute);

/// `bgp_local_pref`, `bgp_unknown_0xc8` for unregistered BGP attributes, else `unknown_0x...`.
[[nodiscard]] std::string attribute_name(const AttributeRegistry& registry, AttributeId id);

/// Octets as `aa bb cc`.
void append_octets(std::string& out, Bytes bytes);
/// Octets as `aa:bb:cc`.
void append_octets_colon(std::string& out, Bytes bytes);
/// Lists with single spaces: `(1,2) (3,4)`.
void append_communities(std::string& out, Bytes wire);
void append_extended_communities(std::string& out, Bytes wire);
void append_large_communities(std::string& out, Bytes wire);

}  // namespace tern::attr
