#pragma once

/// Static types of the filter language: names, set elements, implicit conversions.
/// The types are those of attr::Value; `void_` stands for "not known before the filter runs".
/// Pure functions for any domain; no state. Types of variables never change, those of set elements
/// are not tracked.

#include "router/attr/value.h"

#include <optional>
#include <string_view>

namespace tern::filter {

using Type = attr::ValueType;

/// By its words in a declaration: "int", "bgppath"; not for `enum X` and `T set`.
[[nodiscard]] std::optional<Type> type_by_name(std::string_view name);

/// The X of `enum X`: "rts", "bgp_origin", ...
[[nodiscard]] std::optional<Type> enum_by_name(std::string_view name);

/// `T set`: prefix sets for prefix, sets for scalar types; nothing for the others.
[[nodiscard]] std::optional<Type> set_of(Type element);

/// Whether `[ ... ]` and `case` take elements of this type.
[[nodiscard]] bool is_set_element(Type type);

/// What `for` gets out of a value, void_ if it cannot be walked.
[[nodiscard]] Type element_of(Type list);

/// Undefined attributes and fresh variables of this type read as an empty list, not as void.
[[nodiscard]] constexpr bool is_empty_by_default(Type type) {
    return type == Type::as_path || type == Type::community_list || type == Type::extended_list ||
           type == Type::large_list;
}

/// Whether `<` is defined.
[[nodiscard]] bool is_ordered(Type type);

}  // namespace tern::filter
