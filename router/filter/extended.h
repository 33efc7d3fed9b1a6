#pragma once

/// Building extended communities from what filters write: `(rt, key, value)`.
/// Shared by the VM and set literals, so that both give the same errors. Pure; any domain.
/// Reading and printing them is router/attr's.
/// Source: RFC 4360, RFC 5668.

#include "router/attr/value.h"
#include "router/base/result.h"

#include <cstdint>

namespace tern::filter {

/// The first word of an extended community constructor.
enum class EcKind : std::uint8_t { route_target, route_origin, unknown, generic };

/// Key: int, quad or IPv4 address; value: int. `unknown` is the number of `(unknown N, ...)`.
[[nodiscard]] Result<std::uint64_t> make_extended(EcKind kind,
                                                  std::uint32_t unknown,
                                                  const attr::Value& key,
                                                  const attr::Value& value);

}  // namespace tern::filter
