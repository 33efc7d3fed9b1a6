#include "router/attr/attribute_list.h"

#include "alloc/arena.h"

#include <algorithm>

namespace tern::attr {

namespace {

constexpr unsigned first_room = 16;  // more than a usual BGP route has

}  // namespace

void AttributeList::grow() {
    const unsigned room = room_ == 0 ? first_room : room_ * 2;
    auto* fresh = static_cast<Item*>(arena_->allocate(room * sizeof(Item), alignof(Item)));
    std::copy(items_, items_ + count_, fresh);
    items_ = fresh;
    room_ = room;
}

AttributeList::Item* AttributeList::find_item(AttributeId id) const {
    for (unsigned i = count_; i-- > 0;) {
        if (items_[i].ref.id <= id) return items_[i].ref.id == id ? &items_[i] : nullptr;
    }
    return nullptr;
}

AttributeList::Item& AttributeList::item_for(AttributeId id) {
    unsigned place = count_;
    while (place > 0 && items_[place - 1].ref.id > id)
        --place;
    if (place > 0 && items_[place - 1].ref.id == id) return items_[place - 1];
    if (count_ == room_) grow();
    std::copy_backward(items_ + place, items_ + count_, items_ + count_ + 1);
    ++count_;
    return items_[place];
}

void AttributeList::set(const AttributeRef& attribute) {
    Item& item = item_for(attribute.id);
    item.ref = attribute;
    item.removed = false;
}

void AttributeList::set_bytes(AttributeId id, ValueType type, Bytes bytes) {
    set_borrowed(id, type, arena_->copy(bytes));
}

void AttributeList::set_ip(AttributeId id, net::IpAddress address) {
    auto* bytes = static_cast<std::uint8_t*>(arena_->allocate(16, 1));
    address.is_v4() ? address.store4(bytes) : address.store16(bytes);
    set_borrowed(id, ValueType::ip, {bytes, address.is_v4() ? 4U : 16U});
}

void AttributeList::set_value(AttributeId id, const Value& value) {
    if (is_word(value.type())) {
        set_word(id, value.type(), value.word());
        return;
    }
    std::uint8_t bytes[18] = {};
    std::size_t size = 0;
    switch (value.type()) {
        case ValueType::ip:
            set_ip(id, value.ip());
            return;
        case ValueType::ec:
            store_u64(bytes, value.ec());
            size = 8;
            break;
        case ValueType::rd:
            store_u64(bytes, value.rd().value());
            size = 8;
            break;
        case ValueType::mac:
            for (const std::uint8_t byte : value.mac().to_bytes())
                bytes[size++] = byte;
            break;
        case ValueType::lc:
            store_u32(bytes, value.lc().as);
            store_u32(bytes + 4, value.lc().data1);
            store_u32(bytes + 8, value.lc().data2);
            size = 12;
            break;
        case ValueType::prefix:
            value.prefix().address().store16(bytes);
            bytes[16] = static_cast<std::uint8_t>(value.prefix().type());
            bytes[17] = static_cast<std::uint8_t>(value.prefix().length());
            size = 18;
            break;
        case ValueType::set:
        case ValueType::prefix_set:
        case ValueType::as_path_mask:
        case ValueType::route:
        case ValueType::routes:
        case ValueType::void_:
            TERN_ASSERT(false, "value of a type that no attribute has: ", type_name(value.type()));
            return;
        default:
            set_bytes(id, value.type(), value.bytes());
            return;
    }
    set_bytes(id, value.type(), {bytes, size});
}

void AttributeList::unset(AttributeId id) {
    if (base_ == nullptr || !base_->has(id)) {
        Item* const item = find_item(id);
        if (item == nullptr) return;
        std::copy(item + 1, items_ + count_, item);
        --count_;
        return;
    }
    Item& item = item_for(id);
    item.ref = AttributeRef{.id = id};
    item.removed = true;
}

std::optional<AttributeRef> AttributeList::find(AttributeId id) const {
    if (const Item* item = find_item(id)) {
        if (item->removed) return std::nullopt;
        return item->ref;
    }
    return base_ == nullptr ? std::nullopt : base_->find(id);
}

bool AttributeList::fresh(AttributeId id) const {
    const Item* item = find_item(id);
    return item != nullptr && !item->removed;
}

}  // namespace tern::attr
