#pragma once
/// Matching of interfaces against `interface "eth*", -"eth9", 10.0.0.0/8` of the configuration.
/// Pure functions over the configured pattern and one interface; clauses are looked at from left to
/// right and the first that matches decides; no clause matching means not selected.
/// They never look anything up: names and addresses come with the interface.

#include "router/config/protocol_config.h"
#include "router/iface/interface.h"

#include <string_view>

namespace tern::iface {

/// `*` any text, `?` any character, `\x` the character x.
[[nodiscard]] bool wildcard_match(std::string_view mask, std::string_view text);

/// `address` null: clauses with a network match if any address of the interface is inside.
[[nodiscard]] bool matches(const config::InterfacePattern& pattern,
                           const Interface& interface,
                           const Address* address);

}  // namespace tern::iface
