#pragma once

/// Integers that must not be mixed up: an AS number is not a router id.
/// A Strong compares and hashes like its representation, converts only when asked, and has no
/// arithmetic. Values may cross any loop; nobody owns them. Never add implicit conversions here.

#include <compare>
#include <cstdint>
#include <functional>

namespace tern {

template <class Tag, class Rep>
class Strong {
  public:
    using Representation = Rep;

    constexpr Strong() = default;

    constexpr explicit Strong(Rep value) : value_(value) {}

    [[nodiscard]] constexpr Rep value() const { return value_; }

    friend constexpr auto operator<=>(const Strong&, const Strong&) = default;

  private:
    Rep value_ = {};
};

/// RFC 6793: AS numbers have four octets.
using AsNumber = Strong<struct AsNumberTag, std::uint32_t>;

/// RFC 6286: four octets, unique within an AS; 0 is "not set".
using RouterId = Strong<struct RouterIdTag, std::uint32_t>;

/// Kernel interface index, also after the interface has gone; 0 is "none".
using InterfaceId = Strong<struct InterfaceIdTag, std::uint32_t>;

}  // namespace tern

template <class Tag, class Rep>
struct std::hash<tern::Strong<Tag, Rep>> {
    std::size_t operator()(tern::Strong<Tag, Rep> v) const noexcept {
        return std::hash<Rep>{}(v.value());
    }
};
