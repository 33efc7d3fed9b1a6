#include "router/filter/route_field.h"

#include <array>

namespace tern::filter {
namespace {

// In the order of RouteField.
constexpr auto rows = std::to_array<RouteFieldInfo>({
    {RouteField::net, "net", Type::prefix, true, false},
    {RouteField::proto, "proto", Type::string, true, false},
    {RouteField::gw, "gw", Type::ip, false, false},
    {RouteField::dest, "dest", Type::enum_rtd, false, false},
    {RouteField::ifname, "ifname", Type::string, false, false},
    {RouteField::ifindex, "ifindex", Type::int_, true, false},
    {RouteField::weight, "weight", Type::int_, false, false},
    {RouteField::gw_mpls, "gw_mpls", Type::int_, false, false},
    {RouteField::onlink, "onlink", Type::bool_, false, false},
    {RouteField::preference, "preference", Type::int_, false, false},
    {RouteField::source, "source", Type::enum_rts, false, true},
    {RouteField::from, "from", Type::ip, false, true},
});

constexpr bool in_order() {
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<std::size_t>(rows[i].field) != i) return false;
    }
    return true;
}

static_assert(in_order());

}  // namespace

const RouteFieldInfo& info(RouteField field) {
    return rows[static_cast<std::size_t>(field)];
}

std::optional<RouteField> route_field(std::string_view name) {
    for (const RouteFieldInfo& row : rows) {
        if (row.name == name) return row.field;
    }
    return std::nullopt;
}

}  // namespace tern::filter
