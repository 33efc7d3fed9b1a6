#include "router/net/mac_address.h"

#include <fmt/format.h>

namespace tern::net {

namespace {

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

Result<MacAddress> MacAddress::parse(std::string_view text) {
    const auto wrong = [text] { return fail(fmt::format("Invalid MAC address {}", text)); };
    if (text.size() != 17) return wrong();
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0 || (i + 2 < text.size() && text[i + 2] != ':')) return wrong();
        value = value << 8 | static_cast<unsigned>(high << 4 | low);
    }
    return MacAddress(value);
}

MacAddress MacAddress::from_bytes(Bytes bytes) {
    TERN_ASSERT(bytes.size() == 6);
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes)
        value = value << 8 | byte;
    return MacAddress(value);
}

std::array<std::uint8_t, 6> MacAddress::to_bytes() const {
    std::array<std::uint8_t, 6> bytes;
    for (unsigned i = 0; i < 6; ++i)
        bytes[i] = static_cast<std::uint8_t>(value_ >> (40 - 8 * i));
    return bytes;
}

std::string MacAddress::to_string() const {
    return fmt::format("{:02x}", fmt::join(to_bytes(), ":"));
}

}  // namespace tern::net
