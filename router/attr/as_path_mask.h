#pragma once

/// Path masks of the filter language, `[= * 65000 ? =]`, matched against whole AS paths.
/// Built once from items (by the configuration or by a filter at run time), then read from any
/// domain. Matching moves a set of mask positions over the path: O(path * mask), no recursion, no
/// allocation. It never looks inside a set as a sequence: a set is one
/// position that matches if any member does.

#include "router/attr/as_path.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tern::attr {

struct AsRange {
    std::uint32_t low;
    std::uint32_t high;
    friend bool operator==(const AsRange&, const AsRange&) = default;
};

struct MaskItem {
    enum class Kind : std::uint8_t {
        number,    ///< ranges[0]
        range,     ///< ranges[0], printed as 5..7
        set,       ///< any of ranges; none matches nothing
        asterisk,  ///< any number of positions
        question,  ///< one position
    };
    Kind kind;
    bool repeated = false;  ///< `item+`: one or more of it
    std::vector<AsRange> ranges;

    friend bool operator==(const MaskItem&, const MaskItem&) = default;
};

class AsPathMask {
  public:
    AsPathMask() = default;

    static constexpr std::size_t items_max = 1023;

    /// Sets are sorted and overlapping ranges merged. At most items_max items; whoever reads them
    /// checks that.
    explicit AsPathMask(std::vector<MaskItem> items);

    [[nodiscard]] const std::vector<MaskItem>& items() const { return items_; }

    [[nodiscard]] bool matches(AsPathView path) const;

    /// `[= 1 2 + [3, 4] 5..7 * ? =]`.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const AsPathMask&, const AsPathMask&) = default;

  private:
    [[nodiscard]] bool item_accepts(const MaskItem& item, std::uint32_t as) const;
    [[nodiscard]] bool item_accepts(const MaskItem& item, const AsSegment& segment) const;
    /// Bit i set: the items before i have matched the path so far.
    using States = std::array<std::uint64_t, items_max / 64 + 1>;

    template <class Accepts>
    [[nodiscard]] States step(const States& states, Accepts&& accepts) const;
    void skip_asterisks(States& states) const;

    std::vector<MaskItem> items_;
};

}  // namespace tern::attr
