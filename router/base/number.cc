#include "router/base/number.h"

#include <charconv>

namespace tern {

std::string_view number_error_text(NumberError error) {
    switch (error) {
        case NumberError::empty:
            return "Number expected";
        case NumberError::not_a_number:
            return "Not a number";
        case NumberError::out_of_range:
            return "Number out of range";
    }
    return {};
}

Result<std::uint64_t, NumberError> parse_u64(std::string_view text) {
    if (text.empty()) return fail_with(NumberError::empty);
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        text.remove_prefix(2);
        base = 16;
    }
    std::uint64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (stop != end) return fail_with(NumberError::not_a_number);
    if (error == std::errc::result_out_of_range) return fail_with(NumberError::out_of_range);
    if (error != std::errc()) return fail_with(NumberError::not_a_number);
    return value;
}

Result<std::uint32_t, NumberError> parse_u32(std::string_view text) {
    return parse_in_range(text, {0, ~std::uint32_t{0}});
}

Result<std::uint32_t, NumberError> parse_in_range(std::string_view text, NumberRange range) {
    const Result<std::uint64_t, NumberError> value = parse_u64(text);
    if (!value) return fail_with(value.error());
    if (*value < range.min || *value > range.max) return fail_with(NumberError::out_of_range);
    return static_cast<std::uint32_t>(*value);
}

}  // namespace tern
