#include "router/filter/value_ops.h"

#include "router/attr/as_path_mask.h"
#include "router/attr/community_set.h"
#include "router/base/hash.h"
#include "router/filter/filter_set.h"
#include "router/net/trie.h"

namespace tern::filter {

using attr::Value;
using attr::ValueType;

namespace {

const FilterSet& set_of_value(const Value& value) {
    return static_cast<const FilterSet&>(value.set());
}

bool is_number(const Value& v) {
    return v.is(ValueType::int_) || v.is(ValueType::quad) ||
           (v.is(ValueType::ip) && v.ip().is_v4());
}

std::uint32_t number(const Value& v) {
    return v.is(ValueType::ip) ? v.ip().v4_value() : v.word();
}

bool path_matches_set(const Value& path, const FilterSet& set) {
    return set.element() == ValueType::int_ &&
           attr::AsPathView(path.bytes()).any([&set](AsNumber as) {
               return set.intervals().contains32(as.value());
           });
}

bool list_matches_set(const Value& list, const FilterSet& set) {
    const IntervalSet& keys = set.intervals();
    switch (list.type()) {
        case ValueType::community_list:
            // Plain lists also hold cluster ids, hence quad and ip sets.
            if (set.element() == ValueType::ip) {
                return attr::Communities(list.bytes()).any([&set](std::uint32_t c) {
                    return set.contains(Value::of_ip(net::IpAddress::v4(c)));
                });
            }
            return attr::is_word(set.element()) &&
                   attr::Communities(list.bytes()).any([&keys](std::uint32_t c) {
                       return keys.contains32(c);
                   });
        case ValueType::extended_list:
            return set.element() == ValueType::ec &&
                   attr::ExtendedCommunities(list.bytes()).any([&keys](std::uint64_t c) {
                       return keys.contains({0, c});
                   });
        default:
            return set.element() == ValueType::lc &&
                   attr::LargeCommunities(list.bytes()).any([&set](const attr::LargeCommunity& c) {
                       return set.contains(Value::of_lc(c));
                   });
    }
}

std::optional<bool> matches_set(const Value& a, const FilterSet& set) {
    if (set.empty()) return false;
    switch (a.type()) {
        case ValueType::as_path:
            return path_matches_set(a, set);
        case ValueType::community_list:
        case ValueType::extended_list:
        case ValueType::large_list:
            return list_matches_set(a, set);
        default:
            if (!set_key(a)) return std::nullopt;
            return set.contains(a);
    }
}

std::optional<bool> matches_prefix(const Value& a, const net::Prefix& prefix) {
    if (a.is(ValueType::ip)) return prefix.contains(a.ip());
    if (a.is(ValueType::prefix)) return a.prefix().subnet_of(prefix);
    return std::nullopt;
}

std::optional<bool> matches_prefix_set(const Value& a, const net::PrefixSet& set) {
    if (set.empty()) return false;
    if (a.is(ValueType::ip)) return set.contains(a.ip());
    if (a.is(ValueType::prefix)) return set.contains(a.prefix());
    return std::nullopt;
}

}  // namespace

bool values_equal(const Value& a, const Value& b) {
    if (a.is_void() || b.is_void()) return false;
    if (a.type() != b.type()) return is_number(a) && is_number(b) && number(a) == number(b);
    if (a.is(ValueType::set)) return set_of_value(a) == set_of_value(b);
    if (a.is(ValueType::prefix_set)) return a.prefix_set() == b.prefix_set();
    if (a.is(ValueType::as_path_mask)) return a.mask() == b.mask();
    return attr::equal(a, b);
}

std::optional<int> values_order(const Value& a, const Value& b) {
    if (a.type() == b.type()) return attr::compare(a, b);
    const bool quad_and_ip = (a.is(ValueType::quad) || b.is(ValueType::quad)) && is_number(a) &&
                             is_number(b) && !a.is(ValueType::int_) && !b.is(ValueType::int_);
    if (!quad_and_ip) return std::nullopt;
    return number(a) < number(b) ? -1 : number(a) > number(b) ? 1 : 0;
}

std::optional<bool> value_matches(const Value& a, const Value& b) {
    switch (b.type()) {
        case ValueType::prefix_set:
            return matches_prefix_set(a, b.prefix_set());
        case ValueType::set:
            return matches_set(a, set_of_value(b));
        case ValueType::prefix:
            return matches_prefix(a, b.prefix());
        case ValueType::string:
            if (!a.is(ValueType::string)) return std::nullopt;
            return pattern_matches(b.string(), a.string());
        case ValueType::as_path_mask:
            if (!a.is(ValueType::as_path)) return std::nullopt;
            return b.mask().matches(attr::AsPathView(a.bytes()));
        case ValueType::as_path:
            if (!a.is(ValueType::int_)) return std::nullopt;
            return attr::AsPathView(b.bytes()).contains(AsNumber(a.word()));
        case ValueType::community_list:
            if (a.is(ValueType::pair)) return attr::Communities(b.bytes()).contains(a.word());
            if (!is_number(a)) return std::nullopt;
            return attr::Communities(b.bytes()).contains(number(a));
        case ValueType::extended_list:
            if (!a.is(ValueType::ec)) return std::nullopt;
            return attr::ExtendedCommunities(b.bytes()).contains(a.ec());
        case ValueType::large_list:
            if (!a.is(ValueType::lc)) return std::nullopt;
            return attr::LargeCommunities(b.bytes()).contains(a.lc());
        default:
            return std::nullopt;
    }
}

bool pattern_matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;  // after the last star
    std::size_t star_text = 0;                  // where its match begins to be tried
    while (t < text.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = ++p;
            star_text = t;
            continue;
        }
        const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
        const std::size_t literal = escaped ? p + 1 : p;
        if (p < pattern.size() &&
            (pattern[literal] == text[t] || (!escaped && pattern[p] == '?'))) {
            p = literal + 1;
            ++t;
            continue;
        }
        if (star == std::string_view::npos) return false;
        p = star;
        t = ++star_text;
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

bool same_constant(const Value& a, const Value& b) {
    if (a.type() != b.type()) return false;
    return a.is_void() || values_equal(a, b);
}

std::uint64_t hash_constant(const Value& value) {
    const auto seed = static_cast<std::uint64_t>(value.type());
    if (attr::is_word(value.type())) return mix64(seed, value.word());
    switch (value.type()) {
        case ValueType::ip:
            return mix64(mix64(seed, value.ip().high()), value.ip().low());
        case ValueType::prefix:
            return mix64(seed, value.prefix().hash());
        case ValueType::string:
            return hash_bytes(value.bytes(), seed);
        case ValueType::ec:
            return mix64(seed, value.ec());
        case ValueType::lc:
            return mix64(mix64(seed, value.lc().as),
                         std::uint64_t{value.lc().data1} << 32 | value.lc().data2);
        default:
            return seed;
    }
}

}  // namespace tern::filter
