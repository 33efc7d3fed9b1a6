#pragma once
/// From a neighbour's configuration to what its session needs: OPEN, negotiation policy, facts,
/// export profile. Pure: everything that has to be looked up (addresses, interface) is an argument.
/// Used by the peer when a connection stands and when a session comes up.

#include "router/proto/bgp/config.h"
#include "router/proto/bgp/export_group.h"
#include "router/proto/bgp/negotiate.h"
#include "router/proto/bgp/session_facts.h"
#include "router/proto/bgp/wire/open.h"

#include <string_view>

namespace tern::bgp {

struct LocalIdentity {
    RouterId router_id;
    std::string_view hostname;
};

/// `capabilities` false leaves all of them out, for a neighbour that has refused them.
[[nodiscard]] wire::OpenMessage make_open(const BgpConfig& config,
                                          const LocalIdentity& identity,
                                          bool capabilities);
[[nodiscard]] NegotiationPolicy make_policy(const BgpConfig& config);

/// Addresses of a standing connection and of the link it goes over.
struct SessionAddresses {
    net::IpAddress local;
    net::IpAddress local_link_local;
    net::IpAddress remote;
    InterfaceId interface;  ///< 0 for a multihop session
};

[[nodiscard]] SessionFacts make_facts(const BgpConfig& config,
                                      const LocalIdentity& identity,
                                      const SessionParameters& parameters,
                                      const SessionAddresses& addresses);

/// `own` is this router's address of the channel's family on the session's link.
[[nodiscard]] ExportProfile make_profile(const BgpConfig& config,
                                         const BgpChannelConfig& channel,
                                         const SessionParameters& parameters,
                                         const SessionFacts& facts,
                                         const wire::NextHop& own);

}  // namespace tern::bgp
