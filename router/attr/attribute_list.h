#pragma once

/// Attributes being built or edited: an overlay over an optional base set, kept in an arena.
/// A decoder fills an empty one; a filter edits one over a route's set. AttributeStore::intern
/// makes a set of it. Belongs to one batch, in whatever domain that runs; the base and the arena
/// must outlive it. It never changes its base and frees nothing: the arena does.

#include "router/attr/attribute_set.h"

#include <cstdint>
#include <optional>

namespace tern::alloc {
class Arena;
}

namespace tern::attr {

class AttributeList {
  public:
    /// `base` may be null.
    AttributeList(alloc::Arena& arena, const AttributeSet* base) : arena_(&arena), base_(base) {}

    [[nodiscard]] alloc::Arena& arena() const { return *arena_; }

    [[nodiscard]] const AttributeSet* base() const { return base_; }

    /// Word types.
    void set_word(AttributeId id, ValueType type, std::uint32_t word) {
        set({.id = id, .type = type, .word = word});
    }

    /// Other types; the bytes are copied into the arena.
    void set_bytes(AttributeId id, ValueType type, Bytes bytes);

    /// As set_bytes without a copy: the bytes live until intern() at least.
    void set_borrowed(AttributeId id, ValueType type, Bytes bytes) {
        set({.id = id, .type = type, .bytes = bytes});
    }

    void set_ip(AttributeId id, net::IpAddress address);

    /// From a filter value whose type fits the attribute; bytes are copied, words taken.
    void set_value(AttributeId id, const Value& value);

    /// With flags; bytes are borrowed. Replaces what was there.
    void set(const AttributeRef& attribute);

    void unset(AttributeId id);

    /// What a reader sees: overlay first, then base.
    [[nodiscard]] std::optional<AttributeRef> find(AttributeId id) const;

    [[nodiscard]] bool has(AttributeId id) const { return find(id).has_value(); }

    /// Whether the overlay (not the base) sets it: BGP export asks this for MED and NEXT_HOP.
    [[nodiscard]] bool fresh(AttributeId id) const;

    /// Whether anything was set or unset; if not, the base is the result.
    [[nodiscard]] bool modified() const { return count_ != 0; }

    /// Forgets the overlay, keeps its memory.
    void clear() { count_ = 0; }

    /// As clear(), over another base: one list serves many routes of a batch.
    void reset(const AttributeSet* base) {
        base_ = base;
        count_ = 0;
    }

    /// Calls `visit(const AttributeRef&)` for all attributes in order of ids.
    template <class Visitor>
    void for_each(Visitor&& visit) const {
        const unsigned base_count = base_ == nullptr ? 0 : base_->count();
        unsigned b = 0;
        for (unsigned i = 0; i < count_; ++i) {
            for (; b < base_count && base_->rows()[b].id < items_[i].ref.id; ++b)
                visit(base_->at(b));
            if (b < base_count && base_->rows()[b].id == items_[i].ref.id) ++b;
            if (!items_[i].removed) visit(items_[i].ref);
        }
        for (; b < base_count; ++b)
            visit(base_->at(b));
    }

  private:
    struct Item {
        AttributeRef ref;
        bool removed;
    };

    [[nodiscard]] Item* find_item(AttributeId id) const;
    Item& item_for(AttributeId id);
    void grow();

    alloc::Arena* arena_;
    const AttributeSet* base_;
    Item* items_ = nullptr;  // sorted by id, in the arena
    unsigned count_ = 0;
    unsigned room_ = 0;
};

}  // namespace tern::attr
