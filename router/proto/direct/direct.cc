#include "router/proto/direct/direct.h"

#include "alloc/arena.h"
#include "router/attr/core_attributes.h"
#include "router/iface/pattern.h"
#include "router/iface/vrf.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::direct {
namespace {

class DirectRoutes final : public table::RouteClass {
  public:
    [[nodiscard]] unsigned order() const override { return 8; }

    [[nodiscard]] std::string info(const table::RouteValue& route,
                                   const table::SourceOwner&) const override {
        return fmt::format("({})", route.preference);
    }
};

class DirectOwner final : public table::SourceOwner {
  public:
    using SourceOwner::SourceOwner;

    [[nodiscard]] std::uint32_t source_kind() const override {
        return static_cast<std::uint32_t>(attr::RouteOrigin::device);
    }
};

const table::RouteClass& route_class() {
    static const DirectRoutes routes;
    return routes;
}

bool selected(const iface::Interface& interface,
              const iface::Address& address,
              const DirectConfig& config) {
    if (config.interfaces.empty()) return true;
    // A pattern list decides for an address as soon as one of its clauses fits.
    return std::any_of(config.interfaces.begin(), config.interfaces.end(),
                       [&](const config::InterfacePattern& pattern) {
                           return iface::matches(pattern, interface, &address);
                       });
}

}  // namespace

std::set<net::Prefix> networks_of(const iface::Interface& interface, const DirectConfig& config) {
    std::set<net::Prefix> result;
    if (!interface.up() || (config.check_link && !interface.link_up)) return result;
    if (!iface::in_vrf(interface, config.vrf_kind, config.vrf)) return result;
    for (const iface::Address& address : interface.addresses) {
        if (address.secondary) continue;
        if (address.scope == net::Scope::host || address.scope == net::Scope::link) continue;
        if (selected(interface, address, config)) result.insert(address.prefix);
    }
    return result;
}

Direct::Direct(engine::Instance& instance)
    : Protocol(instance),
      config_(static_cast<const DirectConfig*>(&instance.config())),
      event_(loops::callback<&Direct::on_interfaces>(*this)) {}

Direct::~Direct() {
    while (!known_.empty())
        forget(known_.begin()->first);
}

void Direct::start() {
    instance().set_owner(std::make_unique<DirectOwner>(route_class(), instance().config().name));
    instance().up();
    subscriber_.emplace(instance().services().interfaces, event_, instance().loop());
}

void Direct::shutdown(const engine::StopRequest&) {
    subscriber_.reset();
    event_.cancel();
    while (!known_.empty())
        forget(known_.begin()->first);
    instance().down();
}

bool Direct::reconfigure(const config::ProtocolConfig& next, config::Effect effect) {
    config_ = static_cast<const DirectConfig*>(&next);
    if (effect == config::Effect::none) return true;
    for (auto& [index, known] : known_) {
        update(known, networks_of(*known.interface, *config_), false);
    }
    flush();
    return true;
}

bool Direct::refresh_import(channel::Channel&) {
    for (auto& [index, known] : known_) {
        update(known, networks_of(*known.interface, *config_), true);
    }
    flush();
    return true;
}

void Direct::on_interfaces() {
    if (!subscriber_) return;
    for (const iface::Change& change : subscriber_->take(256)) {
        const iface::InterfaceIndex index = change.interface().index;
        if (change.has(iface::change_removed)) {
            const auto it = known_.find(index);
            if (it != known_.end()) update(it->second, {}, false);
            forget(index);
            continue;
        }
        const auto [it, fresh] = known_.try_emplace(index);
        Known& known = it->second;
        if (fresh) {
            known.source = instance().services().sources.acquire(*instance().owner(), index);
        }
        known.interface = change.after;
        update(known, networks_of(*change.after, *config_), change.has(iface::change_flapped));
    }
    flush();
}

channel::Channel* Direct::channel_for(const net::Prefix& prefix) const {
    channel::Channel* channel = instance().channel(prefix.is_v4() ? "ipv4" : "ipv6");
    if (channel == nullptr || channel->state() != channel::ChannelState::up) return nullptr;
    return channel;
}

const attr::AttributeSet* Direct::attributes_of(iface::InterfaceIndex index) {
    const alloc::Arena::Scope scratch(alloc::scratch());
    attr::AttributeList list(scratch.arena(), nullptr);
    attr::NextHopListBuilder builder;
    attr::NextHop hop;
    hop.interface = InterfaceId(index);
    list.set_bytes(attr::core::next_hop, attr::ValueType::next_hops, builder.single(hop));
    list.set_word(attr::core::source, attr::ValueType::enum_rts,
                  static_cast<std::uint32_t>(attr::RouteOrigin::device));
    return instance().services().attributes.intern(list);
}

/// `again`: also what was announced before.
void Direct::update(Known& known, const std::set<net::Prefix>& wanted, bool again) {
    const loops::Instant now = instance().loop().now();
    for (const net::Prefix& prefix : known.announced) {
        if (wanted.contains(prefix)) continue;
        channel::Channel* channel = channel_for(prefix);
        if (channel != nullptr) channel->import().withdraw(prefix, known.source);
    }
    if (!wanted.empty()) {
        const attr::AttributeSet* attributes = attributes_of(known.interface->index);
        for (const net::Prefix& prefix : wanted) {
            if (!again && known.announced.contains(prefix)) continue;
            channel::Channel* channel = channel_for(prefix);
            if (channel == nullptr) continue;
            channel->import().announce(prefix, attributes, known.source, now);
        }
        instance().services().attributes.release(attributes);
    }
    known.announced = wanted;
}

void Direct::forget(iface::InterfaceIndex index) {
    const auto it = known_.find(index);
    if (it == known_.end()) return;
    instance().services().sources.release(it->second.source);
    known_.erase(it);
}

void Direct::flush() {
    for (const auto& channel : instance().channels()) {
        if (channel->state() == channel::ChannelState::up) channel->import().flush();
    }
}

const engine::ProtocolDescriptor& descriptor() {
    static const engine::ProtocolDescriptor result = {
        .placement = engine::LoopPlacement::main,
        .start_phase = 2,
        .syntax = &syntax(),
        .exports = false,
        .create = engine::create<Direct>,
    };
    return result;
}

}  // namespace tern::direct
