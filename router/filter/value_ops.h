#pragma once

/// Comparing and matching of filter values: `=`, `<`, `~` with every pair of types.
/// Pure functions for any domain; the VM, constant folding and the comparison of programs share
/// them. They never fail by aborting: what the language calls an error is a result.

#include "router/attr/value.h"

#include <optional>

namespace tern::filter {

/// `=`: never fails; int, quad and IPv4 addresses compare by number, other mixes are unequal, and
/// so is anything void.
[[nodiscard]] bool values_equal(const attr::Value& a, const attr::Value& b);

/// -1, 0, 1; nothing if the types differ or have no order.
[[nodiscard]] std::optional<int> values_order(const attr::Value& a, const attr::Value& b);

/// `~`; nothing for a pair of types that cannot be matched.
[[nodiscard]] std::optional<bool> value_matches(const attr::Value& a, const attr::Value& b);

/// Shell pattern with `*`, `?` and `\` in time O(text * stars).
[[nodiscard]] bool pattern_matches(std::string_view pattern, std::string_view text);

/// Whether two constants of programs mean the same; void equals void here.
[[nodiscard]] bool same_constant(const attr::Value& a, const attr::Value& b);

/// Equal for the same constants. Lists, sets and masks count by their type alone.
[[nodiscard]] std::uint64_t hash_constant(const attr::Value& value);

}  // namespace tern::filter
