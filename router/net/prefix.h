#pragma once

/// The key of a route: net type, address and length. Today IPv4 and IPv6 prefixes.
/// A pure value for any domain, always normalised (host bits zero) when made by ip(). Tables refer
/// to prefixes by net::PrefixId; the value is for parsing, printing, filters and the wire.
/// It never carries a path id or a table. Other net types add their fields in the spare bytes.

#include "router/net/ip_address.h"
#include "router/net/net_type.h"

#include <compare>
#include <cstdint>
#include <optional>

namespace tern::net {

class Prefix {
  public:
    /// `::/0`; a placeholder only.
    constexpr Prefix() : type_(NetType::ip6) {}

    /// Host bits are cut off. `length` <= address.bits().
    [[nodiscard]] static constexpr Prefix ip(IpAddress address, unsigned length) {
        return Prefix(address.is_v4() ? NetType::ip4 : NetType::ip6, address.masked(length),
                      length);
    }

    /// Checked: IPv4-mapped IPv6 prefixes of less than 96 bits have no meaning here, and host bits
    /// are refused by returning nothing.
    [[nodiscard]] static std::optional<Prefix> exact(IpAddress address, unsigned length);

    [[nodiscard]] static constexpr Prefix ip4(std::uint32_t value, unsigned length) {
        return ip(IpAddress::v4(value), length);
    }

    /// For decoders: keeps ::ffff:0:0/96 and shorter IPv6 prefixes apart from IPv4.
    [[nodiscard]] static constexpr Prefix ip6(std::uint64_t high,
                                              std::uint64_t low,
                                              unsigned length) {
        return Prefix(NetType::ip6, mask6(high, low, length), length);
    }

    [[nodiscard]] static constexpr Prefix host(IpAddress address) {
        return ip(address, address.bits());
    }

    [[nodiscard]] constexpr NetType type() const { return type_; }

    [[nodiscard]] constexpr IpAddress address() const { return address_; }

    [[nodiscard]] constexpr unsigned length() const { return length_; }

    [[nodiscard]] constexpr bool is_v4() const { return type_ == NetType::ip4; }

    /// 32 or 128.
    [[nodiscard]] constexpr unsigned max_length() const { return is_v4() ? 32 : 128; }

    [[nodiscard]] constexpr bool is_default() const { return length_ == 0; }

    /// Same family and within; every prefix contains itself.
    [[nodiscard]] constexpr bool contains(const Prefix& other) const {
        return type_ == other.type_ && length_ <= other.length_ &&
               address_.common_bits(other.address_) >= address_length();
    }

    [[nodiscard]] constexpr bool contains(IpAddress address) const {
        return is_v4() == address.is_v4() && address_.common_bits(address) >= address_length();
    }

    [[nodiscard]] constexpr bool subnet_of(const Prefix& other) const {
        return other.contains(*this);
    }

    /// Whether a table may have it: not loopback, multicast, link-local, 0/8 and the like; the
    /// default route may. False makes the import path say "Ignoring bogus route".
    [[nodiscard]] bool routable() const;

    [[nodiscard]] constexpr std::uint64_t hash() const {
        return mix64(address_.high() ^ (std::uint64_t{length_} << 8 | static_cast<unsigned>(type_)),
                     address_.low());
    }

    /// Text as `show route` prints it; see prefix_text.h for parsing.
    [[nodiscard]] std::string to_string() const;
    /// Writes the text into `out` (text_max bytes suffice), returns its length; no final zero.
    std::size_t print(char* out) const;

    static constexpr std::size_t text_max = IpAddress::text_max + 4;

    friend constexpr bool operator==(const Prefix&, const Prefix&) = default;

    /// By net type, address, length: a prefix stands before its subnets.
    friend constexpr std::strong_ordering operator<=>(const Prefix& a, const Prefix& b) {
        if (const auto c = a.type_ <=> b.type_; c != 0) return c;
        if (const auto c = a.address_ <=> b.address_; c != 0) return c;
        return a.length_ <=> b.length_;
    }

  private:
    constexpr Prefix(NetType type, IpAddress address, unsigned length)
        : address_(address), type_(type), length_(static_cast<std::uint8_t>(length)) {}

    static constexpr IpAddress mask6(std::uint64_t high, std::uint64_t low, unsigned length) {
        if (length == 0) return {};
        if (length <= 64) return IpAddress::v6(high & ~std::uint64_t{0} << (64 - length), 0);
        return IpAddress::v6(high, low & ~std::uint64_t{0} << (128 - length));
    }

    [[nodiscard]] constexpr unsigned address_length() const {
        return is_v4() ? length_ + 96U : length_;
    }

    IpAddress address_;
    NetType type_;
    std::uint8_t length_ = 0;
};

static_assert(sizeof(Prefix) == 24);

}  // namespace tern::net

template <>
struct std::hash<tern::net::Prefix> {
    std::size_t operator()(const tern::net::Prefix& p) const noexcept { return p.hash(); }
};
