#pragma once

/// A set value of the filter language: intervals of one element type, with its text.
/// Owned by a Library and only read afterwards, from any domain. Kept apart from IntervalSet, which
/// knows numbers only. It never holds prefixes; those are net::PrefixSet.

#include "router/attr/value.h"
#include "router/filter/sets.h"

#include <optional>
#include <string>

namespace tern::filter {

/// An element as a number that sorts like it; nothing for types that sets cannot hold.
[[nodiscard]] std::optional<SetKey> set_key(const attr::Value& value);
/// The way back.
[[nodiscard]] attr::Value value_of_key(attr::ValueType type, SetKey key);

class FilterSet final : public attr::SetText {
  public:
    FilterSet(attr::ValueType element, IntervalSet intervals)
        : element_(element), intervals_(std::move(intervals)) {}

    [[nodiscard]] attr::ValueType element() const { return element_; }

    [[nodiscard]] const IntervalSet& intervals() const { return intervals_; }

    [[nodiscard]] bool empty() const { return intervals_.empty(); }

    /// False for values of another type.
    [[nodiscard]] bool contains(const attr::Value& value) const;

    /// `[1, 2..5]`.
    void append(std::string& out) const override;

    friend bool operator==(const FilterSet& a, const FilterSet& b) {
        return a.element_ == b.element_ && a.intervals_ == b.intervals_;
    }

  private:
    attr::ValueType element_;
    IntervalSet intervals_;
};

}  // namespace tern::filter
