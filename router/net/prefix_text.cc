#include "router/net/prefix_text.h"

#include "router/base/number.h"

#include <fmt/format.h>

namespace tern::net {

Result<Prefix> make_prefix(IpAddress address, std::uint32_t length) {
    if (length > address.bits()) return fail(fmt::format("Invalid prefix length {}", length));
    if (const std::optional<Prefix> prefix = Prefix::exact(address, length)) return *prefix;
    return fail(fmt::format("Invalid {} prefix {}/{}, maybe you wanted {}/{}",
                            address.is_v4() ? "IPv4" : "IPv6", address.to_string(), length,
                            address.masked(length).to_string(), length));
}

Result<Prefix> parse_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) return fail(fmt::format("Invalid prefix {}", text));
    const Result<IpAddress> address = IpAddress::parse(text.substr(0, slash));
    if (!address) return tl::unexpected<Error>(address.error());
    const std::string_view length_text = text.substr(slash + 1);
    const auto length = parse_u32(length_text);
    if (!length) return fail(fmt::format("Invalid prefix length {}", length_text));
    return make_prefix(*address, *length);
}

}  // namespace tern::net
