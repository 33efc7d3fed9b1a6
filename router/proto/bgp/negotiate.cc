#include "router/proto/bgp/negotiate.h"

#include "router/proto/bgp/wire/header.h"

#include <algorithm>

namespace tern::bgp {

namespace {

using wire::Capabilities;
using wire::Notification;
using wire::OpenMessage;

constexpr std::uint16_t hold_time_least = 3;  // RFC 4271 section 4.2

tl::unexpected<Notification> refuse(std::uint8_t subcode, std::vector<std::uint8_t> data) {
    return fail_with(Notification{wire::ErrorCode::open, subcode, std::move(data)});
}

tl::unexpected<Notification> missing_capability() {
    return refuse(wire::open_error::missing_capability, {});
}

bool as_fits(const NegotiationPolicy& policy, AsNumber remote) {
    if (remote.value() == 0) return false;  // RFC 7607 section 2
    switch (policy.remote_rule) {
        case RemoteAsRule::exact:
            return remote == policy.remote_as;
        case RemoteAsRule::internal:
            return remote == policy.local_as;
        case RemoteAsRule::external:
            return remote != policy.local_as;
    }
    return false;
}

std::vector<std::uint8_t> octets(std::uint32_t v) {
    std::vector<std::uint8_t> out(4);
    store_u32(out.data(), v);
    return out;
}

Result<void, Notification> check_identity(const NegotiationPolicy& policy,
                                          const OpenMessage& local,
                                          const OpenMessage& remote) {
    if (!as_fits(policy, remote.as)) {
        return refuse(wire::open_error::bad_peer_as, octets(remote.as.value()));
    }
    // RFC 6286 section 2.2: not zero, and not ours within one AS.
    const bool same = remote.router_id == local.router_id && remote.as == policy.local_as;
    if (remote.router_id.value() == 0 || same) {
        return refuse(wire::open_error::bad_identifier, octets(remote.router_id.value()));
    }
    return {};
}

/// `seconds` configured for the hold time `configured`, shrunk to the negotiated one.
std::uint32_t scale(std::uint32_t seconds, std::uint32_t negotiated, std::uint32_t configured) {
    if (configured == 0 || negotiated >= configured) return seconds;
    const std::uint64_t scaled = std::uint64_t{seconds} * negotiated / configured;
    return std::max<std::uint32_t>(1, static_cast<std::uint32_t>(scaled));
}

Result<void, Notification> agree_timers(const NegotiationPolicy& policy,
                                        const OpenMessage& local,
                                        const OpenMessage& remote,
                                        SessionParameters& out) {
    // RFC 4271 section 6.2: one and two seconds are always refused.
    if (remote.hold_time != 0 && remote.hold_time < hold_time_least) {
        return refuse(wire::open_error::unacceptable_hold_time, {});
    }
    if (remote.hold_time < policy.min_hold_time) {
        return refuse(wire::open_error::unacceptable_hold_time, {});
    }
    out.hold_time = std::min(local.hold_time, remote.hold_time);
    if (out.hold_time == 0) return {};
    out.keepalive_time = policy.keepalive_time == 0
                             ? out.hold_time / 3
                             : scale(policy.keepalive_time, out.hold_time, local.hold_time);
    if (out.keepalive_time < policy.min_keepalive_time) {
        return refuse(wire::open_error::unacceptable_hold_time, {});
    }
    // RFC 9687 section 3.
    out.send_hold_time = policy.send_hold_time
                             ? *policy.send_hold_time == 0
                                   ? 0
                                   : scale(*policy.send_hold_time, out.hold_time, local.hold_time)
                             : out.hold_time * 2;
    return {};
}

bool is_counterpart(wire::Role local, wire::Role remote) {
    using enum wire::Role;
    switch (local) {
        case provider:
            return remote == customer;
        case customer:
            return remote == provider;
        case rs_server:
            return remote == rs_client;
        case rs_client:
            return remote == rs_server;
        case peer:
            return remote == peer;
    }
    return false;
}

Result<void, Notification> check_roles(const NegotiationPolicy& policy,
                                       const Capabilities& local,
                                       const Capabilities& remote) {
    if (!local.role) return {};
    if (remote.role_conflict) return refuse(wire::open_error::role_mismatch, {});
    if (!remote.role) {
        if (policy.require_roles) return refuse(wire::open_error::role_mismatch, {});
        return {};
    }
    if (!is_counterpart(*local.role, *remote.role)) {
        return refuse(wire::open_error::role_mismatch, {});
    }
    return {};
}

bool has_required(const NegotiationPolicy& policy, const Capabilities& remote) {
    if (policy.require_route_refresh && !remote.route_refresh) return false;
    if (policy.require_enhanced_refresh && !remote.enhanced_refresh) return false;
    if (policy.require_as4 && !remote.as4) return false;
    if (policy.require_extended_messages && !remote.extended_message) return false;
    if (policy.require_hostname && remote.hostname.empty()) return false;
    if (policy.require_graceful_restart && !remote.graceful_restart) return false;
    return !policy.require_long_lived || remote.long_lived;
}

bool speaks(const Capabilities& capabilities, wire::Family family) {
    // RFC 4760 section 8: a speaker without the capability means IPv4 unicast.
    if (capabilities.multiprotocol.empty()) return family == wire::ipv4_unicast;
    return std::binary_search(capabilities.multiprotocol.begin(), capabilities.multiprotocol.end(),
                              family);
}

wire::AddPathFamily add_path(const Capabilities& capabilities, wire::Family family) {
    for (const wire::AddPathFamily& entry : capabilities.add_path) {
        if (entry.family == family) return entry;
    }
    return {family, false, false};
}

bool has_next_hop(const Capabilities& capabilities, wire::Family family) {
    for (const wire::NextHopFamily& entry : capabilities.extended_next_hop) {
        if (entry.family == family && entry.next_hop_afi == wire::afi_ipv6) return true;
    }
    return false;
}

Result<void, Notification> agree_family(const FamilyPolicy& policy,
                                        const Capabilities& local,
                                        const Capabilities& remote,
                                        SessionParameters& out) {
    if (!speaks(local, policy.family) || !speaks(remote, policy.family)) {
        if (policy.mandatory) return missing_capability();
        return {};
    }
    NegotiatedFamily family;
    family.receive.family = policy.family;
    // RFC 7911 section 4: path ids flow where one side can send and the other receive.
    const wire::AddPathFamily ours = add_path(local, policy.family);
    const wire::AddPathFamily theirs = add_path(remote, policy.family);
    family.receive.path_ids = ours.receive && theirs.send;
    family.send_path_ids = ours.send && theirs.receive;
    if (policy.require_add_paths &&
        ((ours.receive && !theirs.send) || (ours.send && !theirs.receive))) {
        return missing_capability();
    }
    const bool next_hop = has_next_hop(remote, policy.family);
    if (policy.require_extended_next_hop && policy.family.afi == wire::afi_ipv4 && !next_hop) {
        return missing_capability();
    }
    family.receive.extended_next_hop = has_next_hop(local, policy.family) && next_hop;
    out.families.push_back(family);
    return {};
}

}  // namespace

const NegotiatedFamily* SessionParameters::find(wire::Family family) const {
    for (const NegotiatedFamily& entry : families) {
        if (entry.receive.family == family) return &entry;
    }
    return nullptr;
}

Result<SessionParameters, Notification> negotiate(const NegotiationPolicy& policy,
                                                  const OpenMessage& local,
                                                  const OpenMessage& remote) {
    SessionParameters out;
    if (auto done = check_identity(policy, local, remote); !done) return fail_with(done.error());
    if (auto done = agree_timers(policy, local, remote, out); !done) {
        return fail_with(done.error());
    }
    const Capabilities& ours = local.capabilities;
    const Capabilities& theirs = remote.capabilities;
    if (auto done = check_roles(policy, ours, theirs); !done) return fail_with(done.error());
    if (!has_required(policy, theirs)) return missing_capability();
    for (const FamilyPolicy& family : policy.families) {
        if (auto done = agree_family(family, ours, theirs, out); !done) {
            return fail_with(done.error());
        }
    }
    if (out.families.empty() && !policy.families.empty()) {
        return refuse(wire::open_error::no_family, {});
    }
    out.remote_as = remote.as;
    out.remote_id = remote.router_id;
    out.internal = remote.as == policy.local_as;
    out.as4 = ours.as4 && theirs.as4;
    out.route_refresh = theirs.route_refresh;
    out.enhanced_refresh = ours.enhanced_refresh && theirs.enhanced_refresh;
    out.llgr_aware = theirs.long_lived.has_value();
    if (ours.extended_message && theirs.extended_message) {
        out.message_max = wire::message_max_extended;
    }
    return out;
}

}  // namespace tern::bgp
