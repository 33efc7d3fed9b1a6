#include "router/filter/method.h"

#include "router/attr/as_path.h"
#include "router/attr/community_set.h"
#include "router/filter/filter_set.h"
#include "router/filter/vm.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern::filter {

using attr::Value;
using attr::ValueType;

namespace {

// --- addresses, prefixes, pairs ---------------------------------------------------------------

bool ip_is_v4(Machine&, Value* v) {
    v[0] = Value::of_bool(v[0].ip().is_v4());
    return true;
}

bool ip_mask(Machine&, Value* v) {
    const net::IpAddress address = v[0].ip();
    v[0] = Value::of_ip(address.masked(std::min(v[1].word(), address.bits())));
    return true;
}

bool prefix_type(Machine&, Value* v) {
    v[0] =
        Value::of_word(ValueType::enum_net_type, static_cast<std::uint32_t>(v[0].prefix().type()));
    return true;
}

bool prefix_length(Machine&, Value* v) {
    v[0] = Value::of_int(v[0].prefix().length());
    return true;
}

bool prefix_ip(Machine&, Value* v) {
    v[0] = Value::of_ip(v[0].prefix().address());
    return true;
}

// Prefix values are plain IPv4 and IPv6 networks, so what only other net types have is an error.
bool needs_vpn(Machine& m, Value*) {
    return m.fail("VPN or EVPN address expected");
}

bool needs_roa(Machine& m, Value*) {
    return m.fail("ROA expected");
}

bool needs_roa_or_aspa(Machine& m, Value*) {
    return m.fail("ROA or ASPA expected");
}

bool needs_flow(Machine& m, Value*) {
    return m.fail("Flow or SADR expected");
}

bool needs_ethernet(Machine& m, Value*) {
    return m.fail("ETH or EVPN MAC expected");
}

bool needs_evpn(Machine& m, Value*) {
    return m.fail("EVPN expected");
}

bool pair_as(Machine&, Value* v) {
    v[0] = Value::of_int(v[0].word() >> 16);
    return true;
}

bool pair_data(Machine&, Value* v) {
    v[0] = Value::of_int(v[0].word() & 0xffff);
    return true;
}

bool large_as(Machine&, Value* v) {
    v[0] = Value::of_int(v[0].lc().as);
    return true;
}

bool large_data1(Machine&, Value* v) {
    v[0] = Value::of_int(v[0].lc().data1);
    return true;
}

bool large_data2(Machine&, Value* v) {
    v[0] = Value::of_int(v[0].lc().data2);
    return true;
}

// --- paths ------------------------------------------------------------------------------------

attr::AsPathView path_of(const Value& v) {
    return attr::AsPathView(v.bytes());
}

bool path_first(Machine&, Value* v) {
    v[0] = Value::of_int(path_of(v[0]).first().value());
    return true;
}

bool path_last(Machine&, Value* v) {
    v[0] = Value::of_int(path_of(v[0]).last().value());
    return true;
}

bool path_last_nonaggregated(Machine&, Value* v) {
    v[0] = Value::of_int(path_of(v[0]).last_nonaggregated().value());
    return true;
}

bool path_len(Machine&, Value* v) {
    v[0] = Value::of_int(path_of(v[0]).length_with_confederation());
    return true;
}

bool list_empty(Machine&, Value* v) {
    v[0] = Value::of_bytes(v[0].type(), {});
    return true;
}

bool path_prepend(Machine& m, Value* v) {
    v[0] = Value::of_bytes(ValueType::as_path,
                           attr::prepend(m.arena, path_of(v[0]), AsNumber(v[1].word()), 1,
                                         attr::SegmentType::sequence));
    return true;
}

const FilterSet& set_in(const Value& v) {
    return static_cast<const FilterSet&>(v.set());
}

bool mismatch(Machine& m) {
    return m.fail("Mismatched set type");
}

bool keep_members(Machine& m, Value* v, bool keep_matching) {
    const FilterSet& set = set_in(v[1]);
    if (!set.empty() && set.element() != ValueType::int_) return mismatch(m);
    const Bytes kept = attr::filter_path(m.arena, path_of(v[0]), [&](AsNumber as) {
        return set.intervals().contains32(as.value()) == keep_matching;
    });
    v[0] = Value::of_bytes(ValueType::as_path, kept);
    return true;
}

bool path_delete(Machine& m, Value* v) {
    if (!v[1].is(ValueType::int_)) return keep_members(m, v, false);
    const std::uint32_t gone = v[1].word();
    const Bytes kept = attr::filter_path(m.arena, path_of(v[0]),
                                         [gone](AsNumber as) { return as.value() != gone; });
    v[0] = Value::of_bytes(ValueType::as_path, kept);
    return true;
}

bool path_filter(Machine& m, Value* v) {
    return keep_members(m, v, true);
}

// --- community lists --------------------------------------------------------------------------

/// How each kind of list takes its elements out of values and sets.
struct Plain {
    using View = attr::Communities;
    static constexpr ValueType list = ValueType::community_list;
    static constexpr ValueType element = ValueType::pair;

