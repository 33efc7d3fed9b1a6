#pragma once

/// The three kinds of community lists over their wire bytes: views and operations making new lists
/// in the caller's arena. Pure, any domain. Order is kept: add appends, duplicates are ignored;
/// sort only where asked. Lists never hold half an element; the decoder has checked the length.
/// Source: RFC 1997, RFC 4360, RFC 8092.

#include "router/attr/value.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

namespace tern::alloc {
class Arena;
}

namespace tern::attr {

/// Arena memory for list operations; bytes, no alignment needed.
[[nodiscard]] std::uint8_t* list_room(alloc::Arena& arena, std::size_t bytes);

struct PlainTraits {
    using Element = std::uint32_t;  ///< high 16 bits AS, low 16 bits data
    static constexpr std::size_t size = 4;

    static Element load(const std::uint8_t* at) { return load_u32(at); }

    static void store(std::uint8_t* at, Element v) { store_u32(at, v); }
};

struct ExtendedTraits {
    using Element = std::uint64_t;
    static constexpr std::size_t size = 8;

    static Element load(const std::uint8_t* at) { return load_u64(at); }

    static void store(std::uint8_t* at, Element v) { store_u64(at, v); }
};

struct LargeTraits {
    using Element = LargeCommunity;
    static constexpr std::size_t size = 12;

    static Element load(const std::uint8_t* at) {
        return {load_u32(at), load_u32(at + 4), load_u32(at + 8)};
    }

    static void store(std::uint8_t* at, const Element& v) {
        store_u32(at, v.as);
        store_u32(at + 4, v.data1);
        store_u32(at + 8, v.data2);
    }
};

template <class Traits>
class CommunityView {
  public:
    using Element = typename Traits::Element;

    CommunityView() = default;

    explicit CommunityView(Bytes wire)
        : wire_(wire.first(wire.size() - wire.size() % Traits::size)) {}

    [[nodiscard]] std::size_t size() const { return wire_.size() / Traits::size; }

    [[nodiscard]] bool empty() const { return wire_.empty(); }

    [[nodiscard]] Element at(std::size_t index) const {
        return Traits::load(wire_.data() + index * Traits::size);
    }

    [[nodiscard]] Bytes bytes() const { return wire_; }

    [[nodiscard]] bool contains(const Element& wanted) const {
        return any([&wanted](const Element& e) { return e == wanted; });
    }

    template <class Predicate>
    [[nodiscard]] bool any(Predicate&& predicate) const {
        for (std::size_t i = 0; i < size(); ++i) {
            if (predicate(at(i))) return true;
        }
        return false;
    }

    [[nodiscard]] std::optional<Element> min() const {
        std::optional<Element> best;
        for (std::size_t i = 0; i < size(); ++i) {
            if (!best || at(i) < *best) best = at(i);
        }
        return best;
    }

    [[nodiscard]] std::optional<Element> max() const {
        std::optional<Element> best;
        for (std::size_t i = 0; i < size(); ++i) {
            if (!best || *best < at(i)) best = at(i);
        }
        return best;
    }

    /// The list with `element` at its end, or this list if it is in already.
    [[nodiscard]] Bytes added(alloc::Arena& arena, const Element& element) const {
        if (contains(element)) return wire_;
        std::uint8_t* const out = list_room(arena, wire_.size() + Traits::size);
        if (!wire_.empty()) std::memcpy(out, wire_.data(), wire_.size());
        Traits::store(out + wire_.size(), element);
        return {out, wire_.size() + Traits::size};
    }

    /// The list with those elements of `other` that it does not have.
    [[nodiscard]] Bytes merged(alloc::Arena& arena, const CommunityView& other) const {
        std::uint8_t* const out = list_room(arena, wire_.size() + other.wire_.size());
        if (!wire_.empty()) std::memcpy(out, wire_.data(), wire_.size());
        std::size_t bytes = wire_.size();
        for (std::size_t i = 0; i < other.size(); ++i) {
            if (CommunityView(Bytes(out, bytes)).contains(other.at(i))) continue;
            Traits::store(out + bytes, other.at(i));
            bytes += Traits::size;
        }
        return {out, bytes};
    }

