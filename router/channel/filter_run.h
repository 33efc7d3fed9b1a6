#pragma once
/// Runs a channel's filter over routes and interns what it changed. If the filter does not look at
/// the prefix the last result is reused for as long as attribute set, source and preference stay
/// the same, so a filter runs once per UPDATE and not once per prefix. Owned by an import or export
/// path and used in its loop only, without any table's domain. It keeps its last input and output
/// alive until `forget()`, the next different input, or its end.

#include "router/filter/filter.h"
#include "router/table/table.h"

namespace tern::channel {

struct FilterResult {
    bool accepted = false;
    const attr::AttributeSet* attributes = nullptr;  ///< valid until `forget()`
    std::uint16_t preference = 0;
    std::uint8_t fresh = 0;  ///< FreshAttribute bits
};

class FilterRun {
  public:
    FilterRun(const table::TableServices& services, filter::Environment& environment);
    FilterRun(const FilterRun&) = delete;
    FilterRun& operator=(const FilterRun&) = delete;
    ~FilterRun();

    /// The filter to run from now on; null rejects everything.
    void use(const filter::Filter* filter);

    [[nodiscard]] const filter::Filter* filter() const { return filter_; }

    /// The result stays valid until `forget()`; a batch calls that once at its end.
    FilterResult run(const net::Prefix& prefix, const table::RouteValue& route);
    /// Drops the uses of the last input and of all results since the last call. Results handed out
    /// stay valid until then, so a batch calls it once at its end.
    void forget();

  private:
    FilterResult evaluate(const net::Prefix& prefix, const table::RouteValue& route);

    table::TableServices services_;
    filter::Environment& environment_;
    const filter::Filter* filter_ = nullptr;
    table::RouteValue last_input_;
    FilterResult last_result_;
    bool has_last_ = false;
    std::vector<const attr::AttributeSet*> held_;  // inputs and results with a use each
};

}  // namespace tern::channel
