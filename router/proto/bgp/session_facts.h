#pragma once

/// What is fixed about a session once it stands, as far as rules on routes need it.
/// One value per session, made by the peer from configuration and negotiation, and kept alive by
/// the owner of its routes' source, so that routes of a closed session still compare. Pure rules
/// (best_path, path_checks, export_attributes, next_hop_policy) take it by reference.
/// It never changes while a route refers to it.

#include "router/base/strong.h"
#include "router/net/ip_address.h"
#include "router/proto/bgp/wire/capability.h"

#include <cstdint>
#include <optional>

namespace tern::bgp {

/// RFC 4271 internal and external, RFC 5065 member-AS neighbours of one confederation.
enum class PeerKind : std::uint8_t { internal, confederation, external };

struct SessionFacts {
    PeerKind kind = PeerKind::external;
    AsNumber local_as = {};
    AsNumber public_as = {};  ///< confederation identifier if there is one, else local_as
    AsNumber remote_as = {};
    RouterId local_id = {};
    RouterId remote_id = {};
    RouterId cluster_id = {};
    net::IpAddress local_address = {};
    net::IpAddress local_link_local = {};  ///< zero if there is none
    net::IpAddress remote_address = {};
    InterfaceId interface = {};  ///< towards a directly connected neighbour, else 0
    std::optional<wire::Role> local_role = {};

    bool has_confederation = false;
    bool rr_client = false;
    bool rs_client = false;
    bool as4 = true;
    bool llgr_aware = false;  ///< the neighbour announced long-lived graceful restart
    bool multihop = false;

    bool allow_local_pref = false;
    bool allow_med = false;
    bool allow_as_sets = false;
    bool enforce_first_as = false;
    bool interpret_communities = true;
    std::uint32_t allow_local_as = 0;  ///< occurrences tolerated; ~0 is no limit

    bool path_metric = true;
    bool med_metric = false;
    bool igp_metric = true;
    bool prefer_older = false;
    bool deterministic_med = false;
    std::uint32_t default_med = 0;
    std::uint32_t default_local_pref = 100;

    /// Within our AS or confederation: LOCAL_PREF is exchanged, IGP metrics mean something.
    [[nodiscard]] bool interior() const { return kind != PeerKind::external; }
};

}  // namespace tern::bgp
