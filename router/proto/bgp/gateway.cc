#include "router/proto/bgp/gateway.h"

#include "router/attr/core_attributes.h"
#include "router/proto/bgp/best_path.h"

namespace tern::bgp {

namespace {

/// Distance to a host over a route of the IGP table. A network on the link has none; a route that
/// does not say is unknown.
std::uint32_t distance(const attr::AttributeSet& via, const attr::NextHopListView& hops) {
    if (via.has(attr::core::igp_metric)) return via.word_or(attr::core::igp_metric, 0);
    return hops.front().gateway.is_zero() ? 0 : attr::metric_unknown;
}

}  // namespace

const Gateway& Gateways::find(const wire::NextHop& hop) {
    const std::uint64_t epoch = rules_.recursive ? 0 : interfaces_.epoch();
    if (epoch != epoch_) {
        epoch_ = epoch;
        known_.clear();
        last_ = nullptr;
    }
    if (last_ != nullptr && last_->hop == hop) return *last_;
    const auto found = known_.find(hop);
    last_ =
        found != known_.end() ? &found->second : &known_.emplace(hop, resolve(hop)).first->second;
    return *last_;
}

std::vector<Gateway> Gateways::changed() {
    std::vector<Gateway> different;
    for (auto& [hop, known] : known_) {
        Gateway now = resolve(hop);
        if (now == known) continue;
        known = now;
        different.push_back(std::move(now));
    }
    return different;
}

Gateway Gateways::resolve(const wire::NextHop& hop) const {
    Gateway gateway;
    gateway.hop = hop;
    rules_.recursive ? resolve_recursive(gateway) : resolve_direct(gateway);
    if (!gateway.reachable) {
        attr::NextHopListBuilder builder;
        const Bytes unreachable = builder.destination(attr::Destination::unreachable);
        gateway.next_hops.assign(unreachable.begin(), unreachable.end());
        gateway.metric = metric_infinity;
    } else if (rules_.cost != 0) {
        gateway.metric = rules_.cost;
    }
    return gateway;
}

void Gateways::resolve_direct(Gateway& gateway) const {
    const bool local = !gateway.hop.link_local.is_zero() &&
                       (rules_.prefer_link_local || gateway.hop.address.is_zero());
    const net::IpAddress address = local ? gateway.hop.link_local : gateway.hop.address;
    attr::NextHop next;
    next.gateway = address;
    if (rules_.onlink) {
        next.interface = rules_.interface;
        next.onlink = true;
    } else {
        iface::Registry::Where where;
        if (address.is_link_local()) where.index = rules_.interface.value();
        const auto found = interfaces_.on_link(address, where);
        if (!found || found->is_local) return;
        next.interface = InterfaceId(found->interface->index);
    }
    attr::NextHopListBuilder builder;
    const Bytes encoded = builder.single(next);
    gateway.next_hops.assign(encoded.begin(), encoded.end());
    gateway.reachable = true;
}

/// Longest match among routes that do not themselves depend on a look-up: one level of indirection.
void Gateways::resolve_recursive(Gateway& gateway) const {
    table::Table* igp = gateway.hop.address.is_v4() ? rules_.igp4 : rules_.igp6;
    if (igp == nullptr) return;
    const net::IpAddress host = gateway.hop.address;
    table::Table::View view(*igp);
    net::PrefixIndex::Batch index(igp->services().index);
    const auto usable = [&](net::PrefixId id) {
        const table::Route* route = view.routes(id);
        return route != nullptr && route->usable() &&
               !route->attributes->has(attr::core::recursive);
    };
    const auto found = index.longest_match(net::Prefix::host(host), usable);
    if (!found) return;
    const attr::AttributeSet& via = *view.routes(*found)->attributes;
    const attr::NextHopListView hops = attr::next_hops(via);
    if (!hops.unicast()) return;
    std::vector<attr::NextHop> resolved = hops.to_vector();
    for (attr::NextHop& hop : resolved) {
        if (hop.gateway.is_zero()) hop.gateway = host;
    }
    attr::NextHopListBuilder builder;
    const Bytes encoded = builder.multipath(std::move(resolved), 255);
    gateway.next_hops.assign(encoded.begin(), encoded.end());
    gateway.metric = distance(via, hops);
    gateway.reachable = true;
}

}  // namespace tern::bgp
