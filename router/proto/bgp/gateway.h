#pragma once
/// Where routes with a given BGP next hop go: a neighbour on the link (gateway direct) or whatever
/// the IGP table says about the address (gateway recursive). Answers are remembered per next hop,
/// so an UPDATE costs one comparison; they are asked anew when interfaces or the IGP table have
/// changed. Belongs to one session and its loop. It changes no routes: its user does, when told
/// which hosts changed. Source: RFC 4271 section 5.1.3 and 9.1.2.1.

#include "router/attr/next_hop.h"
#include "router/base/strong.h"
#include "router/iface/registry.h"
#include "router/proto/bgp/wire/attr_next_hop.h"
#include "router/table/table.h"

#include <unordered_map>
#include <vector>

namespace tern::bgp {

struct Gateway {
    wire::NextHop hop;
    std::vector<std::uint8_t> next_hops;  ///< encoded core attribute next_hop
    std::uint32_t metric = 0;             ///< distance to the next hop
    bool reachable = false;

    friend bool operator==(const Gateway&, const Gateway&) = default;
};

struct GatewayRules {
    bool recursive = false;
    bool prefer_link_local = false;
    bool onlink = false;     ///< next hops are reachable over the session's interface in any case
    InterfaceId interface;   ///< of a direct session
    std::uint32_t cost = 0;  ///< configured distance; 0: what is found
    table::Table* igp4 = nullptr;
    table::Table* igp6 = nullptr;
};

class Gateways {
  public:
    Gateways(const iface::Registry& interfaces, const GatewayRules& rules)
        : interfaces_(interfaces), rules_(rules) {}

    [[nodiscard]] const GatewayRules& rules() const { return rules_; }

    /// Valid until the next call.
    [[nodiscard]] const Gateway& find(const wire::NextHop& hop);
    /// Asks anew for everything remembered; returns the answers that differ from before.
    [[nodiscard]] std::vector<Gateway> changed();

  private:
    struct HopHash {
        std::size_t operator()(const wire::NextHop& hop) const noexcept {
            return hop.address.hash() ^ (hop.link_local.hash() << 1);
        }
    };

    [[nodiscard]] Gateway resolve(const wire::NextHop& hop) const;
    void resolve_direct(Gateway& gateway) const;
    void resolve_recursive(Gateway& gateway) const;

    const iface::Registry& interfaces_;
    GatewayRules rules_;
    std::unordered_map<wire::NextHop, Gateway, HopHash> known_;
    const Gateway* last_ = nullptr;
    std::uint64_t epoch_ = 0;  // of the interfaces, for direct mode
};

}  // namespace tern::bgp
