#include "router/filter/type_checker.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

/// The part of the checker that evaluates literals of sets, case items and path masks.

namespace tern::filter {

using attr::Value;

namespace {

constexpr std::uint64_t pair_max = 0xffff;
constexpr std::uint64_t int_max = UINT32_MAX;
constexpr std::string_view reversed_pair = "From value cannot be higher that To value in pair sets";

SetKey lc_key(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
    return {a, b << 32 | c};
}

}  // namespace

Result<Value> TypeChecker::part(const Expression* e) {
    if (e->kind == ExpressionKind::literal) return e->value;
    // Items are evaluated where they stand; the parser made them for this literal only.
    auto& item = const_cast<Expression&>(*e);  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    return constant(item);
}

Result<std::uint32_t> TypeChecker::number_part(const Expression* e, std::uint64_t max) {
    const Result<Value> value = part(e);
    if (!value) return tl::unexpected(value.error());
    if (!value->is(Type::int_)) {
        return fail_at(e->position, "Number expected");
    }
    if (value->word() > max) {
        return fail_at(e->position, "Can't operate with value out of bounds in pair constructor");
    }
    return value->word();
}

Result<void> TypeChecker::add_value(const SetItem& item, Intervals& to) {
    const Expression* const low = item.parts[0].low;
    Result<Value> from = part(low);
    if (!from) return tl::unexpected(from.error());
    // A constant set or pair inside of brackets: `[ CONST, 5 ]`.
    Result<Value> until = item.parts[0].high == nullptr ? from : part(item.parts[0].high);
    if (!until) return tl::unexpected(until.error());
    if (to.type == Type::quad) {
        (void)promote(*from, Type::quad, library_);
        (void)promote(*until, Type::quad, library_);
    }
    const std::optional<SetKey> a = set_key(*from);
    const std::optional<SetKey> b = set_key(*until);
    if (!a || !b) return fail_at(item.position, "You can't create sets of this type.");
    if (from->type() != until->type()) {
        return fail_at(item.position, "Set items must have the same type");
    }
    if (to.type == Type::void_) to.type = from->type();
    if (to.type != from->type()) {
        return fail_at(item.position,
                       fmt::format("Type mismatch in set: {} and {}", attr::type_name(to.type),
                                   attr::type_name(from->type())));
    }
    if (*b < *a) return fail_at(item.position, "From value cannot be higher that To value");
    to.ranges.push_back({*a, *b});
    return {};
}

Result<void> TypeChecker::add_pair(const SetItem& item, Intervals& to) {
    std::uint32_t bounds[2][2] = {{0, 0xffff}, {0, 0xffff}};
    for (int i = 0; i < 2; ++i) {
        if (item.parts[i].low == nullptr) continue;
        const Result<std::uint32_t> low = number_part(item.parts[i].low, pair_max);
        if (!low) return tl::unexpected(low.error());
        const Result<std::uint32_t> high =
            item.parts[i].high == nullptr ? low : number_part(item.parts[i].high, pair_max);
        if (!high) return tl::unexpected(high.error());
        bounds[i][0] = *low;
        bounds[i][1] = *high;
    }
    if (item.explicit_end) {
        const Result<std::uint32_t> a = number_part(item.end[0], pair_max);
        if (!a) return tl::unexpected(a.error());
        const Result<std::uint32_t> b = number_part(item.end[1], pair_max);
        if (!b) return tl::unexpected(b.error());
        const SetKey low{0, std::uint64_t{bounds[0][0]} << 16 | bounds[1][0]};
        const SetKey high{0, std::uint64_t{*a} << 16 | *b};
        if (high < low) return fail_at(item.position, std::string(reversed_pair));
        to.ranges.push_back({low, high});
        return {};
    }
    if (bounds[0][0] > bounds[0][1] || bounds[1][0] > bounds[1][1]) {
        return fail_at(item.position, std::string(reversed_pair));
    }
    if (bounds[1][0] == 0 && bounds[1][1] == 0xffff) {
        to.ranges.push_back({{0, std::uint64_t{bounds[0][0]} << 16},
                             {0, std::uint64_t{bounds[0][1]} << 16 | 0xffff}});
        return {};
    }
    for (std::uint64_t a = bounds[0][0]; a <= bounds[0][1]; ++a) {
        to.ranges.push_back({{0, a << 16 | bounds[1][0]}, {0, a << 16 | bounds[1][1]}});
    }
    return {};
}

Result<void> TypeChecker::add_ec(const SetItem& item, Intervals& to) {
    Result<Value> key = part(item.parts[0].low);
    if (!key) return tl::unexpected(key.error());
    const bool address = key->is(Type::ip) || key->is(Type::quad);
    const bool wide = address || (key->is(Type::int_) && key->word() > 0xffff);
    Value low = Value::of_int(0);
    Value high = Value::of_int(wide && item.ec_kind != EcKind::generic ? 0xffff : UINT32_MAX);
    if (item.parts[1].low != nullptr) {
        const Result<std::uint32_t> from = number_part(item.parts[1].low, int_max);
        if (!from) return tl::unexpected(from.error());
        const Result<std::uint32_t> until =
            item.parts[1].high == nullptr ? from : number_part(item.parts[1].high, int_max);
        if (!until) return tl::unexpected(until.error());
        low = Value::of_int(*from);
        high = Value::of_int(*until);
    }
    const Result<std::uint64_t> a = make_extended(item.ec_kind, item.ec_unknown, *key, low);
    if (!a) return fail_at(item.position, a.error().text);
    const Result<std::uint64_t> b = make_extended(item.ec_kind, item.ec_unknown, *key, high);
    if (!b) return fail_at(item.position, b.error().text);
    if (*b < *a) return fail_at(item.position, "From value cannot be higher that To value");
    to.ranges.push_back({{0, *a}, {0, *b}});
    return {};
}

Result<void> TypeChecker::add_lc(const SetItem& item, Intervals& to) {
    std::uint64_t low[3] = {0, 0, 0};
    std::uint64_t high[3] = {int_max, int_max, int_max};
    for (int i = 0; i < 3; ++i) {
        if (item.parts[i].low != nullptr) {
            const Result<std::uint32_t> from = number_part(item.parts[i].low, int_max);
            if (!from) return tl::unexpected(from.error());
            low[i] = high[i] = *from;
        }
        const Expression* const end = item.explicit_end ? item.end[i] : item.parts[i].high;
        if (end == nullptr) continue;
        const Result<std::uint32_t> until = number_part(end, int_max);
        if (!until) return tl::unexpected(until.error());
        high[i] = *until;
    }
    const SetInterval range{lc_key(low[0], low[1], low[2]), lc_key(high[0], high[1], high[2])};
    if (range.high < range.low) {
        return fail_at(item.position, "From value cannot be higher that To value");
    }
    to.ranges.push_back(range);
    return {};
}

Result<void> TypeChecker::add_item(const SetItem& item, Intervals& to) {
    Type type = Type::void_;
    switch (item.shape) {
        case SetItem::Shape::value:
            return add_value(item, to);
        case SetItem::Shape::prefix:
            return fail_at(item.position, "Prefixes cannot be mixed with other set items");
        case SetItem::Shape::pair:
            type = Type::pair;
            break;
        case SetItem::Shape::ec:
            type = Type::ec;
            break;
        case SetItem::Shape::lc:
            type = Type::lc;
            break;
    }
    if (to.type == Type::void_) to.type = type;
    if (to.type != type) {
        return fail_at(item.position, fmt::format("Type mismatch in set: {} and {}",
                                                  attr::type_name(to.type), attr::type_name(type)));
    }
    if (type == Type::pair) return add_pair(item, to);
    return type == Type::ec ? add_ec(item, to) : add_lc(item, to);
}

Result<Value> TypeChecker::prefix_set(std::span<SetItem> items) {
    net::PrefixSet set;
    std::optional<net::NetType> family;
    for (const SetItem& item : items) {
        const Result<Value> value = part(item.parts[0].low);
        if (!value) return tl::unexpected(value.error());
        if (!value->is(Type::prefix)) return fail_at(item.position, "Network expected");
        const net::Prefix& prefix = value->prefix();
        if (!net::is_ip(prefix.type())) {
            return fail_at(item.position, "Only IP prefixes can be used in prefix sets");
        }
        if (family && *family != prefix.type()) {
            return fail_at(item.position, "Mixed IPv4/IPv6 prefixes in prefix set");
        }
        family = prefix.type();
        unsigned low = prefix.length();
        unsigned high = prefix.length();
        if (item.length == SetItem::Length::longer) high = prefix.max_length();
        if (item.length == SetItem::Length::shorter) low = 0;
        if (item.length == SetItem::Length::range) {
            if (item.length_low > item.length_high || item.length_high > prefix.max_length()) {
                return fail_at(item.position,
                               fmt::format("Invalid prefix pattern range: {{{}, {}}}",
                                           item.length_low, item.length_high));
            }
            low = item.length_low;
            high = item.length_high;
        }
        const bool added =
            set.add({prefix, static_cast<std::uint8_t>(low), static_cast<std::uint8_t>(high)});
        TERN_ASSERT(added, "the pattern was checked");
    }
    return Value::of_prefix_set(library_.add(std::move(set)));
}

Result<Value> TypeChecker::set_value(std::span<SetItem> items, Position position) {
    if (items.empty()) {
        return Value::of_set(library_.add(FilterSet(Type::int_, IntervalSet({}))));
    }
    // A constant of type prefix looks like any other name until it is evaluated.
    if (items[0].shape == SetItem::Shape::value && items[0].parts[0].high == nullptr) {
        const Result<Value> first = part(items[0].parts[0].low);
        if (!first) return tl::unexpected(first.error());
        if (first->is(Type::prefix)) return prefix_set(items);
    }
    if (items[0].shape == SetItem::Shape::prefix) return prefix_set(items);
    std::map<Type, std::vector<SetInterval>> by_type;
    for (const SetItem& item : items) {
        Intervals one;
        if (Checked checked = add_item(item, one); !checked) {
            return tl::unexpected(checked.error());
        }
        if (!is_set_element(one.type)) {
            return fail_at(position, "You can't create sets of this type.");
        }
        std::vector<SetInterval>& all = by_type[one.type];
        all.insert(all.end(), one.ranges.begin(), one.ranges.end());
    }
    std::vector<FilterSet> parts;
    for (auto& [type, ranges] : by_type)
        parts.emplace_back(type, IntervalSet(std::move(ranges)));
    return Value::of_set(library_.add(FilterSet(std::move(parts))));
}

namespace {

std::vector<attr::AsRange> ranges_of(const FilterSet& set) {
    std::vector<attr::AsRange> ranges;
    for (const SetInterval& interval : set.intervals().intervals()) {
        ranges.push_back({static_cast<std::uint32_t>(interval.low.low),
                          static_cast<std::uint32_t>(interval.high.low)});
    }
    return ranges;
}

/// One item as far as it is known; a hole keeps its ranges empty.
Result<attr::MaskItem> mask_item(const MaskItem& item) {
    using Kind = attr::MaskItem::Kind;
    const Expression* const low = item.low;
    const bool known = low != nullptr && low->kind == ExpressionKind::literal &&
                       (item.high == nullptr || item.high->kind == ExpressionKind::literal);
    switch (item.kind) {
        case MaskItem::Kind::any:
            return attr::MaskItem{Kind::asterisk, item.repeat, {}};
        case MaskItem::Kind::one:
            return attr::MaskItem{Kind::question, item.repeat, {}};
        case MaskItem::Kind::range:
            if (!known) return attr::MaskItem{Kind::range, item.repeat, {}};
            if (!low->value.is(Type::int_) || !item.high->value.is(Type::int_)) break;
            return attr::MaskItem{
                Kind::range, item.repeat, {{low->value.word(), item.high->value.word()}}};
        case MaskItem::Kind::asn:
            if (!known) return attr::MaskItem{Kind::number, item.repeat, {}};
            if (low->value.is(Type::set)) {
                const auto& set = static_cast<const FilterSet&>(low->value.set());
                if (!set.empty() && set.element() != Type::int_) break;
                return attr::MaskItem{Kind::set, item.repeat, ranges_of(set)};
            }
            if (!low->value.is(Type::int_)) break;
            return attr::MaskItem{
                Kind::number, item.repeat, {{low->value.word(), low->value.word()}}};
    }
    return fail_at(item.position, "Error resolving path mask template: value not an integer");
}

}  // namespace

Result<void> TypeChecker::path_mask(Expression& e) {
    std::vector<attr::MaskItem> items;
    bool holes = false;
    for (MaskItem& item : e.mask_items) {
        for (Expression* part_of_item : {item.low, item.high}) {
            if (part_of_item == nullptr) continue;
            if (Checked checked = expression(*part_of_item); !checked) return checked;
        }
        Result<attr::MaskItem> made = mask_item(item);
        if (!made) return tl::unexpected(made.error());
        const bool number =
            made->kind == attr::MaskItem::Kind::number || made->kind == attr::MaskItem::Kind::range;
        holes = holes || (number && made->ranges.empty());
        items.push_back(std::move(*made));
    }
    e.value = Value::of_mask(library_.add(attr::AsPathMask(std::move(items))));
    e.type = Type::as_path_mask;
    if (!holes) e.kind = ExpressionKind::literal;
    return {};
}

}  // namespace tern::filter