    /// The elements for which `keep(element)` holds; this list if all are kept.
    template <class Predicate>
    [[nodiscard]] Bytes filtered(alloc::Arena& arena, Predicate&& keep) const {
        std::size_t first_out = 0;
        while (first_out < size() && keep(at(first_out)))
            ++first_out;
        if (first_out == size()) return wire_;
        std::uint8_t* const out = list_room(arena, wire_.size());
        std::size_t bytes = first_out * Traits::size;
        if (bytes != 0) std::memcpy(out, wire_.data(), bytes);
        for (std::size_t i = first_out + 1; i < size(); ++i) {
            const Element element = at(i);
            if (!keep(element)) continue;
            Traits::store(out + bytes, element);
            bytes += Traits::size;
        }
        return {out, bytes};
    }

    [[nodiscard]] Bytes removed(alloc::Arena& arena, const Element& element) const {
        return filtered(arena, [&element](const Element& e) { return !(e == element); });
    }

    [[nodiscard]] Bytes sorted(alloc::Arena& arena) const {
        std::uint8_t* const out = list_room(arena, wire_.size());
        for (std::size_t i = 0; i < size(); ++i) {  // insertion sort: lists are short
            const Element element = at(i);
            std::size_t place = i;
            for (; place > 0 && element < Traits::load(out + (place - 1) * Traits::size); --place) {
                std::memcpy(out + place * Traits::size, out + (place - 1) * Traits::size,
                            Traits::size);
            }
            Traits::store(out + place * Traits::size, element);
        }
        return {out, wire_.size()};
    }

  private:
    Bytes wire_;
};

using Communities = CommunityView<PlainTraits>;
using ExtendedCommunities = CommunityView<ExtendedTraits>;
using LargeCommunities = CommunityView<LargeTraits>;

/// Well-known communities (RFC 1997, RFC 8326, RFC 7999, RFC 9494).
namespace community {
inline constexpr std::uint32_t graceful_shutdown = 0xffff'0000;
inline constexpr std::uint32_t long_lived_stale = 0xffff'0006;
inline constexpr std::uint32_t no_long_lived = 0xffff'0007;
inline constexpr std::uint32_t blackhole = 0xffff'029a;
inline constexpr std::uint32_t no_export = 0xffff'ff01;
inline constexpr std::uint32_t no_advertise = 0xffff'ff02;
inline constexpr std::uint32_t no_export_subconfed = 0xffff'ff03;
}  // namespace community

/// RFC 4360, RFC 5668: two-octet AS and 32 bits, or four-octet AS / address and 16 bits. `subtype`
/// is 2 for route target, 3 for route origin.
[[nodiscard]] constexpr std::uint64_t ec_as2(std::uint8_t subtype,
                                             std::uint16_t as,
                                             std::uint32_t value) {
    return std::uint64_t{subtype} << 48 | std::uint64_t{as} << 32 | value;
}

[[nodiscard]] constexpr std::uint64_t ec_ip4(std::uint8_t subtype,
                                             std::uint32_t address,
                                             std::uint16_t value) {
    return std::uint64_t{0x01} << 56 | std::uint64_t{subtype} << 48 | std::uint64_t{address} << 16 |
           value;
}

[[nodiscard]] constexpr std::uint64_t ec_as4(std::uint8_t subtype,
                                             std::uint32_t as,
                                             std::uint16_t value) {
    return std::uint64_t{0x02} << 56 | std::uint64_t{subtype} << 48 | std::uint64_t{as} << 16 |
           value;
}

/// `(1,2)`.
void append_community(std::string& out, std::uint32_t community);
/// `(rt, 1, 2)`, `(ro, 1.2.3.4, 5)`, `(unknown 0x4102, 1.2.3.4, 5)`, `(generic, 0x43000000, 0x1)`.
void append_extended(std::string& out, std::uint64_t community);
/// `(1, 2, 3)`.
void append_large(std::string& out, const LargeCommunity& community);

}  // namespace tern::attr
