#include "router/attr/attribute_set.h"

namespace tern::attr {

Value AttributeRef::value() const {
    if (is_word(type)) return Value::of_word(type, word);
    switch (type) {
        case ValueType::ip:
            return bytes.size() < 4 ? Value() : Value::of_ip(ip());
        case ValueType::ec:
            return bytes.size() != 8 ? Value() : Value::of_ec(load_u64(bytes.data()));
        case ValueType::rd:
            return bytes.size() != 8
                       ? Value()
                       : Value::of_rd(net::RouteDistinguisher(load_u64(bytes.data())));
        case ValueType::mac:
            return bytes.size() != 6 ? Value() : Value::of_mac(net::MacAddress::from_bytes(bytes));
        case ValueType::lc:
            return bytes.size() != 12
                       ? Value()
                       : Value::of_lc({load_u32(bytes.data()), load_u32(bytes.data() + 4),
                                       load_u32(bytes.data() + 8)});
        case ValueType::prefix: {
            if (bytes.size() != 18) return {};
            const net::IpAddress address = net::IpAddress::from_bytes(bytes.first(16));
            const auto kind = static_cast<net::NetType>(bytes[16]);
            return Value::of_prefix(
                kind == net::NetType::ip4
                    ? net::Prefix::ip(address, bytes[17])
                    : net::Prefix::ip6(address.high(), address.low(), bytes[17]));
        }
        default:
            return Value::of_bytes(type, bytes);
    }
}

std::uint32_t AttributeSet::payload_end(unsigned count) const {
    for (const Row* row = rows() + count; row != rows();) {
        --row;
        if (!is_word(row->type)) return row->word;
    }
    return std::uint32_t{count_} * sizeof(Row);
}

AttributeRef AttributeSet::at(unsigned index) const {
    const Row& row = rows()[index];
    AttributeRef ref{.id = row.id, .type = row.type, .flags = row.flags};
    if (is_word(row.type)) {
        ref.word = row.word;
        return ref;
    }
    const std::uint32_t begin = payload_end(index);
    ref.bytes = {body() + begin, row.word - begin};
    return ref;
}

}  // namespace tern::attr
