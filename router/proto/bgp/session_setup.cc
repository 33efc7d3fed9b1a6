#include "router/proto/bgp/session_setup.h"

#include <algorithm>

namespace tern::bgp {

namespace {

/// With `extended next hop` the other family's next hops may be received (RFC 8950).
void add_channel(wire::Capabilities& capabilities, const BgpChannelConfig& channel) {
    capabilities.multiprotocol.push_back(channel.family);
    if (channel.extended_next_hop && channel.family.afi == wire::afi_ipv4) {
        capabilities.extended_next_hop.push_back({channel.family, wire::afi_ipv6});
    }
}

wire::Capabilities make_capabilities(const BgpConfig& config, std::string_view hostname) {
    wire::Capabilities capabilities;
    capabilities.present = config.capabilities.value_or(true);
    if (!capabilities.present) return capabilities;
    for (std::size_t i = 0; i < config.channels.size(); ++i) {
        add_channel(capabilities, *config.bgp_channel(i));
    }
    std::sort(capabilities.multiprotocol.begin(), capabilities.multiprotocol.end());
    std::sort(capabilities.extended_next_hop.begin(), capabilities.extended_next_hop.end());
    capabilities.route_refresh = config.enable_route_refresh;
    capabilities.enhanced_refresh = config.enable_route_refresh && config.enable_enhanced_refresh;
    capabilities.extended_message = config.enable_extended_messages;
    if (config.enable_as4) capabilities.as4 = config.local_as.value();
    capabilities.role = config.local_role;
    if (config.advertise_hostname) capabilities.hostname = std::string(hostname);
    return capabilities;
}

/// The AS our OPEN names: outside of the confederation its identifier.
AsNumber announced_as(const BgpConfig& config) {
    const bool outside = config.confederation.value() != 0 && !config.is_interior();
    return outside ? config.confederation : config.local_as;
}

}  // namespace

wire::OpenMessage make_open(const BgpConfig& config,
                            const LocalIdentity& identity,
                            bool capabilities) {
    wire::OpenMessage open;
    open.as = announced_as(config);
    open.hold_time = static_cast<std::uint16_t>(config.hold_time);
    open.router_id = identity.router_id;
    if (capabilities) open.capabilities = make_capabilities(config, identity.hostname);
    if (open.capabilities.as4) open.capabilities.as4 = open.as.value();
    return open;
}

NegotiationPolicy make_policy(const BgpConfig& config) {
    NegotiationPolicy policy;
    policy.local_as = announced_as(config);
    policy.remote_as = config.remote_as;
    policy.remote_rule = RemoteAsRule::exact;
    if (config.remote_as.value() == 0) {
        policy.remote_rule = config.is_internal() ? RemoteAsRule::internal : RemoteAsRule::external;
    }
    policy.min_hold_time = static_cast<std::uint16_t>(config.min_hold_time);
    policy.keepalive_time = static_cast<std::uint16_t>(config.keepalive_time.value_or(0));
    policy.min_keepalive_time = static_cast<std::uint16_t>(config.min_keepalive_time);
    policy.send_hold_time = config.send_hold_time;
    policy.require_roles = config.require_roles;
    policy.require_route_refresh = config.require_route_refresh;
    policy.require_enhanced_refresh = config.require_enhanced_refresh;
    policy.require_as4 = config.require_as4;
    policy.require_extended_messages = config.require_extended_messages;
    policy.require_hostname = config.require_hostname;
    policy.require_graceful_restart = config.require_graceful_restart;
    policy.require_long_lived = config.require_long_lived;
    for (std::size_t i = 0; i < config.channels.size(); ++i) {
        const BgpChannelConfig& channel = *config.bgp_channel(i);
        policy.families.push_back({channel.family, channel.mandatory, channel.require_add_paths,
                                   channel.require_extended_next_hop});
    }
    return policy;
}

SessionFacts make_facts(const BgpConfig& config,
                        const LocalIdentity& identity,
                        const SessionParameters& parameters,
                        const SessionAddresses& addresses) {
    SessionFacts facts;
    facts.kind = parameters.internal           ? PeerKind::internal
                 : config.confederation_member ? PeerKind::confederation
                                               : PeerKind::external;
    facts.local_as = config.local_as;
    facts.has_confederation = config.confederation.value() != 0;
    facts.public_as = facts.has_confederation ? config.confederation : config.local_as;
    facts.remote_as = parameters.remote_as;
    facts.local_id = identity.router_id;
    facts.remote_id = parameters.remote_id;
    facts.cluster_id = config.cluster_id.value_or(identity.router_id);
    facts.local_address = addresses.local;
    facts.local_link_local = addresses.local_link_local;
    facts.remote_address = addresses.remote;
    facts.interface = addresses.interface;
    facts.local_role = config.local_role;
    facts.rr_client = config.rr_client;
    facts.rs_client = config.rs_client;
    facts.as4 = parameters.as4;
    facts.llgr_aware = parameters.llgr_aware;
    facts.multihop = config.is_multihop();
    facts.allow_local_pref = config.allow_local_pref;
    facts.allow_med = config.allow_med;
    facts.allow_as_sets = config.allow_as_sets;
    facts.enforce_first_as = config.enforce_first_as;
    facts.interpret_communities = config.interpret_communities;
    facts.allow_local_as = config.allow_local_as;
    facts.path_metric = config.path_metric;
    facts.med_metric = config.med_metric;
    facts.igp_metric = config.igp_metric;
    facts.prefer_older = config.prefer_older;
    facts.deterministic_med = config.deterministic_med;
    facts.default_med = config.default_med;
    facts.default_local_pref = config.default_local_pref;
    return facts;
}

ExportProfile make_profile(const BgpConfig& config,
                           const BgpChannelConfig& channel,
                           const SessionParameters& parameters,
                           const SessionFacts& facts,
                           const wire::NextHop& own) {
    const HopSwitch keep_default = config.rs_client   ? HopSwitch::on
                                   : config.rr_client ? HopSwitch::ibgp
                                                      : HopSwitch::off;
    const AigpMode aigp_default = facts.interior() ? AigpMode::on : AigpMode::off;
    const AigpMode aigp = channel.aigp.value_or(aigp_default);
    const NegotiatedFamily* family = parameters.find(channel.family);
    ExportProfile profile;
    profile.facts = facts;
    profile.hop = {.family = channel.family,
                   .self = channel.next_hop_self.value_or(HopSwitch::off),
                   .keep = channel.next_hop_keep.value_or(keep_default),
                   .extended = family != nullptr && family->receive.extended_next_hop,
                   .own = own};
    if (!channel.next_hop_address.is_zero()) profile.hop.own.address = channel.next_hop_address;
    profile.link_local = channel.link_local_format;
    profile.aigp = {.enabled = aigp != AigpMode::off, .originate = aigp == AigpMode::originate};
    profile.path_ids = family != nullptr && family->send_path_ids;
    profile.enhanced_refresh = parameters.enhanced_refresh;
    profile.message_max = parameters.message_max;
    return profile;
}

}  // namespace tern::bgp
