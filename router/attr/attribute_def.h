#pragma once

/// What an attribute is: id, names, type, how it prints; and the registry of all of them.
/// The registry is an object owned by the router, filled at start by each attribute's owner and
/// by the configuration (custom attributes); afterwards it is only read, from any domain.
/// It never holds values. Ids: core 0x01.., BGP 0x100 + path attribute code, kernel 0x200..,
/// further protocols above, custom 0x1000... Routes show their attributes in the order of ids.

#include "router/attr/value.h"
#include "router/base/result.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tern::attr {

using AttributeId = std::uint16_t;

inline constexpr AttributeId bgp_base = 0x100;
inline constexpr AttributeId kernel_base = 0x200;
inline constexpr AttributeId ospf_base = 0x280;
inline constexpr AttributeId rip_base = 0x2a0;
inline constexpr AttributeId babel_base = 0x2b0;
inline constexpr AttributeId radv_base = 0x2c0;
inline constexpr AttributeId bridge_base = 0x2d0;
inline constexpr AttributeId custom_base = 0x1000;

struct AttributeRef;

/// Writes the value as `show route all` has it after `name: `.
using AttributeFormat = void (*)(std::string& out, const AttributeRef& attribute);

enum class AttributeTraits : std::uint8_t {
    none = 0,
    read_only = 1,     ///< filters may not assign
    hidden = 2,        ///< neither shown nor known to filters
    route_field = 4,   ///< lives in the route, not in the set (preference)
    unknown_type = 8,  ///< opaque to filters: only defined() and unset()
};

[[nodiscard]] constexpr AttributeTraits operator|(AttributeTraits a, AttributeTraits b) {
    return static_cast<AttributeTraits>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

[[nodiscard]] constexpr bool has(AttributeTraits set, AttributeTraits one) {
    return (static_cast<unsigned>(set) & static_cast<unsigned>(one)) != 0;
}

struct AttributeDefinition {
    AttributeId id = 0;
    std::string_view name = {};         ///< `bgp_local_pref`
    std::string_view legacy_name = {};  ///< v2 name, `BGP.local_pref`; empty: hidden in v2 output
    ValueType type = ValueType::void_;
    AttributeTraits traits = AttributeTraits::none;
    AttributeFormat format = nullptr;  ///< null: by type
};

class AttributeRegistry {
  public:
    AttributeRegistry();

    /// Names are copied. A name or id defined twice is a bug of the owner.
    void add(const AttributeDefinition& definition);

    /// `attribute TYPE name;`: the same name with the same type gives the same id; with another
    /// type an error.
    Result<AttributeId> add_custom(std::string_view name, ValueType type);

    /// `attribute bgp N bytestring name;`: a second name for an id.
    Result<AttributeId> add_alias(std::string_view name, AttributeId id, ValueType type);

    [[nodiscard]] const AttributeDefinition* find(AttributeId id) const;
    [[nodiscard]] const AttributeDefinition* find(std::string_view name) const;

    /// All names in order of id, for completion and the reference.
    [[nodiscard]] std::vector<const AttributeDefinition*> all() const;

  private:
    std::string_view keep(std::string_view text);

    std::deque<std::string> texts_;
    std::deque<AttributeDefinition> definitions_;
    std::unordered_map<AttributeId, const AttributeDefinition*> by_id_;
    std::unordered_map<std::string_view, const AttributeDefinition*> by_name_;
    AttributeId next_custom_ = custom_base;
};

}  // namespace tern::attr
