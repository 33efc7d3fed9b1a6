#pragma once

/// Which next hop a route is announced with, or why it cannot be announced.
/// Keeps the route's own, takes the gateway of the route, or names this router. Pure: addresses and
/// interfaces are values that the caller has looked up.
/// Source: RFC 4271 section 5.1.3, RFC 2545, RFC 4456 section 10, RFC 7947 section 2.2, RFC 8950.

#include "router/base/result.h"
#include "router/proto/bgp/session_facts.h"
#include "router/proto/bgp/wire/attr_next_hop.h"
#include "router/proto/bgp/wire/family.h"

#include <cstdint>
#include <string_view>

namespace tern::bgp {

/// `next hop self|keep` of a channel: for all routes or for those of one kind of neighbour.
enum class HopSwitch : std::uint8_t { off, on, ibgp, ebgp };

struct HopPolicy {
    wire::Family family = wire::ipv4_unicast;
    HopSwitch self = HopSwitch::off;
    HopSwitch keep = HopSwitch::off;
    bool extended = false;   ///< the other address family may be a next hop
    wire::NextHop own = {};  ///< what "self" is: session address or `next hop address`
};

struct HopInputs {
    wire::NextHop current = {};            ///< bgp_next_hop of the route; zero if it has none
    bool fresh = false;                    ///< set by this channel's export filter
    const SessionFacts* source = nullptr;  ///< session it came from; null if not BGP
    /// The route's gateway if it is single, reachable and global; else zero.
    net::IpAddress gateway = {};
    InterfaceId gateway_interface = {};
};

enum class HopError : std::uint8_t { no_next_hop, neighbour_address, wrong_family };

[[nodiscard]] std::string_view hop_error_text(HopError error);

struct HopChoice {
    wire::NextHop hop = {};
    bool self = false;  ///< it names this router: AIGP accumulates
};

[[nodiscard]] Result<HopChoice, HopError> choose_next_hop(const HopPolicy& policy,
                                                          const HopInputs& route,
                                                          const SessionFacts& session);

}  // namespace tern::bgp
