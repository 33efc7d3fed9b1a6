#pragma once

/// Everything of the filter language that one configuration owns: code, filters, sets, masks,
/// texts. Owned by the typed configuration and destroyed with it, after the last channel has left
/// its filters. Filled on the loop that reads the configuration; afterwards only read, from any
/// domain. It never gives out anything that outlives it.

#include "alloc/arena.h"
#include "router/attr/as_path_mask.h"
#include "router/filter/filter.h"
#include "router/filter/filter_set.h"
#include "router/net/trie.h"

#include <deque>
#include <memory>
#include <string_view>

namespace tern::filter {

class Library {
  public:
    explicit Library(alloc::Arena& arena) : arena_(arena) {}

    Library(const Library&) = delete;
    Library& operator=(const Library&) = delete;

    /// For bytes of constants; lives as long as the library.
    [[nodiscard]] alloc::Arena& arena() { return arena_; }

    [[nodiscard]] FunctionCode& new_code() { return codes_.emplace_back(); }

    const Filter& add_filter(const FunctionCode& code) {
        return filters_.emplace_back(code, limits_);
    }

    const net::PrefixSet& add(net::PrefixSet set) {
        return prefix_sets_.emplace_back(std::move(set));
    }

    const FilterSet& add(FilterSet set) { return sets_.emplace_back(std::move(set)); }

    const attr::AsPathMask& add(attr::AsPathMask mask) {
        return masks_.emplace_back(std::move(mask));
    }

    /// A copy that lives as long as the library.
    [[nodiscard]] std::string_view keep(std::string_view text);
    [[nodiscard]] attr::Value keep(const attr::Value& value);

    /// How much there was at a moment.
    struct Mark {
        std::size_t codes;
        std::size_t filters;
        std::size_t prefix_sets;
        std::size_t sets;
        std::size_t masks;
    };

    [[nodiscard]] Mark mark() const;
    /// Drops what was added since, which nobody may refer to. The arena stays as it is.
    void rewind(const Mark& mark);

    /// Of filters added from now on.
    void set_limits(StackLimits limits) { limits_ = limits; }

    [[nodiscard]] StackLimits limits() const { return limits_; }

  private:
    alloc::Arena& arena_;
    StackLimits limits_;
    std::deque<FunctionCode> codes_;
    std::deque<Filter> filters_;
    std::deque<net::PrefixSet> prefix_sets_;
    std::deque<FilterSet> sets_;
    std::deque<attr::AsPathMask> masks_;
};

}  // namespace tern::filter
