#include "router/net/prefix.h"

#include <charconv>

namespace tern::net {

std::optional<Prefix> Prefix::exact(IpAddress address, unsigned length) {
    if (length > address.bits() || address.masked(length) != address) return std::nullopt;
    return ip(address, length);
}

bool Prefix::routable() const {
    if (is_default()) return address_.is_unspecified();
    const bool embedded = address_.high() == 0;
    if (!is_v4() && !embedded) {
        // Shorter prefixes that contain such addresses are nobody's; fe80::/10 and ff00::/8 are.
        return !address_.is_link_local() && !address_.is_multicast();
    }
    if (!is_v4() && length_ < 96) return false;  // ::/64 and the like hold embedded addresses only
    const std::uint32_t value = address_.v4_value();
    const std::uint64_t above = address_.low() >> 32;
    if (above != 0 && above != 0xffff) return false;
    if (value >> 24 == 0 || value >> 24 == 127) return false;
    return value >> 28 != 0xe && value != 0xffff'ffff;
}

std::size_t Prefix::print(char* out) const {
    std::size_t size = address_.print(out);
    out[size++] = '/';
    const auto result = std::to_chars(out + size, out + size + 3, static_cast<unsigned>(length_));
    return static_cast<std::size_t>(result.ptr - out);
}

std::string Prefix::to_string() const {
    char text[text_max];
    return std::string(text, print(text));
}

}  // namespace tern::net
