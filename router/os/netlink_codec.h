#pragma once
/// Linux netlink messages as values: routes, links, addresses, neighbours; and the requests we
/// send. Pure functions over bytes; no socket, no clock, no log. The caller owns all memory; a
/// RouteMessage is meant to be reused from message to message, so that a scan of a full table
/// allocates nothing. Numbers of the kernel (families, types, protocols, flags) are passed through
/// as they are.

#include "router/base/bytes.h"
#include "router/base/result.h"
#include "router/net/ip_address.h"
#include "router/net/prefix.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tern::os::netlink {

enum class DecodeProblem : std::uint8_t {
    truncated,  ///< shorter than its own header says
    other_type,
    bad_family,
    bad_length,  ///< prefix length or address size impossible for the family
    bad_next_hop,
    bad_metrics,
};

[[nodiscard]] std::string_view describe(DecodeProblem problem);

inline constexpr std::size_t labels_max = 8;

struct LabelStack {
    std::uint8_t count = 0;
    std::array<std::uint32_t, labels_max> labels = {};  ///< outermost first

    friend bool operator==(const LabelStack&, const LabelStack&) = default;
};

struct NextHop {
    std::uint32_t interface = 0;
    net::IpAddress gateway;    ///< zero if the destination is on link
    std::uint16_t weight = 1;  ///< 1..256
    bool onlink = false;
    bool dead = false;  ///< the kernel does not use it now
    std::uint32_t realm = 0;
    LabelStack labels;  ///< pushed, or for MPLS routes the new stack

    friend bool operator==(const NextHop&, const NextHop&) = default;
};

/// RTA_METRICS: indexes are the RTAX_* numbers.
struct RouteMetrics {
    static constexpr std::size_t slots = 18;
    static constexpr std::size_t lock = 1;
    static constexpr std::size_t congestion_control = 16;

    std::uint32_t present = 0;  ///< bit n: value n is set
    std::array<std::uint32_t, slots> values = {};
    std::string congestion;

    friend bool operator==(const RouteMetrics&, const RouteMetrics&) = default;

    void set(std::size_t index, std::uint32_t value) {
        present |= 1U << index;
        values[index] = value;
    }

    [[nodiscard]] bool has(std::size_t index) const { return (present >> index & 1U) != 0; }
};

struct RouteMessage {
    bool removed = false;  ///< RTM_DELROUTE
    std::uint8_t family = 0;
    std::uint8_t protocol = 0;  ///< RTPROT_*
    std::uint8_t type = 0;      ///< RTN_*
    std::uint8_t scope = 0;     ///< RT_SCOPE_*
    std::uint8_t tos = 0;
    bool cloned = false;
    bool has_input_interface = false;
    bool unknown_encapsulation = false;
    net::Prefix destination;  ///< unset for MPLS
    bool has_source = false;
    net::Prefix source;            ///< source-specific routing
    std::uint32_t mpls_label = 0;  ///< AF_MPLS: the incoming label
    std::uint32_t table = 0;
    std::uint32_t priority = 0;
    bool has_priority = false;
    std::uint32_t realm = 0;
    std::uint32_t next_hop_object = 0;  ///< RTA_NH_ID
    net::IpAddress preferred_source;    ///< zero if none
    RouteMetrics metrics;
    std::vector<NextHop> next_hops;

    void clear();
    friend bool operator==(const RouteMessage&, const RouteMessage&) = default;
};

enum class LinkKind : std::uint8_t { plain, bridge, vxlan, vrf };

struct LinkMessage {
    bool removed = false;
    std::uint32_t index = 0;
    std::uint32_t master = 0;
    std::uint32_t mtu = 0;
    std::uint32_t flags = 0;  ///< IFF_*
    std::uint32_t vrf_table = 0;
    LinkKind kind = LinkKind::plain;
    std::string name;

    friend bool operator==(const LinkMessage&, const LinkMessage&) = default;
};

struct AddressMessage {
    bool removed = false;
    std::uint32_t index = 0;
    std::uint8_t family = 0;
    std::uint8_t prefix_length = 0;
    std::uint8_t scope = 0;
    std::uint32_t flags = 0;  ///< IFA_F_*
    net::IpAddress local;     ///< our address
    net::IpAddress peer;      ///< zero unless it differs from ours
    net::IpAddress broadcast;

    friend bool operator==(const AddressMessage&, const AddressMessage&) = default;
};

struct NeighborMessage {
    bool removed = false;
    std::uint32_t index = 0;
    std::uint8_t family = 0;
    std::uint16_t state = 0;  ///< NUD_*
    std::uint8_t flags = 0;   ///< NTF_*
    net::IpAddress address;   ///< zero if the family is not an IP one
    std::array<std::uint8_t, 6> link_address = {};
    bool has_link_address = false;

    friend bool operator==(const NeighborMessage&, const NeighborMessage&) = default;
};

/// Header of a message: what a reader needs to decide.
struct Header {
    std::uint16_t type = 0;
    std::uint16_t flags = 0;
    std::uint32_t sequence = 0;
    std::uint32_t port = 0;
};

/// NLMSG_ERROR: zero is an acknowledgement.
struct ErrorMessage {
    int number = 0;  ///< errno
    std::uint32_t sequence = 0;
    std::string_view text;  ///< extended text; inside the message
};

/// Cuts the first message off a received datagram; empty when none is left or the rest is broken.
/// Memory has to be 4-byte aligned, as netlink is.
[[nodiscard]] Bytes next_message(Bytes& datagram);
/// `message` comes from next_message.
[[nodiscard]] Header header_of(Bytes message);
[[nodiscard]] Result<ErrorMessage, DecodeProblem> decode_error(Bytes message);
/// Overwrites `into`, whose next hop list keeps its memory.
[[nodiscard]] Result<void, DecodeProblem> decode_route(Bytes message, RouteMessage& into);
[[nodiscard]] Result<LinkMessage, DecodeProblem> decode_link(Bytes message);
[[nodiscard]] Result<AddressMessage, DecodeProblem> decode_address(Bytes message);
[[nodiscard]] Result<NeighborMessage, DecodeProblem> decode_neighbor(Bytes message);

/// Every encoder returns the message's length, or 0 if it does not fit. `output` is 4-byte aligned.
/// `flags` are NLM_F_*; NLM_F_REQUEST is added. A removal carries only what names the route.
[[nodiscard]] std::size_t encode_route(MutableBytes output,
                                       const RouteMessage& route,
                                       std::uint16_t flags,
                                       std::uint32_t sequence);
/// Dump requests. `type` is RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE or RTM_GETNEIGH; a route dump
/// may be limited to one table (where the kernel checks strictly), 0 asks for all.
[[nodiscard]] std::size_t encode_dump(MutableBytes output,
                                      std::uint16_t type,
                                      std::uint8_t family,
                                      std::uint32_t table,
                                      std::uint32_t sequence);

}  // namespace tern::os::netlink