    static std::uint32_t load(const Value& v) {
        return v.is(ValueType::ip) ? v.ip().v4_value() : v.word();
    }

    static Value store(std::uint32_t e) { return Value::of_word(element, e); }

    static bool in(const FilterSet& set, std::uint32_t e) {
        if (set.element() != ValueType::ip) return set.intervals().contains32(e);
        return set.contains(Value::of_ip(net::IpAddress::v4(e)));
    }

    static bool fits(const FilterSet& set) {
        return set.empty() || set.element() == ValueType::pair ||
               set.element() == ValueType::quad || set.element() == ValueType::ip;
    }
};

struct Extended {
    using View = attr::ExtendedCommunities;
    static constexpr ValueType list = ValueType::extended_list;
    static constexpr ValueType element = ValueType::ec;

    static std::uint64_t load(const Value& v) { return v.ec(); }

    static Value store(std::uint64_t e) { return Value::of_ec(e); }

    static bool in(const FilterSet& set, std::uint64_t e) {
        return set.intervals().contains({0, e});
    }

    static bool fits(const FilterSet& set) { return set.empty() || set.element() == element; }
};

struct Large {
    using View = attr::LargeCommunities;
    static constexpr ValueType list = ValueType::large_list;
    static constexpr ValueType element = ValueType::lc;

    static attr::LargeCommunity load(const Value& v) { return v.lc(); }

    static Value store(const attr::LargeCommunity& e) { return Value::of_lc(e); }

    static bool in(const FilterSet& set, const attr::LargeCommunity& e) {
        return set.contains(Value::of_lc(e));
    }

