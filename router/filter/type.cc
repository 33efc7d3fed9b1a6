#include "router/filter/type.h"

#include <array>

namespace tern::filter {
namespace {

struct TypeName {
    std::string_view name;
    Type type;
};

constexpr auto plain_names = std::to_array<TypeName>({
    {"int", Type::int_},
    {"bool", Type::bool_},
    {"ip", Type::ip},
    {"rd", Type::rd},
    {"mac", Type::mac},
    {"prefix", Type::prefix},
    {"pair", Type::pair},
    {"quad", Type::quad},
    {"ec", Type::ec},
    {"lc", Type::lc},
    {"string", Type::string},
    {"bytestring", Type::bytestring},
    {"bgpmask", Type::as_path_mask},
    {"bgppath", Type::as_path},
    {"clist", Type::community_list},
    {"eclist", Type::extended_list},
    {"lclist", Type::large_list},
    {"route", Type::route},
});

constexpr auto enum_names = std::to_array<TypeName>({
    {"rts", Type::enum_rts},
    {"bgp_origin", Type::enum_bgp_origin},
    {"scope", Type::enum_scope},
    {"rtd", Type::enum_rtd},
    {"roa", Type::enum_roa},
    {"aspa", Type::enum_aspa},
    {"net_type", Type::enum_net_type},
    {"ra_preference", Type::enum_ra_preference},
    {"af", Type::enum_af},
    {"mpls_policy", Type::enum_mpls_policy},
    {"net_evpn_type", Type::enum_net_evpn_type},
    {"kbr_source", Type::enum_kbr_source},
});

template <std::size_t N>
std::optional<Type> lookup(const std::array<TypeName, N>& names, std::string_view name) {
    for (const TypeName& row : names) {
        if (row.name == name) return row.type;
    }
    return std::nullopt;
}

}  // namespace

std::optional<Type> type_by_name(std::string_view name) {
    return lookup(plain_names, name);
}

std::optional<Type> enum_by_name(std::string_view name) {
    return lookup(enum_names, name);
}

bool is_set_element(Type type) {
    switch (type) {
        case Type::int_:
        case Type::pair:
        case Type::quad:
        case Type::ec:
        case Type::lc:
        case Type::ip:
        case Type::rd:
        case Type::mac:
            return true;
        default:
            return attr::is_enum(type);
    }
}

std::optional<Type> set_of(Type element) {
    if (element == Type::prefix) return Type::prefix_set;
    if (is_set_element(element)) return Type::set;
    return std::nullopt;
}

Type element_of(Type list) {
    switch (list) {
        case Type::as_path:
            return Type::int_;
        case Type::community_list:
            return Type::pair;
        case Type::extended_list:
            return Type::ec;
        case Type::large_list:
            return Type::lc;
        case Type::routes:
            return Type::route;
        default:
            return Type::void_;
    }
}

bool is_ordered(Type type) {
    switch (type) {
        case Type::int_:
        case Type::bool_:
        case Type::pair:
        case Type::quad:
        case Type::ec:
        case Type::rd:
        case Type::lc:
        case Type::ip:
        case Type::mac:
        case Type::prefix:
        case Type::string:
        case Type::as_path:
            return true;
        default:
            return attr::is_enum(type);
    }
}

}  // namespace tern::filter
