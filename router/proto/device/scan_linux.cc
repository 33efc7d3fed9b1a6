#include "router/proto/device/scan_linux.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000
#endif

namespace tern::device {
namespace {

iface::InterfaceKind kind_of(os::netlink::LinkKind kind) {
    switch (kind) {
        case os::netlink::LinkKind::plain:
            return iface::InterfaceKind::plain;
        case os::netlink::LinkKind::bridge:
            return iface::InterfaceKind::bridge;
        case os::netlink::LinkKind::vxlan:
            return iface::InterfaceKind::vxlan;
        case os::netlink::LinkKind::vrf:
            return iface::InterfaceKind::vrf;
    }
    return iface::InterfaceKind::plain;
}

/// The only other host of a /31 or /127 (RFC 3021, RFC 6164), and of an IPv4 /30.
net::IpAddress other_end(const net::IpAddress& ip, unsigned length) {
    if (length + 1 == ip.bits()) {
        return ip.is_v4() ? net::IpAddress::v4(ip.v4_value() ^ 1)
                          : net::IpAddress::v6(ip.high(), ip.low() ^ 1);
    }
    if (ip.is_v4() && length == 30) {
        const std::uint32_t host = ip.v4_value() & 3;
        if (host == 1 || host == 2) return net::IpAddress::v4(ip.v4_value() ^ 3);
    }
    return {};
}

}  // namespace

iface::LinkInfo link_info(const os::netlink::LinkMessage& message) {
    iface::LinkInfo link;
    link.index = message.index;
    link.name = message.name;
    link.master = message.master;
    link.kind = kind_of(message.kind);
    link.mtu = message.mtu;
    link.vrf_table = message.vrf_table;
    link.admin_up = (message.flags & IFF_UP) != 0;
    link.link_up = (message.flags & IFF_LOWER_UP) != 0;
    link.loopback = (message.flags & IFF_LOOPBACK) != 0;
    link.point_to_point = (message.flags & IFF_POINTOPOINT) != 0;
    link.broadcast = (message.flags & IFF_BROADCAST) != 0;
    link.multicast = (message.flags & IFF_MULTICAST) != 0;
    return link;
}

std::optional<iface::Address> address_of(const os::netlink::AddressMessage& message) {
    // Not ours until duplicate address detection has succeeded (RFC 4862 section 5.4).
    if ((message.flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0) return std::nullopt;
    iface::Address address;
    address.ip = message.local;
    address.scope = message.local.scope();
    address.broadcast = message.broadcast;
    address.secondary = (message.flags & IFA_F_SECONDARY) != 0;
    const unsigned length = message.prefix_length;
    if (!message.peer.is_zero()) {
        address.peer = true;
        address.opposite = message.peer;
        address.prefix = net::Prefix::ip(message.peer, length);
        return address;
    }
    address.prefix = net::Prefix::ip(message.local, length);
    address.host = length == message.local.bits();
    address.opposite = other_end(message.local, length);
    return address;
}

void apply_message(Bytes message, iface::Registry::Update& update) {
    switch (os::netlink::header_of(message).type) {
        case RTM_NEWLINK:
        case RTM_DELLINK: {
            const auto link = os::netlink::decode_link(message);
            if (!link) return;
            if (link->removed) {
                update.remove_link(link->index);
            } else {
                update.link(link_info(*link));
            }
            return;
        }
        case RTM_NEWADDR:
        case RTM_DELADDR: {
            const auto decoded = os::netlink::decode_address(message);
            if (!decoded) return;
            const auto address = address_of(*decoded);
            if (decoded->removed || !address) {
                update.remove_address(decoded->index, decoded->local);
            } else {
                update.address(decoded->index, *address);
            }
            return;
        }
        default:
            return;
    }
}

}  // namespace tern::device
