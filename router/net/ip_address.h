#pragma once

/// An IPv4 or IPv6 address as one 128-bit value; IPv4 is kept as ::ffff:a.b.c.d.
/// One type for both families keeps routes, sessions and filters free of twin code. Pure value for
/// any domain: copied, compared, hashed. It never knows interfaces; a link-local address travels
/// together with its interface id.

#include "router/base/bytes.h"
#include "router/base/hash.h"
#include "router/base/result.h"

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tern::net {

/// How far an address is valid, narrowest first. `show interfaces` prints scope_name().
enum class Scope : std::uint8_t { host, link, site, organization, universe, undefined };

[[nodiscard]] std::string_view scope_name(Scope scope);

/// What an address is for. `invalid` addresses may not be routed or used as a host.
enum class AddressClass : std::uint8_t { invalid, host, multicast, broadcast };

class IpAddress {
  public:
    /// `::`, which stands for "none".
    constexpr IpAddress() = default;

    [[nodiscard]] static constexpr IpAddress v4(std::uint32_t value) {
        return IpAddress(0, v4_prefix | value);
    }

    [[nodiscard]] static constexpr IpAddress v6(std::uint64_t high, std::uint64_t low) {
        return IpAddress(high, low);
    }

    /// 4 or 16 bytes in network order; other sizes are a bug.
    [[nodiscard]] static IpAddress from_bytes(Bytes bytes);

    /// Strict text form of either family, as configuration and CLI take it.
    [[nodiscard]] static Result<IpAddress> parse(std::string_view text);
    [[nodiscard]] static Result<IpAddress> parse_v4(std::string_view text);
    [[nodiscard]] static Result<IpAddress> parse_v6(std::string_view text);

    [[nodiscard]] constexpr bool is_v4() const { return high_ == 0 && low_ >> 32 == 0xffff; }

    [[nodiscard]] constexpr bool is_v6() const { return !is_v4(); }

    /// `::`; the IPv4 address 0.0.0.0 is not zero, see is_unspecified().
    [[nodiscard]] constexpr bool is_zero() const { return (high_ | low_) == 0; }

    [[nodiscard]] constexpr bool is_unspecified() const { return is_zero() || *this == v4(0); }

    /// IPv6 fe80::/10.
    [[nodiscard]] constexpr bool is_link_local() const { return high_ >> 54 == 0xfe80U >> 6; }

    [[nodiscard]] constexpr bool is_multicast() const {
        return is_v4() ? v4_value() >> 28 == 0xe : high_ >> 56 == 0xff;
    }

    [[nodiscard]] bool is_loopback() const;
    [[nodiscard]] AddressClass address_class() const;
    [[nodiscard]] Scope scope() const;

    /// The 32 bits; only meaningful if is_v4().
    [[nodiscard]] constexpr std::uint32_t v4_value() const {
        return static_cast<std::uint32_t>(low_);
    }

    [[nodiscard]] constexpr std::uint64_t high() const { return high_; }

    [[nodiscard]] constexpr std::uint64_t low() const { return low_; }

    /// 32 or 128.
    [[nodiscard]] constexpr unsigned bits() const { return is_v4() ? 32 : 128; }

    /// Bit `index` counted from the first bit of the address of its family.
    [[nodiscard]] constexpr bool bit(unsigned index) const {
        const unsigned at = is_v4() ? index + 96 : index;
        return ((at < 64 ? high_ >> (63 - at) : low_ >> (127 - at)) & 1) != 0;
    }

    /// The first `length` bits of the address of its family, the others zero; length <= bits().
    [[nodiscard]] constexpr IpAddress masked(unsigned length) const {
        const unsigned whole = is_v4() ? length + 96 : length;
        return IpAddress(high_ & high_mask(whole), low_ & low_mask(whole));
    }

    /// Number of leading bits of the 128-bit values that are the same (0..128).
    [[nodiscard]] constexpr unsigned common_bits(IpAddress other) const {
        if (high_ != other.high_)
            return static_cast<unsigned>(__builtin_clzll(high_ ^ other.high_));
        if (low_ == other.low_) return 128;
        return 64 + static_cast<unsigned>(__builtin_clzll(low_ ^ other.low_));
    }

    /// 4 or 16 bytes in network order.
    [[nodiscard]] std::array<std::uint8_t, 16> to_bytes16() const;

    void store4(std::uint8_t* at) const { store_u32(at, v4_value()); }

    void store16(std::uint8_t* at) const {
        store_u64(at, high_);
        store_u64(at + 8, low_);
    }

    [[nodiscard]] std::string to_string() const;
    /// Writes the text into `out` (46 bytes suffice), returns its length; no final zero.
    std::size_t print(char* out) const;

    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;

    [[nodiscard]] constexpr std::uint64_t hash() const { return mix64(high_, low_); }

    static constexpr std::size_t text_max = 46;

  private:
    static constexpr std::uint64_t v4_prefix = 0xffff'0000'0000U;

    constexpr IpAddress(std::uint64_t high, std::uint64_t low) : high_(high), low_(low) {}

    static constexpr std::uint64_t high_mask(unsigned length) {
        if (length == 0) return 0;
        return length >= 64 ? ~std::uint64_t{0} : ~std::uint64_t{0} << (64 - length);
    }

    static constexpr std::uint64_t low_mask(unsigned length) {
        return length <= 64 ? 0 : high_mask(length - 64);
    }

    std::uint64_t high_ = 0;
    std::uint64_t low_ = 0;
};

}  // namespace tern::net

template <>
struct std::hash<tern::net::IpAddress> {
    std::size_t operator()(tern::net::IpAddress a) const noexcept { return a.hash(); }
};
