#pragma once
/// Routes as attributes to and from routes as netlink messages, and what a message is to us.
/// Pure functions; nothing is sent and nothing is looked up. Only next hops and the kind of
/// destination decide whether a kernel route is still the one that is wanted: the fingerprint
/// covers exactly these, the same for both sides.

#include "router/attr/attribute_list.h"
#include "router/attr/attribute_set.h"
#include "router/attr/next_hop.h"
#include "router/os/netlink_codec.h"

#include <cstdint>
#include <span>

namespace tern::kernel {

/// Which routes of the kernel an instance is about.
struct Place {
    bool v4 = true;
    std::uint32_t table = 254;
    std::uint32_t metric = 32;  ///< 0: per route
};

/// What a message of a scan or notification is.
enum class Kind : std::uint8_t {
    foreign,   ///< another table or family, or nothing that a routing table could hold
    own,       ///< written by this daemon, now or in an earlier life
    alien,     ///< another daemon's or the operator's
    kernel,    ///< made by the kernel itself
    redirect,  ///< made by an ICMP redirect: always removed
};

[[nodiscard]] Kind classify(const os::netlink::RouteMessage& message, const Place& place);

/// Never 0, which stands for "not there".
[[nodiscard]] std::uint32_t fingerprint(attr::Destination destination,
                                        std::span<const attr::NextHop> hops);
[[nodiscard]] std::uint32_t fingerprint(const os::netlink::RouteMessage& message);

/// Can the kernel have it? A unicast route needs an interface for each hop.
[[nodiscard]] bool capable(const attr::NextHopListView& hops);

/// What is to be written: where to, and the krt_* attributes of `set` (after the export filter).
struct Wanted {
    net::Prefix prefix;
    attr::Destination destination = attr::Destination::unicast;
    std::span<const attr::NextHop> hops;
    const attr::AttributeSet* set = nullptr;
};

/// The metric it is written with: the instance's, or else the route's own.
[[nodiscard]] std::uint32_t metric_of(const Wanted& wanted, const Place& place);
/// The metric of a route that was found, in the same terms: IPv6 routes written without one have
/// the kernel's default.
[[nodiscard]] std::uint32_t kernel_metric(const os::netlink::RouteMessage& message,
                                          const Place& place);
/// A number for everything else that is written; 0 if there is nothing special.
[[nodiscard]] std::uint32_t extra_of(const attr::AttributeSet& set);
/// Overwrites `into`.
void fill_route(const Wanted& wanted, const Place& place, os::netlink::RouteMessage& into);
/// Names the route for removal.
void fill_removal(const net::Prefix& prefix,
                  std::uint32_t metric,
                  const Place& place,
                  os::netlink::RouteMessage& into);

/// Attributes of a learned route.
void fill_attributes(const os::netlink::RouteMessage& message, attr::AttributeList& list);

}  // namespace tern::kernel
