#pragma once

/// The table of methods, `x.len`, `p.prepend(n)`: object, name, argument types, result, code.
/// Checker, compiler, VM and disassembler read the same rows; to add a method add a row and a
/// function. Constants only; the functions work on values and an arena and keep nothing.

#include "router/filter/type.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace tern::filter {

class Machine;

/// `values[0]` is the object and receives the result; `values[1]` the argument, if any.
/// False: failed, the machine has the text.
using MethodFunction = bool (*)(Machine& machine, attr::Value* values);

struct Method {
    Type object;
    std::string_view name;
    Type result;
    std::span<const Type> accepts;  ///< types of the one argument; empty: none is taken
    MethodFunction function;

    [[nodiscard]] unsigned arity() const { return accepts.empty() ? 0 : 1; }

    [[nodiscard]] bool accepts_type(Type type) const;
};

[[nodiscard]] std::span<const Method> methods();

/// Null if the type has no method of that name.
[[nodiscard]] const Method* find_method(Type object, std::string_view name);

}  // namespace tern::filter
