#pragma once

/// Next hops on the wire: which lengths a family may have, and which addresses can be one.
/// A next hop is 4 octets (IPv4), 16 (IPv6, global or link-local) or 32 (global and link-local).
/// Conversion to addresses is for those who hold routes; this file sees octets only.
/// Source: RFC 4271 section 5.1.3 and 6.3, RFC 2545 section 3, RFC 8950 section 4, RFC 7606
/// section 7.11.

#include "router/base/bytes.h"
#include "router/net/ip_address.h"
#include "router/proto/bgp/wire/family.h"

#include <cstddef>
#include <vector>

namespace tern::bgp::wire {

/// A next hop as routes have it; `link_local` is unspecified if there is none.
struct NextHop {
    net::IpAddress address = {};
    net::IpAddress link_local = {};

    friend bool operator==(const NextHop&, const NextHop&) = default;
};

/// Form of a sole link-local address: in both halves, in the second half only, or alone.
enum class LinkLocalFormat : std::uint8_t { native, single, double_ };

[[nodiscard]] bool next_hop_length_fits(Family family, std::size_t length, bool extended);

/// Not unspecified, loopback, or multicast. `hop` has a length that fits.
[[nodiscard]] bool next_hop_is_usable(Bytes hop);

/// `hop` has 4, 16 or 32 octets; a link-local address in place of the global one is moved.
[[nodiscard]] NextHop read_next_hop(Bytes hop);

/// Appends the wire form for MP_REACH_NLRI of `family`: an IPv4 address as 4 octets (RFC 8950
/// section 3), mapped into IPv6 for IPv6 families.
void put_next_hop(const NextHop& hop,
                  Family family,
                  LinkLocalFormat format,
                  std::vector<std::uint8_t>& out);

}  // namespace tern::bgp::wire
