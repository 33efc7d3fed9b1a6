#include "router/attr/value.h"

#include "router/attr/as_path.h"
#include "router/attr/as_path_mask.h"
#include "router/attr/attribute_text.h"
#include "router/attr/community_set.h"
#include "router/net/trie.h"

#include <fmt/format.h>

namespace tern::attr {

namespace {

struct TypeName {
    ValueType type;
    std::string_view name;
};

constexpr TypeName type_names[] = {
    {ValueType::void_, "void"},
    {ValueType::none, "none"},
    {ValueType::opaque, "opaque byte string"},
    {ValueType::interface, "interface"},
    {ValueType::routes, "block of routes"},
    {ValueType::route, "route"},
    {ValueType::next_hops, "nexthop"},
    {ValueType::recursive_next_hop, "hostentry"},
    {ValueType::enum_bgp_origin, "enum bgp_origin"},
    {ValueType::enum_rts, "enum rts"},
    {ValueType::enum_scope, "enum scope"},
    {ValueType::enum_ra_preference, "enum ra_preference"},
    {ValueType::enum_rtd, "enum rtd"},
    {ValueType::enum_roa, "enum roa"},
    {ValueType::enum_net_type, "enum net_type"},
    {ValueType::enum_aspa, "enum aspa"},
    {ValueType::enum_af, "enum af"},
    {ValueType::enum_mpls_policy, "enum mpls_policy"},
    {ValueType::enum_net_evpn_type, "enum net_evpn_type"},
    {ValueType::enum_kbr_source, "enum kbr_source"},
    {ValueType::int_, "int"},
    {ValueType::bool_, "bool"},
    {ValueType::pair, "pair"},
    {ValueType::quad, "quad"},
    {ValueType::ip, "ip"},
    {ValueType::rd, "rd"},
    {ValueType::mac, "mac"},
    {ValueType::ec, "ec"},
    {ValueType::lc, "lc"},
    {ValueType::prefix, "prefix"},
    {ValueType::prefix_set, "prefix set"},
    {ValueType::set, "set"},
    {ValueType::string, "string"},
    {ValueType::as_path_mask, "bgpmask"},
    {ValueType::as_path, "bgppath"},
    {ValueType::community_list, "clist"},
    {ValueType::extended_list, "eclist"},
    {ValueType::large_list, "lclist"},
    {ValueType::bytestring, "bytestring"},
};

template <class T>
int order(const T& a, const T& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

int order_text(std::string_view a, std::string_view b) {
    const int result = a.compare(b);
    return result < 0 ? -1 : result > 0 ? 1 : 0;
}

/// How values that are bytes print; lists stand in parentheses with their word.
struct BytesText {
    ValueType type;
    void (*append)(std::string&, Bytes);
};

template <void (*append)(std::string&, Bytes), char first>
void wrapped(std::string& out, Bytes bytes) {
    out += first == 'p'   ? "(path "
           : first == 'c' ? "(clist "
           : first == 'e' ? "(eclist "
                          : "(lclist ";
    append(out, bytes);
    out += ')';
}

void append_path_bytes(std::string& out, Bytes bytes) {
    append_path_text(out, AsPathView(bytes));
}

void append_string(std::string& out, Bytes bytes) {
    out += as_text(bytes);
}

constexpr BytesText bytes_texts[] = {
    {ValueType::string, append_string},
    {ValueType::opaque, append_octets},
    {ValueType::bytestring, append_octets_colon},
    {ValueType::as_path, wrapped<append_path_bytes, 'p'>},
    {ValueType::community_list, wrapped<append_communities, 'c'>},
    {ValueType::extended_list, wrapped<append_extended_communities, 'e'>},
    {ValueType::large_list, wrapped<append_large_communities, 'l'>},
};

const BytesText* bytes_text(ValueType type) {
    for (const BytesText& row : bytes_texts) {
        if (row.type == type) return &row;
    }
    return nullptr;
}

}  // namespace

std::string_view type_name(ValueType type) {
    for (const TypeName& row : type_names) {
        if (row.type == type) return row.name;
    }
    return "unknown";
}

bool equal(const Value& a, const Value& b) {
    if (a.type() != b.type()) return false;
    if (is_word(a.type())) return a.word() == b.word();
    switch (a.type()) {
        case ValueType::void_:
            return false;  // undefined is equal to nothing, not even to itself
        case ValueType::ec:
        case ValueType::rd:
        case ValueType::mac:
            return a.ec() == b.ec();
        case ValueType::lc:
            return a.lc() == b.lc();
        case ValueType::ip:
            return a.ip() == b.ip();
        case ValueType::prefix:
            return a.prefix() == b.prefix();
        case ValueType::prefix_set:
            return a.route() == b.route() || a.prefix_set() == b.prefix_set();
        case ValueType::as_path_mask:
            return a.route() == b.route() || a.mask() == b.mask();
        case ValueType::set:
        case ValueType::route:
        case ValueType::routes:
            return a.route() == b.route();
        default:
            return same_bytes(a.bytes(), b.bytes());
    }
}

std::optional<int> compare(const Value& a, const Value& b) {
    if (a.type() != b.type()) return std::nullopt;
    if (is_word(a.type())) return order(a.word(), b.word());
    switch (a.type()) {
        case ValueType::ec:
        case ValueType::rd:
        case ValueType::mac:
            return order(a.ec(), b.ec());
        case ValueType::lc:
            return order(a.lc(), b.lc());
        case ValueType::ip:
            return order(a.ip(), b.ip());
        case ValueType::prefix:
            return order(a.prefix(), b.prefix());
        case ValueType::string:
            return order_text(a.string(), b.string());
        case ValueType::as_path:
            return compare_paths(AsPathView(a.bytes()), AsPathView(b.bytes()));
        default:
            return std::nullopt;
    }
}

void append_text(std::string& out, const Value& value) {
    const auto at = std::back_inserter(out);
    if (is_enum(value.type())) {
        fmt::format_to(at, "(enum {:x}){}", static_cast<unsigned>(value.type()), value.word());
        return;
    }
    if (value.is(ValueType::void_))
        out += "(void)";
    else if (value.is(ValueType::bool_))
        out += value.as_bool() ? "TRUE" : "FALSE";
    else if (value.is(ValueType::int_))
        fmt::format_to(at, "{}", value.word());
    else if (value.is(ValueType::quad))
        out += net::IpAddress::v4(value.word()).to_string();
    else if (value.is(ValueType::pair))
        append_community(out, value.word());
    else if (value.is(ValueType::ec))
        append_extended(out, value.ec());
    else if (value.is(ValueType::lc))
        append_large(out, value.lc());
    else if (value.is(ValueType::ip))
        out += value.ip().to_string();
    else if (value.is(ValueType::prefix))
        out += value.prefix().to_string();
    else if (value.is(ValueType::rd))
        out += value.rd().to_string();
    else if (value.is(ValueType::mac))
        out += value.mac().to_string();
    else if (value.is(ValueType::as_path_mask))
        out += value.mask().to_string();
    else if (value.is(ValueType::prefix_set))
        out += value.prefix_set().to_string();
    else if (value.is(ValueType::set))
        value.set().append(out);
    else if (const BytesText* row = bytes_text(value.type()))
        row->append(out, value.bytes());
    else
        fmt::format_to(at, "[unknown type {:x}]", static_cast<unsigned>(value.type()));
}

std::string to_text(const Value& value) {
    std::string out;
    append_text(out, value);
    return out;
}

}  // namespace tern::attr
