#include "router/net/route_distinguisher.h"

#include "router/base/number.h"

#include <vector>

#include <fmt/format.h>

namespace tern::net {

namespace {

constexpr std::uint32_t max16 = 0xffff;

tl::unexpected<Error> wrong(std::string_view text) {
    return fail(fmt::format("Invalid route distinguisher {}", text));
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t end = text.find(':');
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

Result<RouteDistinguisher> RouteDistinguisher::parse(std::string_view text) {
    std::vector<std::string_view> parts = split(text);
    std::optional<std::uint32_t> type;
    if (parts.size() == 3) {
        const auto number = parse_in_range(parts[0], {0, 2});
        if (!number) return wrong(text);
        type = *number;
        parts.erase(parts.begin());
    }
    if (parts.size() != 2) return wrong(text);
    const auto second = parse_u32(parts[1]);
    if (!second) return wrong(text);
    if (parts[0].find('.') != std::string_view::npos) {
        const Result<IpAddress> address = IpAddress::parse_v4(parts[0]);
        if (!address || type.value_or(1) != 1 || *second > max16) return wrong(text);
        return type1(address->v4_value(), static_cast<std::uint16_t>(*second));
    }
    const auto first = parse_u32(parts[0]);
    if (!first || type == 1U) return wrong(text);
    if (type.value_or(*first > max16 ? 2 : 0) == 0) {
        if (*first > max16) return wrong(text);
        return type0(static_cast<std::uint16_t>(*first), *second);
    }
    if (*second > max16) return wrong(text);
    return type2(*first, static_cast<std::uint16_t>(*second));
}

std::string RouteDistinguisher::to_string() const {
    const auto type = static_cast<unsigned>(wire_ >> 48);
    const auto wide_first = static_cast<std::uint32_t>(wire_ >> 16);
    const auto narrow_second = static_cast<std::uint32_t>(wire_ & max16);
    switch (type) {
        case 0:
            return fmt::format("{}:{}", wire_ >> 32 & max16, static_cast<std::uint32_t>(wire_));
        case 1:
            return fmt::format("{}:{}", IpAddress::v4(wide_first).to_string(), narrow_second);
        case 2:
            // Without the type a small AS would read as type 0.
            return fmt::format("{}{}:{}", wide_first <= max16 ? "2:" : "", wide_first,
                               narrow_second);
        default:
            return fmt::format("{}:{}:{}", type, static_cast<std::uint32_t>(wire_ >> 32 & max16),
                               static_cast<std::uint32_t>(wire_));
    }
}

}  // namespace tern::net
