#include "router/proto/bgp/wire/attr_next_hop.h"

#include <array>

namespace tern::bgp::wire {

namespace {

bool is_host(net::IpAddress address) {
    return !address.is_unspecified() && !address.is_multicast() && !address.is_loopback();
}

}  // namespace

bool next_hop_length_fits(Family family, std::size_t length, bool extended) {
    // RFC 8950 section 3 for IPv4; without it only the native length is right.
    if (family.afi == afi_ipv4) return length == 4 || (extended && (length == 16 || length == 32));
    return length == 16 || length == 32;
}

bool next_hop_is_usable(Bytes hop) {
    const NextHop read = read_next_hop(hop);
    return is_host(read.address) || (read.address.is_zero() && read.link_local.is_link_local());
}

NextHop read_next_hop(Bytes hop) {
    NextHop out;
    out.address = net::IpAddress::from_bytes(hop.size() == 4 ? hop : hop.first(16));
    if (hop.size() == 32) {
        const net::IpAddress second = net::IpAddress::from_bytes(hop.subspan(16));
        // RFC 2545 section 3 wants a link-local address there; anything else is passed over.
        if (second.is_link_local()) out.link_local = second;
    }
    // Link-local only, sent alone or in both places.
    if (out.address.is_link_local()) {
        out.link_local = out.address;
        out.address = {};
    }
    return out;
}

void put_next_hop(const NextHop& hop,
                  Family family,
                  LinkLocalFormat format,
                  std::vector<std::uint8_t>& out) {
    std::array<std::uint8_t, 32> octets{};
    std::size_t length = 16;
    if (hop.address.is_v4() && family.afi == afi_ipv4) {
        hop.address.store4(octets.data());
        length = 4;
    } else if (!hop.address.is_zero()) {
        hop.address.store16(octets.data());
        if (!hop.link_local.is_zero()) {
            hop.link_local.store16(octets.data() + 16);
            length = 32;
        }
    } else {
        if (format != LinkLocalFormat::native) hop.link_local.store16(octets.data());
        if (format != LinkLocalFormat::single) {
            hop.link_local.store16(octets.data() + 16);
            length = 32;
        }
    }
    out.insert(out.end(), octets.begin(), octets.begin() + static_cast<std::ptrdiff_t>(length));
}

}  // namespace tern::bgp::wire