    static bool fits(const FilterSet& set) { return set.empty() || set.element() == element; }
};

template <class Kind>
bool list_len(Machine&, Value* v) {
    v[0] = Value::of_int(static_cast<std::uint32_t>(typename Kind::View(v[0].bytes()).size()));
    return true;
}

template <class Kind>
bool list_min(Machine&, Value* v) {
    const auto found = typename Kind::View(v[0].bytes()).min();
    v[0] = found ? Kind::store(*found) : Value();
    return true;
}

template <class Kind>
bool list_max(Machine&, Value* v) {
    const auto found = typename Kind::View(v[0].bytes()).max();
    v[0] = found ? Kind::store(*found) : Value();
    return true;
}

bool is_v6(const Value& v) {
    return v.is(ValueType::ip) && !v.ip().is_v4();
}

template <class Kind>
bool list_add(Machine& m, Value* v) {
    const typename Kind::View list(v[0].bytes());
    if (is_v6(v[1])) return m.fail("Can't add IPv6 address to clist");
    const Bytes sum = v[1].is(Kind::list) ? list.merged(m.arena, typename Kind::View(v[1].bytes()))
                                          : list.added(m.arena, Kind::load(v[1]));
    v[0] = Value::of_bytes(Kind::list, sum);
    return true;
}

/// Keeps the elements that are (or are not) in the argument, whatever that is.
template <class Kind>
bool list_keep(Machine& m, Value* v, bool keep_matching) {
    const typename Kind::View list(v[0].bytes());
    Bytes kept;
    if (v[1].is(ValueType::set)) {
        const FilterSet& set = set_in(v[1]);
        if (!Kind::fits(set)) return mismatch(m);
        kept = list.filtered(m.arena,
                             [&](const auto& e) { return Kind::in(set, e) == keep_matching; });
    } else if (v[1].is(Kind::list)) {
        const typename Kind::View other(v[1].bytes());
        kept = list.filtered(m.arena,
                             [&](const auto& e) { return other.contains(e) == keep_matching; });
    } else {
        if (is_v6(v[1])) return m.fail("Can't delete IPv6 address from clist");
        kept = list.removed(m.arena, Kind::load(v[1]));
    }
    v[0] = Value::of_bytes(Kind::list, kept);
    return true;
}

template <class Kind>
bool list_delete(Machine& m, Value* v) {
    return list_keep<Kind>(m, v, false);
}

template <class Kind>
bool list_filter(Machine& m, Value* v) {
    return list_keep<Kind>(m, v, true);
}

// --- strings ----------------------------------------------------------------------------------

bool text_append(Machine& m, Value* v) {
    const std::size_t size = v[0].bytes().size() + v[1].bytes().size();
    auto* const out = static_cast<std::uint8_t*>(m.arena.allocate(size + 1, 1));
    std::copy(v[0].bytes().begin(), v[0].bytes().end(), out);
    std::copy(v[1].bytes().begin(), v[1].bytes().end(), out + v[0].bytes().size());
    v[0] = Value::of_bytes(v[0].type(), {out, size});
    return true;
}

constexpr Type an_int[] = {Type::int_};
constexpr Type a_string[] = {Type::string};
constexpr Type a_bytestring[] = {Type::bytestring};
constexpr Type int_or_set[] = {Type::int_, Type::set};
constexpr Type a_set[] = {Type::set};
constexpr Type clist_add[] = {Type::pair, Type::quad, Type::ip, Type::int_, Type::community_list};
constexpr Type clist_delete[] = {Type::pair, Type::quad, Type::ip,
                                 Type::int_, Type::set,  Type::community_list};
constexpr Type clist_filter[] = {Type::set, Type::community_list};
constexpr Type eclist_add[] = {Type::ec, Type::extended_list};
constexpr Type eclist_delete[] = {Type::ec, Type::set, Type::extended_list};
constexpr Type eclist_filter[] = {Type::set, Type::extended_list};
constexpr Type lclist_add[] = {Type::lc, Type::large_list};
constexpr Type lclist_delete[] = {Type::lc, Type::set, Type::large_list};
constexpr Type lclist_filter[] = {Type::set, Type::large_list};
constexpr std::span<const Type> nothing;

constexpr auto table = std::to_array<Method>({
    {Type::ip, "is_v4", Type::bool_, nothing, ip_is_v4},
    {Type::ip, "mask", Type::ip, an_int, ip_mask},
    {Type::prefix, "type", Type::enum_net_type, nothing, prefix_type},
    {Type::prefix, "len", Type::int_, nothing, prefix_length},
    {Type::prefix, "ip", Type::ip, nothing, prefix_ip},
    {Type::prefix, "rd", Type::rd, nothing, needs_vpn},
    {Type::prefix, "src", Type::prefix, nothing, needs_flow},
    {Type::prefix, "dst", Type::prefix, nothing, needs_flow},
    {Type::prefix, "maxlen", Type::int_, nothing, needs_roa},
    {Type::prefix, "asn", Type::int_, nothing, needs_roa_or_aspa},
    {Type::prefix, "mac", Type::mac, nothing, needs_ethernet},
    {Type::prefix, "vlan_id", Type::int_, nothing, needs_ethernet},
    {Type::prefix, "evpn_type", Type::enum_net_evpn_type, nothing, needs_evpn},
    {Type::prefix, "evpn_tag", Type::int_, nothing, needs_evpn},
    {Type::prefix, "evpn_esi", Type::bytestring, nothing, needs_evpn},
    {Type::prefix, "router_ip", Type::ip, nothing, needs_evpn},
    {Type::pair, "asn", Type::int_, nothing, pair_as},
    {Type::pair, "data", Type::int_, nothing, pair_data},
    {Type::lc, "asn", Type::int_, nothing, large_as},
    {Type::lc, "data1", Type::int_, nothing, large_data1},
    {Type::lc, "data2", Type::int_, nothing, large_data2},
    {Type::as_path, "first", Type::int_, nothing, path_first},
    {Type::as_path, "last", Type::int_, nothing, path_last},
    {Type::as_path, "last_nonaggregated", Type::int_, nothing, path_last_nonaggregated},
    {Type::as_path, "len", Type::int_, nothing, path_len},
    {Type::as_path, "empty", Type::as_path, nothing, list_empty},
    {Type::as_path, "prepend", Type::as_path, an_int, path_prepend},
    {Type::as_path, "delete", Type::as_path, int_or_set, path_delete},
    {Type::as_path, "filter", Type::as_path, a_set, path_filter},
    {Type::community_list, "len", Type::int_, nothing, list_len<Plain>},
    {Type::community_list, "empty", Type::community_list, nothing, list_empty},
    {Type::community_list, "min", Type::pair, nothing, list_min<Plain>},
    {Type::community_list, "max", Type::pair, nothing, list_max<Plain>},
    {Type::community_list, "add", Type::community_list, clist_add, list_add<Plain>},
    {Type::community_list, "delete", Type::community_list, clist_delete, list_delete<Plain>},
    {Type::community_list, "filter", Type::community_list, clist_filter, list_filter<Plain>},
    {Type::extended_list, "len", Type::int_, nothing, list_len<Extended>},
    {Type::extended_list, "empty", Type::extended_list, nothing, list_empty},
    {Type::extended_list, "min", Type::ec, nothing, list_min<Extended>},
    {Type::extended_list, "max", Type::ec, nothing, list_max<Extended>},
    {Type::extended_list, "add", Type::extended_list, eclist_add, list_add<Extended>},
    {Type::extended_list, "delete", Type::extended_list, eclist_delete, list_delete<Extended>},
    {Type::extended_list, "filter", Type::extended_list, eclist_filter, list_filter<Extended>},
    {Type::large_list, "len", Type::int_, nothing, list_len<Large>},
    {Type::large_list, "empty", Type::large_list, nothing, list_empty},
    {Type::large_list, "min", Type::lc, nothing, list_min<Large>},
    {Type::large_list, "max", Type::lc, nothing, list_max<Large>},
    {Type::large_list, "add", Type::large_list, lclist_add, list_add<Large>},
    {Type::large_list, "delete", Type::large_list, lclist_delete, list_delete<Large>},
    {Type::large_list, "filter", Type::large_list, lclist_filter, list_filter<Large>},
    {Type::string, "append", Type::string, a_string, text_append},
    {Type::bytestring, "append", Type::bytestring, a_bytestring, text_append},
});

}  // namespace

bool Method::accepts_type(Type type) const {
    return std::find(accepts.begin(), accepts.end(), type) != accepts.end();
}

std::span<const Method> methods() {
    return table;
}

const Method* find_method(Type object, std::string_view name) {
    for (const Method& row : table) {
        if (row.object == object && row.name == name) return &row;
    }
    return nullptr;
}

namespace ops {

bool method(Machine& m, Instruction i) {
    const Method& row = table[i.b];
    m.top -= i.a;
    Value* const values = m.top;
    if (!values[0].is(row.object)) {
        return m.fail(fmt::format("Argument 1 of '{}' must be {}, got {}", row.name,
                                  attr::type_name(row.object), attr::type_name(values[0].type())));
    }
    if (i.a > 1 && !row.accepts_type(values[1].type())) {
        return m.fail(fmt::format("Argument 2 of '{}' must be {}, got {}", row.name,
                                  attr::type_name(row.accepts[0]),
                                  attr::type_name(values[1].type())));
    }
    if (!row.function(m, values)) return false;
    ++m.top;
    return true;
}

}  // namespace ops
}  // namespace tern::filter
