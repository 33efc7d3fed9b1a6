#pragma once

/// What of a route's attributes is told to whom.
/// `may_export` runs before the export filter (well-known communities, reflection, OTC),
/// `encode_export` after it: it writes the path attributes for one session (or export group) into a
/// buffer, ready for pack.h. Nothing is interned on the way out. Pure.
/// Source: RFC 4271 section 5 and 9.2, RFC 1997, RFC 4456, RFC 5065, RFC 6793, RFC 7311, RFC 7947,
/// RFC 9234, RFC 9494.

#include "router/attr/attribute_set.h"
#include "router/proto/bgp/next_hop_policy.h"
#include "router/proto/bgp/session_facts.h"

#include <cstdint>
#include <vector>

namespace tern::bgp {

enum class ExportRule : std::uint8_t {
    allowed,
    not_reflected,  ///< IBGP to IBGP without a route reflector client
    cluster_loop,
    community,  ///< NO_ADVERTISE, NO_EXPORT, NO_EXPORT_SUBCONFED or LLGR_STALE forbids it
    only_to_customer,
};

/// `source` is null for a route that is not BGP's.
[[nodiscard]] ExportRule may_export(const attr::AttributeSet& attributes,
                                    const SessionFacts* source,
                                    const SessionFacts& to);

struct AigpPolicy {
    bool enabled = false;
    bool originate = false;
    std::uint32_t metric = 0;  ///< distance to the route's next hop
};

struct ExportInputs {
    const attr::AttributeSet& attributes;
    const SessionFacts* source = nullptr;  ///< null if not BGP
    HopChoice hop = {};
    bool fresh_med = false;    ///< set by this channel's export filter
    bool put_next_hop = true;  ///< NEXT_HOP attribute; else MP_REACH carries it
    AigpPolicy aigp = {};
};

/// Appends all path attributes but MP_REACH. False if one cannot be encoded (longer than 65535
/// octets after prepending): the route is then to be withdrawn; `out` is as before.
[[nodiscard]] bool encode_export(const ExportInputs& route,
                                 const SessionFacts& to,
                                 std::vector<std::uint8_t>& out);

}  // namespace tern::bgp
