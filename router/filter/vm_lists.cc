#include "router/attr/as_path.h"
#include "router/attr/community_set.h"
#include "router/filter/filter_set.h"
#include "router/filter/type.h"
#include "router/filter/vm.h"

#include <fmt/format.h>

/// Handlers for walking lists and for path masks with holes.

namespace tern::filter {

using attr::MaskItem;
using attr::Value;
using attr::ValueType;

namespace {

/// All members of a path as one run of 4-octet numbers.
Bytes flatten(alloc::Arena& arena, attr::AsPathView path) {
    std::uint8_t* const out = attr::path_room(arena, path.bytes().size());
    std::size_t size = 0;
    for (const attr::AsSegment segment : path) {
        std::memcpy(out + size, segment.numbers, std::size_t{segment.count} * 4);
        size += std::size_t{segment.count} * 4;
    }
    return {out, size};
}

struct Element {
    Value value;
    std::size_t size;
};

Element first_element(const Value& list) {
    const std::uint8_t* const at = list.bytes().data();
    switch (list.type()) {
        case ValueType::as_path:
            return {Value::of_int(load_u32(at)), 4};
        case ValueType::community_list:
            return {Value::of_word(ValueType::pair, load_u32(at)), 4};
        case ValueType::extended_list:
            return {Value::of_ec(attr::ExtendedTraits::load(at)), attr::ExtendedTraits::size};
        default:
            return {Value::of_lc(attr::LargeTraits::load(at)), attr::LargeTraits::size};
    }
}

/// Fills one hole of a mask; false if the value is neither an integer nor a set of integers.
bool fill(MaskItem& item, const Value& value) {
    if (value.is(ValueType::int_)) {
        item.ranges = {{value.word(), value.word()}};
        return true;
    }
    if (!value.is(ValueType::set)) return false;
    const auto& set = static_cast<const FilterSet&>(value.set());
    if (!set.empty() && set.element() != ValueType::int_) return false;
    item.kind = MaskItem::Kind::set;
    item.ranges.clear();
    for (const SetInterval& interval : set.intervals().intervals()) {
        item.ranges.push_back({static_cast<std::uint32_t>(interval.low.low),
                               static_cast<std::uint32_t>(interval.high.low)});
    }
    return true;
}

}  // namespace

namespace ops {

bool iterate(Machine& m, Instruction i) {
    const Value list = *--m.top;
    if (!is_empty_by_default(list.type())) {
        return m.fail(fmt::format("Can't iterate over {}", attr::type_name(list.type())));
    }
    const Bytes elements = list.is(ValueType::as_path)
                               ? flatten(m.arena, attr::AsPathView(list.bytes()))
                               : list.bytes();
    m.slot(i.a) = Value::of_bytes(list.type(), elements);
    return true;
}

bool next(Machine& m, Instruction i) {
    Value& rest = m.slot(i.a);
    if (rest.bytes().empty()) {
        m.jump(i.b);
        return true;
    }
    const Element element = first_element(rest);
    rest = Value::of_bytes(rest.type(), rest.bytes().subspan(element.size));
    m.push(element.value);
    return true;
}

/// The template has a `number` or `range` item without ranges for each hole; holes are on the stack
/// in order, ranges with two values.
bool make_mask(Machine& m, Instruction i) {
    std::vector<MaskItem> items = m.code->constants[i.b].mask().items();
    m.top -= i.a;
    const Value* hole = m.top;
    for (MaskItem& item : items) {
        const bool number = item.kind == MaskItem::Kind::number;
        const bool range = item.kind == MaskItem::Kind::range;
        if ((!number && !range) || !item.ranges.empty()) continue;
        bool good = fill(item, *hole);
        if (range) {
            good = good && hole[0].is(ValueType::int_) && hole[1].is(ValueType::int_);
            if (good) item.ranges[0].high = hole[1].word();
            ++hole;
        }
        ++hole;
        if (!good) return m.fail("Error resolving path mask template: value not an integer");
    }
    m.push(Value::of_mask(m.keep(attr::AsPathMask(std::move(items)))));
    return true;
}

}  // namespace ops
}  // namespace tern::filter
