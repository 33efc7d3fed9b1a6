#pragma once

/// Static attributes of a route: facts that filters name like attributes but which live elsewhere.
/// One table of names, types and rights for the parser, the checker and the VM. Constants only, for
/// any domain; it never touches a route.

#include "router/filter/type.h"

#include <optional>
#include <string_view>

namespace tern::filter {

enum class RouteField : std::uint8_t {
    net,
    proto,
    gw,
    dest,
    ifname,
    ifindex,
    weight,
    gw_mpls,
    onlink,
    preference,
    source,
    from,
};

struct RouteFieldInfo {
    RouteField field;
    std::string_view name;
    Type type;
    bool read_only;
    bool unsettable;  ///< kept as an attribute, so `unset()` is possible
};

[[nodiscard]] const RouteFieldInfo& info(RouteField field);
[[nodiscard]] std::optional<RouteField> route_field(std::string_view name);

}  // namespace tern::filter
