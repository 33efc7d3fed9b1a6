#pragma once

/// Strict text to integer conversion as configuration and CLI need it.
/// Decimal or 0x hexadecimal, whole text, no sign, no spaces; leading zeros are decimal.
/// Pure functions without domain or locale; they never accept a part of the text.

#include "router/base/result.h"

#include <cstdint>
#include <string_view>

namespace tern {

enum class NumberError : std::uint8_t { empty, not_a_number, out_of_range };

/// Text of an error as the configuration shows it.
[[nodiscard]] std::string_view number_error_text(NumberError error);

[[nodiscard]] Result<std::uint32_t, NumberError> parse_u32(std::string_view text);
[[nodiscard]] Result<std::uint64_t, NumberError> parse_u64(std::string_view text);

/// As parse_u32, with bounds included on both sides.
struct NumberRange {
    std::uint32_t min;
    std::uint32_t max;
};

[[nodiscard]] Result<std::uint32_t, NumberError> parse_in_range(std::string_view text,
                                                                NumberRange range);

}  // namespace tern
