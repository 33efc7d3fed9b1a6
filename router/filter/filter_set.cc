#include "router/filter/filter_set.h"

#include "router/filter/type.h"

namespace tern::filter {

using attr::Value;
using attr::ValueType;

std::optional<SetKey> set_key(const Value& value) {
    switch (value.type()) {
        case ValueType::ec:
            return SetKey{0, value.ec()};
        case ValueType::rd:
            return SetKey{0, value.rd().value()};
        case ValueType::mac:
            return SetKey{0, value.mac().value()};
        case ValueType::ip:
            return SetKey{value.ip().high(), value.ip().low()};
        case ValueType::lc: {
            const attr::LargeCommunity lc = value.lc();
            return SetKey{lc.as, std::uint64_t{lc.data1} << 32 | lc.data2};
        }
        default:
            if (!is_set_element(value.type())) return std::nullopt;
            return SetKey{0, value.word()};
    }
}

Value value_of_key(ValueType type, SetKey key) {
    switch (type) {
        case ValueType::ec:
            return Value::of_ec(key.low);
        case ValueType::rd:
            return Value::of_rd(net::RouteDistinguisher(key.low));
        case ValueType::mac:
            return Value::of_mac(net::MacAddress(key.low));
        case ValueType::ip:
            return Value::of_ip(net::IpAddress::v6(key.high, key.low));
        case ValueType::lc:
            return Value::of_lc({static_cast<std::uint32_t>(key.high),
                                 static_cast<std::uint32_t>(key.low >> 32),
                                 static_cast<std::uint32_t>(key.low)});
        default:
            return Value::of_word(type, static_cast<std::uint32_t>(key.low));
    }
}

bool FilterSet::contains(const Value& value) const {
    for (const FilterSet& other : others_) {
        if (other.contains(value)) return true;
    }
    if (value.type() != element_) {
        // An IPv4 address stands for a quad, and the other way round.
        if (element_ == ValueType::quad && value.is(ValueType::ip) && value.ip().is_v4()) {
            return intervals_.contains32(value.ip().v4_value());
        }
        if (element_ == ValueType::ip && value.is(ValueType::quad)) {
            return contains(Value::of_ip(net::IpAddress::v4(value.word())));
        }
        return false;
    }
    if (attr::is_word(element_)) return intervals_.contains32(value.word());
    const std::optional<SetKey> key = set_key(value);
    return key && intervals_.contains(*key);
}

void FilterSet::append_intervals(std::string& out) const {
    bool first = true;
    for (const SetInterval& interval : intervals_.intervals()) {
        if (!first) out += ", ";
        first = false;
        attr::append_text(out, value_of_key(element_, interval.low));
        if (interval.low == interval.high) continue;
        out += "..";
        attr::append_text(out, value_of_key(element_, interval.high));
    }
}

void FilterSet::append(std::string& out) const {
    out += '[';
    append_intervals(out);
    for (const FilterSet& other : others_) {
        out += ", ";
        other.append_intervals(out);
    }
    out += ']';
}

}  // namespace tern::filter
