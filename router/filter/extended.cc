#include "router/filter/extended.h"

#include <fmt/format.h>

namespace tern::filter {

using attr::Value;
using attr::ValueType;

namespace {

// RFC 4360 section 3: the high byte tells how key and value are split.
constexpr std::uint64_t address_form = std::uint64_t{0x01} << 56;
constexpr std::uint64_t as4_form = std::uint64_t{0x02} << 56;

std::uint64_t type_bits(EcKind kind, std::uint32_t unknown) {
    switch (kind) {
        case EcKind::route_target:
            return std::uint64_t{0x0002} << 48;
        case EcKind::route_origin:
            return std::uint64_t{0x0003} << 48;
        case EcKind::unknown:
        case EcKind::generic:
            break;
    }
    return std::uint64_t{unknown & 0xffffU} << 48;
}

}  // namespace

Result<std::uint64_t> make_extended(EcKind kind,
                                    std::uint32_t unknown,
                                    const Value& key,
                                    const Value& value) {
    if (!value.is(ValueType::int_)) {
        return fail("Can't operate with value of non-integer type in EC constructor");
    }
    const std::uint32_t low = value.word();
    bool address = key.is(ValueType::quad);
    std::uint32_t high = 0;
    if (key.is(ValueType::ip) && key.ip().is_v4()) {
        address = true;
        high = key.ip().v4_value();
    } else if (address || key.is(ValueType::int_)) {
        high = key.word();
    } else {
        return fail("Can't operate with key of non-integer/IPv4 type in EC constructor");
    }
    if (kind == EcKind::generic) return std::uint64_t{high} << 32 | low;
    const std::uint64_t type = type_bits(kind, unknown);
    if (!address && high <= 0xffff) return type | std::uint64_t{high} << 32 | low;
    if (low > 0xffff) {
        return fail(fmt::format("4-byte value {} can't be used with {} in extended community", low,
                                address ? "IP-address key" : "4-byte ASN"));
    }
    return type | (address ? address_form : as4_form) | std::uint64_t{high} << 16 | low;
}

}  // namespace tern::filter
