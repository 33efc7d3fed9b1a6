#include "router/filter/library.h"

namespace tern::filter {

std::string_view Library::keep(std::string_view text) {
    return arena_.copy(text);
}

Library::Mark Library::mark() const {
    return {codes_.size(), filters_.size(), prefix_sets_.size(), sets_.size(), masks_.size()};
}

void Library::rewind(const Mark& mark) {
    const auto shrink = [](auto& list, std::size_t size) {
        while (list.size() > size)
            list.pop_back();
    };
    shrink(filters_, mark.filters);
    shrink(codes_, mark.codes);
    shrink(prefix_sets_, mark.prefix_sets);
    shrink(sets_, mark.sets);
    shrink(masks_, mark.masks);
}

attr::Value Library::keep(const attr::Value& value) {
    using attr::ValueType;
    switch (value.type()) {
        case ValueType::string:
        case ValueType::bytestring:
        case ValueType::as_path:
        case ValueType::community_list:
        case ValueType::extended_list:
        case ValueType::large_list:
            return attr::Value::of_bytes(value.type(), arena_.copy<std::uint8_t>(value.bytes()));
        case ValueType::as_path_mask:
            return attr::Value::of_mask(add(value.mask()));
        default:
            return value;  // words, addresses, and sets, which are the library's already
    }
}

}  // namespace tern::filter
