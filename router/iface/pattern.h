#pragma once
/// Which interfaces a statement is for: `interface "eth*", -"eth9", 10.0.0.0/8`.
/// Part of a protocol's configuration; a plain value. Clauses are looked at from left to right and
/// the first that matches decides; no clause matching means not selected. It never looks anything
/// up: names and addresses come with the interface.

#include "router/iface/interface.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::iface {

/// `*` any text, `?` any character, `\x` the character x.
[[nodiscard]] bool wildcard_match(std::string_view mask, std::string_view text);

struct PatternClause {
    bool negative = false;
    std::optional<std::string> mask;
    std::optional<net::Prefix> network;  ///< a host prefix for a single address

    friend bool operator==(const PatternClause&, const PatternClause&) = default;
};

struct InterfacePattern {
    std::vector<PatternClause> clauses;

    /// `address` null: clauses with a network match if any address of the interface is inside.
    [[nodiscard]] bool matches(const Interface& interface, const Address* address) const;
    friend bool operator==(const InterfacePattern&, const InterfacePattern&) = default;
};

}  // namespace tern::iface
