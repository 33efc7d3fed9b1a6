#pragma once
/// The krt_* attributes: what the kernel knows of a route beyond its destination.
/// Ids are fixed in the kernel's range of the registry; definitions are registered once by the
/// router. The single bits of krt_lock and krt_features are read and written by filters through
/// masks; the bit names are listed here for the filter language.

#include "router/attr/attribute_def.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace tern::kernel {

namespace krt {
inline constexpr attr::AttributeId source = attr::kernel_base + 0x00;
inline constexpr attr::AttributeId metric = attr::kernel_base + 0x01;
inline constexpr attr::AttributeId prefsrc = attr::kernel_base + 0x02;
inline constexpr attr::AttributeId realm = attr::kernel_base + 0x03;
inline constexpr attr::AttributeId scope = attr::kernel_base + 0x04;
/// RTA_METRICS value n has the id metrics + n (RTAX_* numbers, 1..17).
inline constexpr attr::AttributeId metrics = attr::kernel_base + 0x20;
}  // namespace krt

/// A boolean name for one bit of an integer attribute.
struct BitAttribute {
    std::string_view name;
    attr::AttributeId id;
    std::uint8_t bit;
};

void register_attributes(attr::AttributeRegistry& registry);
/// krt_lock_mtu and the like.
[[nodiscard]] std::span<const BitAttribute> bit_attributes();

}  // namespace tern::kernel
