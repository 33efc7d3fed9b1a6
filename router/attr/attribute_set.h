#pragma once

/// An immutable set of attributes in one flat block: header, rows sorted by id, payload.
/// Made only by AttributeStore::intern, which gives equal sets the same pointer; use-counted there.
/// Reachable by raw pointer while a use is held or inside an RCU read section. It never changes and
/// never points outside of itself. Cost: 24 bytes, 8 per attribute, and the payload of those that
/// are not one word.

#include "router/attr/attribute_def.h"
#include "router/attr/value.h"

#include <atomic>
#include <cstdint>
#include <optional>

namespace tern::attr {

/// One attribute as seen in a set or list; borrows from it.
struct AttributeRef {
    AttributeId id = 0;
    ValueType type = ValueType::void_;
    std::uint8_t flags = 0;  ///< owner's: for BGP the path attribute flags octet
    std::uint32_t word = 0;  ///< value of word types
    Bytes bytes = {};        ///< value of the others

    [[nodiscard]] Value value() const;

    /// For ip attributes: the first (or only) address.
    [[nodiscard]] net::IpAddress ip() const { return net::IpAddress::from_bytes(bytes.first(16)); }
};

class AttributeSet {
  public:
    AttributeSet(const AttributeSet&) = delete;
    AttributeSet& operator=(const AttributeSet&) = delete;

    [[nodiscard]] unsigned count() const { return count_; }

    /// Attribute number `index` in order of ids.
    [[nodiscard]] AttributeRef at(unsigned index) const;

    [[nodiscard]] std::optional<AttributeRef> find(AttributeId id) const {
        const int index = index_of(id);
        if (index < 0) return std::nullopt;
        return at(static_cast<unsigned>(index));
    }

    [[nodiscard]] bool has(AttributeId id) const { return index_of(id) >= 0; }

    /// The word of a word attribute, or `otherwise` if it is not there.
    [[nodiscard]] std::uint32_t word_or(AttributeId id, std::uint32_t otherwise) const {
        const int index = index_of(id);
        return index < 0 ? otherwise : rows()[index].word;
    }

    /// The payload; empty if it is not there.
    [[nodiscard]] Bytes bytes(AttributeId id) const {
        const int index = index_of(id);
        return index < 0 ? Bytes{} : at(static_cast<unsigned>(index)).bytes;
    }

    /// `::` if it is not there.
    [[nodiscard]] net::IpAddress ip(AttributeId id) const {
        const Bytes found = bytes(id);
        return found.size() < 16 ? net::IpAddress() : net::IpAddress::from_bytes(found.first(16));
    }

    [[nodiscard]] std::uint32_t hash() const { return hash_; }

    /// Bytes of the whole block.
    [[nodiscard]] std::size_t size() const { return sizeof(AttributeSet) + body_size_; }

    [[nodiscard]] std::uint32_t uses() const { return uses_.load(std::memory_order_relaxed); }

  private:
    friend class AttributeStore;
    friend class AttributeList;

    /// As it stands in the block, and in the scratch block that intern() compares with.
    struct Row {
        AttributeId id;
        ValueType type;
        std::uint8_t flags;
        std::uint32_t word;  // value, or offset in the body of {u32 length, bytes}
    };

    static_assert(sizeof(Row) == 8);

    AttributeSet(std::uint32_t hash, std::uint32_t body_size, std::uint16_t count)
        : hash_(hash), body_size_(body_size), count_(count) {}

    [[nodiscard]] const Row* rows() const { return reinterpret_cast<const Row*>(this + 1); }

    [[nodiscard]] const std::uint8_t* body() const {
        return reinterpret_cast<const std::uint8_t*>(this + 1);
    }

    [[nodiscard]] int index_of(AttributeId id) const {
        const Row* row = rows();
        for (unsigned i = 0; i < count_; ++i) {
            if (row[i].id >= id) return row[i].id == id ? static_cast<int>(i) : -1;
        }
        return -1;
    }

    mutable std::atomic<std::uint32_t> uses_{1};
    std::uint32_t hash_;
    std::uint32_t body_size_;
    std::uint16_t count_;
    std::uint16_t spare_ = 0;
    AttributeSet* next_dead_ = nullptr;  // the store's list of retired sets
};

static_assert(sizeof(AttributeSet) == 24);

}  // namespace tern::attr
