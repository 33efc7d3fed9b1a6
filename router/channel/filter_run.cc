#include "router/channel/filter_run.h"

#include "alloc/arena.h"
#include "router/attr/core_attributes.h"
#include "router/channel/route_sink.h"

namespace tern::channel {

namespace {

constexpr attr::AttributeId bgp_next_hop = attr::bgp_base + 3;
constexpr attr::AttributeId bgp_med = attr::bgp_base + 4;

}  // namespace

FilterRun::FilterRun(const table::TableServices& services, filter::Environment& environment)
    : services_(services), environment_(environment) {}

FilterRun::~FilterRun() {
    forget();
}

void FilterRun::use(const filter::Filter* filter) {
    forget();
    filter_ = filter;
}

void FilterRun::forget() {
    for (const attr::AttributeSet* set : held_)
        services_.attributes.release(set);
    held_.clear();
    has_last_ = false;
}

FilterResult FilterRun::run(const net::Prefix& prefix, const table::RouteValue& route) {
    if (filter_ == nullptr || filter_->is_reject_all()) return {};
    if (filter_->is_accept_all()) return {true, route.attributes, route.preference, 0};
    const bool same = has_last_ && last_input_.attributes == route.attributes &&
                      last_input_.source == route.source &&
                      last_input_.preference == route.preference;
    if (same && !filter_->reads_net()) return last_result_;
    if (!same) {
        services_.attributes.add_use(route.attributes);
        held_.push_back(route.attributes);
    }
    last_result_ = evaluate(prefix, route);
    last_input_ = route;
    has_last_ = true;
    return last_result_;
}

FilterResult FilterRun::evaluate(const net::Prefix& prefix, const table::RouteValue& route) {
    const alloc::Arena::Scope scratch(alloc::scratch());
    const table::SourceOwner& owner = services_.sources.owner(route.source);
    attr::AttributeList list(scratch.arena(), route.attributes);
    const filter::RouteFacts facts{.protocol = owner.protocol_name(),
                                   .from = owner.from(),
                                   .source = owner.source_kind(),
                                   .preference = route.preference};
    filter::RouteView view(list, prefix, facts);
    if (filter_->run(view, environment_) != filter::Verdict::accept) return {};
    FilterResult result{true, route.attributes, view.preference(), 0};
    if (list.fresh(bgp_next_hop)) result.fresh |= fresh_next_hop;
    if (list.fresh(bgp_med)) result.fresh |= fresh_med;
    if (view.modified()) {
        result.attributes = services_.attributes.intern(list);
        held_.push_back(result.attributes);
    }
    return result;
}

}  // namespace tern::channel
