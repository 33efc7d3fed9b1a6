#pragma once

/// Parsing of prefixes with the exact error texts of the configuration language.
/// print(parse(x)) == x for every canonical text. Pure functions for any domain; nothing is
/// guessed: host bits set are an error that names the normalised prefix.

#include "router/net/prefix.h"

#include <string>
#include <string_view>

namespace tern::net {

/// `A.B.C.D/L` or `X:X::/L`.
[[nodiscard]] Result<Prefix> parse_prefix(std::string_view text);

/// For a parser that has read address and length already. Errors: `Invalid prefix length N`,
/// `Invalid IPv4 prefix 10.0.0.1/8, maybe you wanted 10.0.0.0/8`.
[[nodiscard]] Result<Prefix> make_prefix(IpAddress address, std::uint32_t length);

}  // namespace tern::net
