#include "router/proto/bgp/route_class.h"

#include "router/attr/as_path.h"
#include "router/attr/core_attributes.h"
#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/best_path.h"

#include <fmt/format.h>

namespace tern::bgp {

namespace {

constinit const BgpRouteClass the_class;

BestPathInputs inputs(const table::RouteValue& route, const table::SourceOwner& owner) {
    BestPathInputs in;
    in.attributes = route.attributes;
    in.session = &static_cast<const BgpOwner&>(owner).facts();
    in.time = static_cast<std::uint64_t>(route.time().microseconds());
    in.local_metric = route.attributes->word_or(attr::core::local_metric, 0);
    in.suppressed = route.has(table::route_suppressed);
    in.resolvable = !route.has(table::route_unresolvable);
    in.stale = route.has(table::route_long_lived_stale);
    return in;
}

std::string metric_text(const table::RouteValue& route) {
    if (route.has(table::route_unresolvable)) return "/-";
    const std::uint32_t metric = route.attributes->word_or(attr::core::local_metric, 0);
    if (metric == 0) return "";
    return metric >= metric_infinity ? "/?" : fmt::format("/{}", metric);
}

}  // namespace

BgpOwner::BgpOwner(std::string protocol_name, const SessionFacts& facts)
    : SourceOwner(the_class, std::move(protocol_name)), facts_(facts) {}

std::uint32_t BgpOwner::source_kind() const {
    return static_cast<std::uint32_t>(attr::RouteOrigin::bgp);
}

unsigned BgpRouteClass::order() const {
    return 50;
}

bool BgpRouteClass::better(const table::RouteValue& a,
                           const table::SourceOwner& owner_a,
                           const table::RouteValue& b,
                           const table::SourceOwner& owner_b) const {
    return bgp::better(inputs(a, owner_a), inputs(b, owner_b));
}

bool BgpRouteClass::mergeable(const table::RouteValue& a,
                              const table::SourceOwner& owner_a,
                              const table::RouteValue& b,
                              const table::SourceOwner& owner_b) const {
    return bgp::mergeable(inputs(a, owner_a), inputs(b, owner_b));
}

/// `(PREF[-][s][/METRIC]) [AS<last><i|e|?>]`, from the closing word of the destination on.
std::string BgpRouteClass::info(const table::RouteValue& route, const table::SourceOwner&) const {
    static constexpr std::string_view origins = "ie?";
    const std::uint32_t origin = route.attributes->word_or(attribute_id(wire::code::origin), 2);
    const attr::AsPathView path(route.attributes->bytes(attribute_id(wire::code::as_path)));
    const std::uint32_t last = path.last().value();
    return fmt::format(
        "({}{}{}{}) [{}{}]", route.preference, route.has(table::route_suppressed) ? "-" : "",
        route.has(table::route_long_lived_stale) ? "s" : "", metric_text(route),
        last == 0 ? "" : fmt::format("AS{}", last), origins[origin > 2 ? 2 : origin]);
}

const BgpRouteClass& route_class() {
    return the_class;
}

const SessionFacts* session_facts(const table::SourceOwner& owner) {
    const table::SourceOwner& original = owner.original();
    if (&original.route_class() != &the_class) return nullptr;
    return &static_cast<const BgpOwner&>(original).facts();
}

}  // namespace tern::bgp
