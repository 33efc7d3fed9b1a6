#pragma once

/// Route distinguishers of VPN routes, types 0, 1 and 2 (RFC 4364 section 4.2).
/// A pure value for any domain holding the eight wire octets as one integer; equal values mean
/// equal octets, so that two types with the same text never mix. Never interpreted as an AS check.

#include "router/base/result.h"
#include "router/net/ip_address.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::net {

class RouteDistinguisher {
  public:
    constexpr RouteDistinguisher() = default;

    constexpr explicit RouteDistinguisher(std::uint64_t wire) : wire_(wire) {}

    /// 2-octet AS and 32-bit number.
    [[nodiscard]] static constexpr RouteDistinguisher type0(std::uint16_t as,
                                                            std::uint32_t number) {
        return RouteDistinguisher(std::uint64_t{as} << 32 | number);
    }

    /// IPv4 address and 16-bit number.
    [[nodiscard]] static constexpr RouteDistinguisher type1(std::uint32_t address,
                                                            std::uint16_t number) {
        return RouteDistinguisher(std::uint64_t{1} << 48 | std::uint64_t{address} << 16 | number);
    }

    /// 4-octet AS and 16-bit number.
    [[nodiscard]] static constexpr RouteDistinguisher type2(std::uint32_t as,
                                                            std::uint16_t number) {
        return RouteDistinguisher(std::uint64_t{2} << 48 | std::uint64_t{as} << 16 | number);
    }

    /// `N:N`, `IP4:N`, or with explicit type `0:N:N`, `1:IP:N`, `2:N:N`.
    [[nodiscard]] static Result<RouteDistinguisher> parse(std::string_view text);

    [[nodiscard]] constexpr std::uint64_t value() const { return wire_; }

    /// Shortest form that parses back to the same value.
    [[nodiscard]] std::string to_string() const;
    friend constexpr auto operator<=>(const RouteDistinguisher&,
                                      const RouteDistinguisher&) = default;

  private:
    std::uint64_t wire_ = 0;
};

}  // namespace tern::net
