#include "router/attr/core_attributes.h"
#include "router/attr/next_hop.h"
#include "router/filter/route_field.h"
#include "router/filter/vm.h"

#include <fmt/format.h>

/// Handlers for attributes, static attributes and what asks the environment.

namespace tern::filter {

using attr::NextHop;
using attr::NextHopListView;
using attr::Value;
using attr::ValueType;

namespace {

constexpr std::uint32_t implicit_null_label = 3;  // RFC 3032 section 2.1

NextHopListView hops_of(const RouteView& route) {
    const auto found = route.attributes().find(attr::core::next_hop);
    return found ? NextHopListView(found->bytes) : NextHopListView();
}

Value attribute_of(const RouteView& route, ValueType type, attr::AttributeId id) {
    const std::optional<attr::AttributeRef> found = route.attributes().find(id);
    if (found) return found->value();
    return is_empty_by_default(type) ? Value::of_bytes(type, {}) : Value();
}

Value interface_text(Machine& m, InterfaceId interface) {
    char name[16];
    if (interface.value() == 0 || m.environment == nullptr) return Value::of_string("");
    return Value::of_string(m.arena.copy(m.environment->interface_name(interface.value(), name)));
}

Value next_hop_field(Machine& m, RouteField field, const NextHopListView& hops) {
    const NextHop hop = hops.count() > 0 ? hops.front() : NextHop{};
    switch (field) {
        case RouteField::gw:
            return Value::of_ip(hop.gateway);
        case RouteField::ifname:
            return interface_text(m, hop.interface);
        case RouteField::ifindex:
            return Value::of_int(hop.interface.value());
        case RouteField::weight:
            return Value::of_int(hop.weight);
        case RouteField::gw_mpls:
            return Value::of_int(hop.labels.count > 0 ? hop.labels.labels[0] : implicit_null_label);
        case RouteField::dest:
            if (!hops.present()) return Value();
            return Value::of_word(ValueType::enum_rtd,
                                  static_cast<std::uint32_t>(hops.destination()));
        default:
            return Value::of_bool(hop.onlink);
    }
}

Value field_of(Machine& m, const RouteView& route, RouteField field) {
    switch (field) {
        case RouteField::net:
            return Value::of_prefix(route.net());
        case RouteField::proto:
            return Value::of_string(route.facts().protocol);
        case RouteField::preference:
            return Value::of_int(route.preference());
        case RouteField::source: {
            const auto found = route.attributes().find(attr::core::source);
            return Value::of_word(ValueType::enum_rts, found ? found->word : route.facts().source);
        }
        case RouteField::from: {
            const auto found = route.attributes().find(attr::core::from);
            return Value::of_ip(found ? found->ip() : route.facts().from);
        }
        default:
            return next_hop_field(m, field, hops_of(route));
    }
}

void put_hops(RouteView& route, Bytes encoded) {
    route.attributes().set_bytes(attr::core::next_hop, ValueType::next_hops, encoded);
    // What a filter says replaces what would have been looked up.
    if (route.attributes().has(attr::core::recursive)) {
        route.attributes().unset(attr::core::recursive);
    }
}

bool set_gateway(Machine& m, const Value& value) {
    const NextHopListView hops = hops_of(*m.route);
    const std::uint32_t interface = hops.count() > 0 ? hops.front().interface.value() : 0;
    if (m.environment == nullptr) return m.fail("Invalid gw address");
    const std::optional<GatewayPlace> place = m.environment->gateway(value.ip(), interface);
    if (!place) return m.fail("Invalid gw address");
    NextHop hop;
    hop.gateway = value.ip();
    hop.interface = InterfaceId(place->interface);
    attr::NextHopListBuilder builder;
    put_hops(*m.route, builder.single(hop));
    return true;
}

bool set_destination(Machine& m, const Value& value) {
    const auto destination = static_cast<attr::Destination>(value.word());
    if (destination == attr::Destination::unicast || destination > attr::Destination::prohibit) {
        return m.fail("Destination can be only changed to blackhole, unreachable or prohibit");
    }
    attr::NextHopListBuilder builder;
    put_hops(*m.route, builder.destination(destination));
    return true;
}

bool set_interface(Machine& m, const Value& value) {
    const std::uint32_t interface =
        m.environment == nullptr ? 0 : m.environment->interface_by_name(value.string());
    if (interface == 0) return m.fail("Invalid iface name");
    NextHop hop;
    hop.interface = InterfaceId(interface);
    attr::NextHopListBuilder builder;
    put_hops(*m.route, builder.single(hop));
    return true;
}

/// Edits every next hop; the list stays canonical.
template <class Edit>
void edit_hops(RouteView& route, Edit&& edit) {
    std::vector<NextHop> hops = hops_of(route).to_vector();
    if (hops.empty()) return;
    for (NextHop& hop : hops)
        edit(hop);
    attr::NextHopListBuilder builder;
    put_hops(route, builder.multipath(std::move(hops), limits::next_hops));
}

bool set_weight(Machine& m, const Value& value) {
    if (value.word() < 1 || value.word() > limits::next_hop_weight) {
        return m.fail("Setting weight value out of bounds");
    }
    edit_hops(*m.route,
              [&](NextHop& hop) { hop.weight = static_cast<std::uint16_t>(value.word()); });
    return true;
}

bool set_label(Machine& m, const Value& value) {
    const std::uint32_t label = value.word();
    if (label >= 1U << 20) return m.fail("Invalid MPLS label");
    if (hops_of(*m.route).count() == 0) return m.fail("No nexthop to add a MPLS label to");
    edit_hops(*m.route, [label](NextHop& hop) {
        hop.labels = {};
        if (label == implicit_null_label) return;
        hop.labels.count = 1;
        hop.labels.labels[0] = label;
    });
    return true;
}

bool set_preference(Machine& m, const Value& value) {
    if (value.word() > 0xffff) return m.fail("Preference must be at most 65535");
    m.route->set_preference(static_cast<std::uint16_t>(value.word()));
    return true;
}

bool store_field(Machine& m, RouteField field, const Value& value) {
    switch (field) {
        case RouteField::gw:
            return set_gateway(m, value);
        case RouteField::dest:
            return set_destination(m, value);
        case RouteField::ifname:
            return set_interface(m, value);
        case RouteField::weight:
            return set_weight(m, value);
        case RouteField::gw_mpls:
            return set_label(m, value);
        case RouteField::onlink:
            edit_hops(*m.route, [&](NextHop& hop) { hop.onlink = value.as_bool(); });
            return true;
        case RouteField::preference:
            return set_preference(m, value);
        case RouteField::source:
            m.route->attributes().set_value(attr::core::source, value);
            return true;
        case RouteField::from:
            m.route->attributes().set_ip(attr::core::from, value.ip());
            return true;
        case RouteField::net:
        case RouteField::proto:
        case RouteField::ifindex:
            break;
    }
    return m.fail("This static attribute is read-only.");
}

bool no_route(Machine& m) {
    return m.fail("No route to access");
}

const RouteView* route_of(const Value& value) {
    return value.is(ValueType::route) ? static_cast<const RouteView*>(value.route()) : nullptr;
}

}  // namespace

namespace ops {

bool get_attribute(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    m.push(attribute_of(*m.route, static_cast<ValueType>(i.a), i.b));
    return true;
}

bool get_attribute_of(Machine& m, Instruction i) {
    const RouteView* const route = route_of(m.top[-1]);
    if (route == nullptr) return no_route(m);
    m.top[-1] = attribute_of(*route, static_cast<ValueType>(i.a), i.b);
    return true;
}

bool set_attribute(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    const auto type = static_cast<ValueType>(i.a);
    Value value = *--m.top;
    if (type == ValueType::quad && value.is(ValueType::ip) && value.ip().is_v4()) {
        value = Value::of_word(ValueType::quad, value.ip().v4_value());
    }
    if (!value.is(type)) {
        return m.fail(fmt::format("Attempt to set attribute of type {} to {}",
                                  attr::type_name(type), attr::type_name(value.type())));
    }
    m.route->attributes().set_value(i.b, value);
    return true;
}

bool unset_attribute(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    m.route->attributes().unset(i.b);
    return true;
}

bool attribute_defined(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    m.push(Value::of_bool(m.route->attributes().has(i.b)));
    return true;
}

bool path_length(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    const auto found = m.route->attributes().find(i.b);
    const attr::AsPathView path(found ? found->bytes : Bytes{});
    m.push(Value::of_int(path.length_with_confederation()));
    return true;
}

bool get_field(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    m.push(field_of(m, *m.route, static_cast<RouteField>(i.a)));
    return true;
}

bool get_field_of(Machine& m, Instruction i) {
    const RouteView* const route = route_of(m.top[-1]);
    if (route == nullptr) return no_route(m);
    m.top[-1] = field_of(m, *route, static_cast<RouteField>(i.a));
    return true;
}

bool set_field(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    const auto field = static_cast<RouteField>(i.a);
    const Value value = *--m.top;
    if (!value.is(info(field).type)) {
        return m.fail(fmt::format("Attempt to set static attribute to incompatible type {}",
                                  attr::type_name(value.type())));
    }
    return store_field(m, field, value);
}

bool unset_field(Machine& m, Instruction i) {
    if (m.route == nullptr) return no_route(m);
    const bool from = static_cast<RouteField>(i.a) == RouteField::from;
    m.route->attributes().unset(from ? attr::core::from : attr::core::source);
    return true;
}

bool roa_check(Machine& m, Instruction i) {
    const Value& prefix = m.top[-2];
    const Value& asn = m.top[-1];
    if (!prefix.is(ValueType::prefix) || !asn.is(ValueType::int_)) {
        return m.fail("Invalid arguments of roa_check");
    }
    if (m.environment == nullptr) return m.fail("No ROA table to check");
    const RoaState state =
        m.environment->roa_check(m.code->constants[i.b].string(), prefix.prefix(), asn.word());
    --m.top;
    m.top[-1] = Value::of_word(ValueType::enum_roa, static_cast<std::uint32_t>(state));
    return true;
}

bool aspa_check(Machine& m, Instruction i) {
    const Value& value = m.top[-2];
    const Value& upstream = m.top[-1];
    if (!value.is(ValueType::as_path) || !upstream.is(ValueType::bool_)) {
        return m.fail("Invalid arguments of aspa_check");
    }
    if (m.environment == nullptr) return m.fail("No ASPA table to check");
    const attr::AsPathView path(value.bytes());
    AspaState state = AspaState::invalid;
    if (!path.empty() && !path.has_set() && !path.has_confederation()) {
        const std::span<std::uint32_t> hops =
            m.arena.make_array<std::uint32_t>(path.bytes().size() / 4);
        std::size_t count = 0;
        (void)path.any([&](AsNumber as) {
            hops[count++] = as.value();
            return false;
        });
        state = m.environment->aspa_check(m.code->constants[i.b].string(), hops.first(count),
                                          upstream.as_bool());
    }
    --m.top;
    m.top[-1] = Value::of_word(ValueType::enum_aspa, static_cast<std::uint32_t>(state));
    return true;
}

}  // namespace ops
}  // namespace tern::filter
