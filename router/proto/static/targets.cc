#include "router/proto/static/targets.h"

#include "alloc/arena.h"
#include "router/filter/filter.h"
#include "router/iface/vrf.h"

#include <algorithm>
#include <unordered_map>

namespace tern::static_routes {

namespace {

/// No interface has this number: nothing is found in a VRF that does not exist.
constexpr iface::InterfaceIndex no_vrf = ~iface::InterfaceIndex{0};

attr::Destination destination_of(TargetKind kind) {
    switch (kind) {
        case TargetKind::blackhole:
            return attr::Destination::blackhole;
        case TargetKind::unreachable:
            return attr::Destination::unreachable;
        case TargetKind::prohibit:
            return attr::Destination::prohibit;
        case TargetKind::via:
        case TargetKind::recursive:
            break;
    }
    return attr::Destination::unicast;
}

/// Old numbers by hash of the target.
class OldTargets {
  public:
    explicit OldTargets(std::size_t count) { numbers_.reserve(count); }

    void add(const Target& target, std::uint32_t number) {
        numbers_.emplace(target.hash(), Entry{&target, number});
    }

    [[nodiscard]] std::uint32_t find(const Target& target) const {
        const auto [begin, end] = numbers_.equal_range(target.hash());
        for (auto it = begin; it != end; ++it) {
            if (*it->second.target == target) return it->second.number;
        }
        return Targets::none;
    }

  private:
    struct Entry {
        const Target* target;
        std::uint32_t number;
    };

