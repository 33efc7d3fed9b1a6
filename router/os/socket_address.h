#pragma once
/// Socket addresses of the C library to and from our values; used inside this folder only.
/// A plain value for any domain: it holds no descriptor and looks nothing up.
/// It never maps IPv4 into IPv6: a socket is of one family.

#include "router/net/ip_address.h"

#include <cstdint>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>

namespace tern::os {

struct SocketAddress {
    sockaddr_storage storage = {};
    socklen_t length = 0;

    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

[[nodiscard]] inline SocketAddress to_socket_address(const net::IpAddress& ip,
                                                     std::uint16_t port,
                                                     std::uint32_t scope) {
    SocketAddress result;
    if (ip.is_v4()) {
        sockaddr_in in = {};
        in.sin_family = AF_INET;
        in.sin_port = htons(port);
        in.sin_addr.s_addr = htonl(ip.v4_value());
        std::memcpy(&result.storage, &in, sizeof in);
        result.length = sizeof in;
        return result;
    }
    sockaddr_in6 in6 = {};
    in6.sin6_family = AF_INET6;
    in6.sin6_port = htons(port);
    in6.sin6_scope_id = ip.is_link_local() ? scope : 0;
    ip.store16(in6.sin6_addr.s6_addr);
    std::memcpy(&result.storage, &in6, sizeof in6);
    result.length = sizeof in6;
    return result;
}

struct HostPort {
    net::IpAddress ip;
    std::uint16_t port = 0;
    std::uint32_t scope = 0;
};

[[nodiscard]] inline HostPort from_socket_address(const SocketAddress& address) {
    HostPort result;
    if (address.storage.ss_family == AF_INET) {
        sockaddr_in in = {};
        std::memcpy(&in, &address.storage, sizeof in);
        result.ip = net::IpAddress::v4(ntohl(in.sin_addr.s_addr));
        result.port = ntohs(in.sin_port);
    } else if (address.storage.ss_family == AF_INET6) {
        sockaddr_in6 in6 = {};
        std::memcpy(&in6, &address.storage, sizeof in6);
        result.ip = net::IpAddress::from_bytes(Bytes(in6.sin6_addr.s6_addr, 16));
        result.port = ntohs(in6.sin6_port);
        result.scope = in6.sin6_scope_id;
    }
    return result;
}

}  // namespace tern::os
