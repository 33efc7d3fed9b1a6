#pragma once

/// Capabilities of the OPEN message as one value, decoded and encoded.
/// The same struct describes what we announce and what the neighbour announced, so negotiation is a
/// comparison of two of them and `show protocols all` prints both alike. Unknown codes are skipped
/// (RFC 5492 section 3); a known code with a wrong length makes the OPEN malformed.
/// Pure; the lists are short-lived configuration-size vectors kept sorted by family.
/// Source: RFC 5492, 4760, 2918, 8950, 8654, 9234, 4724, 6793, 7911, 7313, 9494.

#include "router/base/bytes.h"
#include "router/base/result.h"
#include "router/proto/bgp/wire/family.h"
#include "router/proto/bgp/wire/notification.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::bgp::wire {

enum class CapabilityCode : std::uint8_t {
    multiprotocol = 1,
    route_refresh = 2,
    extended_next_hop = 5,
    extended_message = 6,
    role = 9,
    graceful_restart = 64,
    as4 = 65,
    add_path = 69,
    enhanced_refresh = 70,
    long_lived_graceful_restart = 71,
    hostname = 73,
};

/// Relation of a speaker to its neighbour (RFC 9234 section 4.1).
enum class Role : std::uint8_t {
    provider = 0,
    rs_server = 1,
    rs_client = 2,
    customer = 3,
    peer = 4
};

[[nodiscard]] std::string_view role_name(Role role);

/// NLRI of `family` may have a next hop of AFI `next_hop_afi` (RFC 8950 section 4).
struct NextHopFamily {
    Family family;
    std::uint16_t next_hop_afi = 0;

    friend auto operator<=>(const NextHopFamily&, const NextHopFamily&) = default;
};

/// RFC 7911 section 4: 1 receive, 2 send, 3 both, from the announcing speaker's view.
struct AddPathFamily {
    Family family;
    bool receive = false;
    bool send = false;

    friend auto operator<=>(const AddPathFamily&, const AddPathFamily&) = default;
};

struct GracefulFamily {
    Family family;
    bool preserved = false;  ///< forwarding state bit

    friend auto operator<=>(const GracefulFamily&, const GracefulFamily&) = default;
};

struct GracefulRestart {
    bool restarting = false;         ///< R bit: restart recovery
    bool notification = false;       ///< N bit (RFC 8538)
    std::uint16_t restart_time = 0;  ///< seconds, 12 bits
    std::vector<GracefulFamily> families = {};

    friend bool operator==(const GracefulRestart&, const GracefulRestart&) = default;
};

struct LongLivedFamily {
    Family family;
    bool preserved = false;
    std::uint32_t stale_time = 0;  ///< seconds, 24 bits

    friend auto operator<=>(const LongLivedFamily&, const LongLivedFamily&) = default;
};

struct Capabilities {
    std::vector<Family> multiprotocol = {};
    std::vector<NextHopFamily> extended_next_hop = {};
    std::vector<AddPathFamily> add_path = {};
    std::optional<GracefulRestart> graceful_restart = {};
    std::optional<std::vector<LongLivedFamily>> long_lived = {};
    std::optional<std::uint32_t> as4 = {};
    std::optional<Role> role = {};
    std::string hostname = {};
    bool route_refresh = false;
    bool enhanced_refresh = false;
    bool extended_message = false;
    /// Two role capabilities with different values, or an unknown role: RFC 9234 section 4.2
    /// answers both with 2/11.
    bool role_conflict = false;
    /// Any capability was there; a neighbour without one may be too old to know them.
    bool present = false;

    friend bool operator==(const Capabilities&, const Capabilities&) = default;
};

/// Adds the capabilities in one optional parameter's value to `out`. `value` is a list of
/// {code, length, data}. The error is 2/0 for a list or a known capability of impossible length.
[[nodiscard]] Result<void, Notification> decode_capabilities(Bytes value, Capabilities& out);

/// The list of {code, length, data}, codes ascending, families sorted. Lists longer than one
/// capability can hold (255 octets) are cut at a whole entry.
[[nodiscard]] std::vector<std::uint8_t> encode_capabilities(const Capabilities& capabilities);

}  // namespace tern::bgp::wire
