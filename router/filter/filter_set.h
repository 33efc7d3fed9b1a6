#pragma once

/// A set value of the filter language: intervals of one element type, with its text.
/// Owned by a Library and only read afterwards, from any domain. Kept apart from IntervalSet, which
/// knows numbers only. It never holds prefixes; those are net::PrefixSet.

#include "router/attr/value.h"
#include "router/filter/sets.h"

#include <optional>
#include <string>
#include <vector>

namespace tern::filter {

/// An element as a number that sorts like it; nothing for types that sets cannot hold.
[[nodiscard]] std::optional<SetKey> set_key(const attr::Value& value);
/// The way back.
[[nodiscard]] attr::Value value_of_key(attr::ValueType type, SetKey key);

class FilterSet final : public attr::SetText {
  public:
    FilterSet(attr::ValueType element, IntervalSet intervals)
        : element_(element), intervals_(std::move(intervals)) {}

    /// Elements of several types; `parts` are sorted by type and have one each.
    explicit FilterSet(std::vector<FilterSet> parts) : FilterSet(std::move(parts.front())) {
        others_.assign(std::make_move_iterator(parts.begin() + 1),
                       std::make_move_iterator(parts.end()));
    }

    /// Type of the elements, the first one of a mixed set.
    [[nodiscard]] attr::ValueType element() const { return element_; }

    [[nodiscard]] const IntervalSet& intervals() const { return intervals_; }

    [[nodiscard]] bool empty() const { return intervals_.empty(); }

    /// False for values of another type.
    [[nodiscard]] bool contains(const attr::Value& value) const;

    /// `[1, 2..5]`.
    void append(std::string& out) const override;

    friend bool operator==(const FilterSet& a, const FilterSet& b) {
        return a.element_ == b.element_ && a.intervals_ == b.intervals_ && a.others_ == b.others_;
    }

  private:
    void append_intervals(std::string& out) const;

    attr::ValueType element_;
    IntervalSet intervals_;
    std::vector<FilterSet> others_;  // of a mixed set; these have none themselves
};

}  // namespace tern::filter
