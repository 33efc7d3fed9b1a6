#pragma once

/// The one 64-bit mixer of the router: fast, keyed, good in all bits.
/// Used by hash tables inside the process only; never sent, stored in files or used for security.
/// Pure; any domain. Byte strings cost about one multiplication per 16 bytes.

#include "router/base/bytes.h"

#include <cstddef>
#include <cstdint>

namespace tern {

/// Mixes two words into one; both halves of the 128-bit product count.
[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t a, std::uint64_t b) {
    const auto product =
        static_cast<unsigned __int128>(a ^ 0x9e37'79b9'7f4a'7c15U) * (b ^ 0xe703'7ed1'a0b4'28dbU);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

[[nodiscard]] constexpr std::uint64_t hash_u64(std::uint64_t v) {
    return mix64(v, 0x8ebc'6af0'9c88'c6e3U);
}

[[nodiscard]] std::uint64_t hash_bytes(Bytes bytes, std::uint64_t seed);

}  // namespace tern
