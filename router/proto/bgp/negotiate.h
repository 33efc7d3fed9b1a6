#pragma once

/// From our OPEN and the neighbour's to the parameters of the session, or to the NOTIFICATION that
/// refuses it. Everything both sides must agree about is decided here and nowhere else.
/// Pure: called once per connection when the neighbour's OPEN has arrived.
/// Source: RFC 4271 section 4.2 and 6.2, RFC 5492, RFC 6286, RFC 6793, RFC 7911, RFC 8950,
/// RFC 9234 section 4.2.

#include "router/base/result.h"
#include "router/base/strong.h"
#include "router/proto/bgp/wire/open.h"
#include "router/proto/bgp/wire/update.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace tern::bgp {

/// Which AS the neighbour may be in when no number is configured, and the check when one is.
enum class RemoteAsRule : std::uint8_t { exact, internal, external };

struct FamilyPolicy {
    wire::Family family = {};
    bool mandatory = false;
    bool require_add_paths = false;
    bool require_extended_next_hop = false;
};

struct NegotiationPolicy {
    AsNumber local_as = {};
    AsNumber remote_as = {};  ///< for RemoteAsRule::exact
    RemoteAsRule remote_rule = RemoteAsRule::exact;
    std::uint16_t min_hold_time = 0;
    std::uint16_t keepalive_time = 0;                  ///< 0: a third of the hold time
    std::uint16_t min_keepalive_time = 0;              ///< 0: none
    std::optional<std::uint32_t> send_hold_time = {};  ///< none: twice the hold time; 0: off
    bool require_roles = false;
    bool require_route_refresh = false;
    bool require_enhanced_refresh = false;
    bool require_as4 = false;
    bool require_extended_messages = false;
    bool require_hostname = false;
    bool require_graceful_restart = false;
    bool require_long_lived = false;
    std::vector<FamilyPolicy> families = {};
};

struct NegotiatedFamily {
    wire::FamilyRules receive = {};
    bool send_path_ids = false;
};

struct SessionParameters {
    AsNumber remote_as = {};
    RouterId remote_id = {};
    std::uint32_t hold_time = 0;       ///< seconds; 0: no keepalives
    std::uint32_t keepalive_time = 0;  ///< seconds; 0 with hold_time 0
    std::uint32_t send_hold_time = 0;  ///< seconds; 0: off
    std::size_t message_max = 4096;    ///< in both directions
    bool internal = false;
    bool as4 = false;
    bool route_refresh = false;     ///< the neighbour answers requests
    bool enhanced_refresh = false;  ///< both mark the start and end of an answer
    bool llgr_aware = false;
    std::vector<NegotiatedFamily> families = {};

    [[nodiscard]] const NegotiatedFamily* find(wire::Family family) const;
};

/// `local` is the OPEN we sent (or are about to).
[[nodiscard]] Result<SessionParameters, wire::Notification> negotiate(
    const NegotiationPolicy& policy,
    const wire::OpenMessage& local,
    const wire::OpenMessage& remote);

}  // namespace tern::bgp