    std::unordered_multimap<std::size_t, Entry> numbers_;
};

}  // namespace

Targets::Targets(engine::Services& services, loops::Loop& loop, TargetObserver& observer)
    : services_(services),
      loop_(loop),
      observer_(observer),
      neighbors_(services.interfaces, loop),
      interfaces_event_(loops::callback<&Targets::on_interfaces>(*this)) {}

Targets::~Targets() {
    for (const State& state : states_) {
        if (state.attributes != nullptr) services_.attributes.release(state.attributes);
    }
    hops_.clear();
}

std::vector<std::uint32_t> Targets::assign(const StaticConfig& config) {
    const std::vector<Target>& targets = config.routes.targets();
    OldTargets old(states_.size());
    for (std::uint32_t i = 0; i < states_.size(); ++i)
        old.add(*states_[i].target, i);
    std::vector<std::uint32_t> old_of(targets.size(), none);
    std::vector<State> next(targets.size());
    for (std::size_t i = 0; i < targets.size(); ++i) {
        old_of[i] = old.find(targets[i]);
        if (old_of[i] != none) std::swap(next[i], states_[old_of[i]]);
        next[i].target = &targets[i];
        const filter::Filter* filter = targets[i].filter;
        next[i].filter_per_route = filter != nullptr && filter->reads_net();
    }
    for (const State& gone : states_) {
        if (gone.attributes != nullptr) services_.attributes.release(gone.attributes);
    }
    states_ = std::move(next);
    config_ = &config;
    const iface::VrfPlace place =
        iface::find_vrf(services_.interfaces, config.vrf_kind, config.vrf);
    vrf_ = place.exists ? place.vrf : no_vrf;
    if (config.vrf_kind == config::VrfKind::named && !interfaces_) {
        interfaces_.emplace(services_.interfaces, interfaces_event_, loop_);
    }
    watch_hops();
    watch_hosts();
    for (std::uint32_t i = 0; i < states_.size(); ++i) {
        if (old_of[i] == none) evaluate(i);
    }
    return old_of;
}

/// Makes the watches those of the present targets.
void Targets::watch_hops() {
    for (const auto& [key, hop] : hops_)
        hop->users.clear();
    for (std::uint32_t i = 0; i < states_.size(); ++i) {
        for (const Hop& hop : states_[i].target->hops) {
            std::unique_ptr<HopWatch>& watch = hops_[key_of(hop)];
            if (watch == nullptr) {
                watch = std::make_unique<HopWatch>();
                watch->owner = this;
                iface::NeighborKey key;
                key.address = hop.gateway;
                key.interface = hop.interface;
                key.vrf = vrf_;
                key.on_link = hop.onlink || hop.gateway.is_zero();
                key.check_link = config_->check_link;
                watch->watch = neighbors_.watch(key, on_hop, watch.get());
            }
            if (watch->users.empty() || watch->users.back() != i) watch->users.push_back(i);
        }
    }
    std::erase_if(hops_, [](const auto& entry) { return entry.second->users.empty(); });
}

void Targets::watch_hosts() {
    std::map<net::IpAddress, std::vector<std::uint32_t>> hosts;
    for (std::uint32_t i = 0; i < states_.size(); ++i) {
        const Target& target = *states_[i].target;
        if (target.kind == TargetKind::recursive) hosts[target.host].push_back(i);
    }
    for (const auto& [host, users] : hosts) {
        if (!hosts_.contains(host)) resolver(host.is_v4()).add(host);
    }
    for (const auto& [host, users] : hosts_) {
        if (!hosts.contains(host)) resolver(host.is_v4()).remove(host);
    }
    hosts_ = std::move(hosts);
    for (auto& each : resolvers_) {
        if (each != nullptr && each->hosts() == 0) each.reset();
    }
}

Resolver& Targets::resolver(bool v4) {
    std::unique_ptr<Resolver>& result = resolvers_[v4 ? 1 : 0];
    if (result == nullptr) {
        const config::TableConfig* config = v4 ? config_->igp_table_ip4 : config_->igp_table_ip6;
        table::Table* table = services_.tables.find(config->name);
        TERN_ASSERT(table != nullptr, "an IGP table does not exist");
        result = std::make_unique<Resolver>(Resolver::Setup{*table, services_.interfaces, loop_},
                                            static_cast<ResolverObserver&>(*this));
    }
    return *result;
}

void Targets::on_hop(iface::NeighborWatch&, void* context) {
    const auto& hop = *static_cast<HopWatch*>(context);
    for (const std::uint32_t user : hop.users)
        hop.owner->update(user);
}

void Targets::host_changed(const net::IpAddress& host) {
    const auto found = hosts_.find(host);
    if (found == hosts_.end()) return;
    for (const std::uint32_t user : found->second)
        update(user);
}

/// The VRF's device may have come, gone or got another number: then all watches are wrong.
void Targets::on_interfaces() {
    if (!interfaces_) return;
    while (!interfaces_->take(256).empty()) {
    }
    const iface::VrfPlace place =
        iface::find_vrf(services_.interfaces, config_->vrf_kind, config_->vrf);
    const std::optional<iface::InterfaceIndex> vrf = place.exists ? place.vrf : no_vrf;
    if (vrf == vrf_) return;
    vrf_ = vrf;
    hops_.clear();
    watch_hops();
    for (std::uint32_t i = 0; i < size(); ++i)
        update(i);
}

void Targets::update(std::uint32_t number) {
    const attr::AttributeSet* before = states_[number].attributes;
    if (before != nullptr) services_.attributes.add_use(before);
    evaluate(number);
    const bool changed = states_[number].attributes != before;
    if (before != nullptr) services_.attributes.release(before);
    if (changed) observer_.target_changed(number);
}

void Targets::evaluate(std::uint32_t number) {
    State& state = states_[number];
    const attr::AttributeSet* old = state.attributes;
    state.attributes = build(state);
    if (old != nullptr) services_.attributes.release(old);
}

/// The target's set, with a use; null if none of its next hops is there.
const attr::AttributeSet* Targets::build(State& state) {
    const alloc::Arena::Scope scratch(alloc::scratch());
    attr::AttributeList list(scratch.arena(), nullptr);
    const Target& target = *state.target;
    list.set_word(attr::core::source, attr::ValueType::enum_rts,
                  static_cast<std::uint32_t>(attr::RouteOrigin::static_));
    if (target.kind == TargetKind::via) {
        if (!build_hops(target, list)) return nullptr;
    } else if (target.kind == TargetKind::recursive) {
        build_host(target, list);
    } else {
        list.set_bytes(attr::core::next_hop, attr::ValueType::next_hops,
                       builder_.destination(destination_of(target.kind)));
    }
    if (target.filter == nullptr || state.filter_per_route) {
        return services_.attributes.intern(list);
    }
    const Filtered result = run_statements(state, {}, list);
    state.preference = result.preference;
    return result.attributes;
}

bool Targets::present(const Hop& hop) const {
    const auto found = hops_.find(key_of(hop));
    return found != hops_.end() && found->second->watch->state() == iface::NeighborState::present;
}

bool Targets::build_hops(const Target& target, attr::AttributeList& list) {
    std::vector<attr::NextHop> hops;
    for (const Hop& hop : target.hops) {
        const iface::NeighborWatch& watch = *hops_.at(key_of(hop))->watch;
        if (watch.state() != iface::NeighborState::present) continue;
        attr::NextHop out;
        out.gateway = hop.gateway;
        out.interface = InterfaceId(watch.interface()->index);
        out.weight = hop.weight;
        out.onlink = hop.onlink;
        hops.push_back(out);
    }
    if (hops.empty()) return false;
    const auto count = static_cast<unsigned>(hops.size());
    list.set_bytes(attr::core::next_hop, attr::ValueType::next_hops,
                   builder_.multipath(std::move(hops), count));
    return true;
}

/// A recursive route stays when its host cannot be reached, and says so.
void Targets::build_host(const Target& target, attr::AttributeList& list) {
    const Resolution& found = resolver(target.host.is_v4()).get(target.host);
    std::vector<std::uint8_t> encoded;
    attr::RecursiveNextHop{.host = target.host, .link_local = {}, .table = 0, .labels = {}}.encode(
        encoded);
    list.set_bytes(attr::core::recursive, attr::ValueType::recursive_next_hop, encoded);
    list.set_word(attr::core::igp_metric, attr::ValueType::int_, found.metric);
    if (found.destination == attr::Destination::unicast && !found.hops.empty()) {
        const auto count = static_cast<unsigned>(found.hops.size());
        list.set_bytes(attr::core::next_hop, attr::ValueType::next_hops,
                       builder_.multipath(found.hops, count));
    } else {
        list.set_bytes(attr::core::next_hop, attr::ValueType::next_hops,
                       builder_.destination(found.destination));
    }
}

/// A verdict does not count here: the statements only set attributes.
Targets::Filtered Targets::run_statements(const State& state,
                                          const net::Prefix& prefix,
                                          attr::AttributeList& list) {
    const config::ChannelConfig& channel = *config_->channels.front();
    const filter::RouteFacts facts{.protocol = config_->name,
                                   .from = {},
                                   .source = static_cast<std::uint32_t>(attr::RouteOrigin::static_),
                                   .preference = channel.preference.value_or(static_preference)};
    filter::RouteView view(list, prefix, facts);
    static_cast<void>(state.target->filter->run(view, services_.filter_environment));
    Filtered result{services_.attributes.intern(list), std::nullopt};
    if (view.preference_changed()) result.preference = view.preference();
    return result;
}

Targets::Filtered Targets::filter(std::uint32_t target, const net::Prefix& prefix) {
    const alloc::Arena::Scope scratch(alloc::scratch());
    attr::AttributeList list(scratch.arena(), states_[target].attributes);
    return run_statements(states_[target], prefix, list);
}

}  // namespace tern::static_routes
