#pragma once

/// An immutable set of attributes in one flat block: header, rows sorted by id, payload.
/// Made only by AttributeStore::intern, which gives equal sets the same pointer; use-counted there.
/// Reachable by raw pointer while a use is held or inside an RCU read section. It never changes and
/// never points outside of itself. Cost: 12 bytes, 8 per attribute, and the bare payload of those
/// that are not one word.

#include "router/attr/attribute_def.h"
#include "router/attr/value.h"

#include <atomic>
#include <cstdint>
#include <optional>

namespace tern::attr {

/// The first (or only) address of an ip attribute's payload: 4 bytes are IPv4, more begin with 16
/// of either family; `::` if there is none.
[[nodiscard]] inline net::IpAddress stored_ip(Bytes payload) {
    if (payload.size() == 4) return net::IpAddress::from_bytes(payload);
    return payload.size() < 16 ? net::IpAddress() : net::IpAddress::from_bytes(payload.first(16));
}

/// One attribute as seen in a set or list; borrows from it.
struct AttributeRef {
    AttributeId id = 0;
    ValueType type = ValueType::void_;
    std::uint8_t flags = 0;  ///< owner's: for BGP the path attribute flags octet
    std::uint32_t word = 0;  ///< value of word types
    Bytes bytes = {};        ///< value of the others

    [[nodiscard]] Value value() const;

    /// For ip attributes: the first (or only) address.
    [[nodiscard]] net::IpAddress ip() const { return stored_ip(bytes); }
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
    [[nodiscard]] net::IpAddress ip(AttributeId id) const { return stored_ip(bytes(id)); }

    [[nodiscard]] std::uint32_t hash() const { return hash_; }

    /// Bytes of the whole block.
    [[nodiscard]] std::size_t size() const { return sizeof(AttributeSet) + payload_end(count_); }

    [[nodiscard]] std::uint32_t uses() const { return uses_.load(std::memory_order_relaxed); }

  private:
    friend class AttributeStore;
    friend class AttributeList;

    /// As it stands in the block, and in the scratch block that intern() compares with.
    struct Row {
        AttributeId id;
        ValueType type;
        std::uint8_t flags;
        std::uint32_t word;  // value, or where in the body the payload ends
    };

    static_assert(sizeof(Row) == 8);

    AttributeSet(std::uint32_t hash, std::uint16_t count) : hash_(hash), count_(count) {}

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

    /// Where in the body the payloads of the first `count` attributes end, and the next one begins.
    [[nodiscard]] std::uint32_t payload_end(unsigned count) const;

    mutable std::atomic<std::uint32_t> uses_{1};
    std::uint32_t hash_;
    std::uint16_t count_;
    std::uint16_t spare_ = 0;
};

static_assert(sizeof(AttributeSet) == 12);

}  // namespace tern::attr
