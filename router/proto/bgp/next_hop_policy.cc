#include "router/proto/bgp/next_hop_policy.h"

namespace tern::bgp {

namespace {

bool matches(HopSwitch setting, const SessionFacts* source) {
    switch (setting) {
        case HopSwitch::off:
            return false;
        case HopSwitch::on:
            return true;
        case HopSwitch::ibgp:
            return source != nullptr && source->kind == PeerKind::internal;
        case HopSwitch::ebgp:
            return source != nullptr && source->kind != PeerKind::internal;
    }
    return false;
}

bool is_zero(const wire::NextHop& hop) {
    return hop.address.is_unspecified() && hop.link_local.is_zero();
}

bool family_fits(const HopPolicy& policy, const wire::NextHop& hop) {
    if (policy.extended) return true;
    // A link-local address alone is an IPv6 next hop.
    const bool v4 = hop.link_local.is_zero() && hop.address.is_v4();
    return v4 == (policy.family.afi == wire::afi_ipv4);
}

bool on_link_of(const SessionFacts& session, InterfaceId interface) {
    return !session.multihop && session.interface != InterfaceId() &&
           session.interface == interface;
}

bool keeps(const HopPolicy& policy, const HopInputs& route, const SessionFacts& session) {
    if (matches(policy.self, route.source)) return false;
    if (matches(policy.keep, route.source)) return true;
    if (route.fresh) return true;
    if (!family_fits(policy, route.current)) return false;
    if (session.interior() && !is_zero(route.current)) return true;
    // RFC 4271 section 5.1.3 2 b: a third party on the link shared by all three.
    return route.source != nullptr && !route.source->multihop &&
           on_link_of(session, route.source->interface);
}

HopChoice replace(const HopPolicy& policy, const HopInputs& route, const SessionFacts& session) {
    const bool usable = !route.gateway.is_unspecified() && !route.gateway.is_link_local() &&
                        family_fits(policy, {route.gateway, {}}) &&
                        !matches(policy.self, route.source);
    if (usable && (session.interior() || on_link_of(session, route.gateway_interface))) {
        return {{route.gateway, {}}, false};
    }
    return {policy.own, true};
}

}  // namespace

std::string_view hop_error_text(HopError error) {
    switch (error) {
        case HopError::no_next_hop:
            return "Missing next hop";
        case HopError::neighbour_address:
            return "Next hop equal to neighbor address";
        case HopError::wrong_family:
            return "Next hop of wrong address family";
    }
    return "?";
}

Result<HopChoice, HopError> choose_next_hop(const HopPolicy& policy,
                                            const HopInputs& route,
                                            const SessionFacts& session) {
    const HopChoice choice = keeps(policy, route, session) ? HopChoice{route.current, false}
                                                           : replace(policy, route, session);
    if (is_zero(choice.hop)) return fail_with(HopError::no_next_hop);
    if (!family_fits(policy, choice.hop)) return fail_with(HopError::wrong_family);
    if (choice.hop.address == session.remote_address ||
        (!choice.hop.link_local.is_zero() && choice.hop.link_local == session.remote_address)) {
        return fail_with(HopError::neighbour_address);
    }
    return choice;
}

}  // namespace tern::bgp
