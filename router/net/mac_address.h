#pragma once

/// EUI-48 addresses of links and Ethernet routes, `aa:bb:cc:dd:ee:ff`.
/// A pure value for any domain; kept in 48 low bits so that order is byte order.
/// Never more than six octets: longer link addresses of other link types are not MACs.

#include "router/base/bytes.h"
#include "router/base/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::net {

class MacAddress {
  public:
    constexpr MacAddress() = default;

    constexpr explicit MacAddress(std::uint64_t value) : value_(value & 0xffff'ffff'ffffU) {}

    /// Exactly six two-digit hexadecimal pairs with colons.
    [[nodiscard]] static Result<MacAddress> parse(std::string_view text);
    /// Six bytes; other sizes are a bug.
    [[nodiscard]] static MacAddress from_bytes(Bytes bytes);

    [[nodiscard]] constexpr std::uint64_t value() const { return value_; }

    [[nodiscard]] std::array<std::uint8_t, 6> to_bytes() const;
    [[nodiscard]] std::string to_string() const;
    friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;

  private:
    std::uint64_t value_ = 0;
};

}  // namespace tern::net
