#include "router/filter/library.h"

namespace tern::filter {

std::string_view Library::keep(std::string_view text) {
    return arena_.copy(text);
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
