#include "router/os/socket_address.h"
#include "router/os/socket_options.h"

#include <cerrno>

#include <linux/in.h>
#include <netinet/tcp.h>

#ifndef IPV6_MINHOPCOUNT
#define IPV6_MINHOPCOUNT 73
#endif

namespace tern::os {
namespace {

SystemResult<void> set(int fd, int level, int option, int value, const char* step) {
    if (::setsockopt(fd, level, option, &value, sizeof value) != 0) {
        return system_failure(step, errno);
    }
    return {};
}

SystemResult<void> set_buffers(int fd, const SocketOptions& options) {
    if (options.rx_buffer != 0) {
        const int size = static_cast<int>(options.rx_buffer);
        if (auto done = set(fd, SOL_SOCKET, SO_RCVBUF, size, "set receive buffer"); !done) {
            return done;
        }
    }
    if (options.tx_buffer == 0) return {};
    return set(fd, SOL_SOCKET, SO_SNDBUF, static_cast<int>(options.tx_buffer), "set send buffer");
}

SystemResult<void> set_keys(int fd, const SocketOptions& options) {
    for (const Md5Key& key : options.md5_keys) {
        if (auto done = install_md5_key(fd, key, false); !done) return done;
    }
    for (const AoKey& key : options.ao_keys) {
        if (auto done = install_ao_key(fd, key, false); !done) return done;
    }
    return {};
}

SystemResult<void> set_marks(int fd, bool v4, const SocketOptions& options) {
    if (options.traffic_class) {
        // ip(7) and ipv6(7): IP_TOS before SO_PRIORITY, because it sets the priority too.
        auto done =
            v4 ? set(fd, IPPROTO_IP, IP_TOS, *options.traffic_class, "set ToS")
               : set(fd, IPPROTO_IPV6, IPV6_TCLASS, *options.traffic_class, "set traffic class");
        if (!done) return done;
    }
    if (!options.priority) return {};
    return set(fd, SOL_SOCKET, SO_PRIORITY, *options.priority, "set priority");
}

}  // namespace

SystemResult<void> set_sent_ttl(int fd, bool v4, std::uint8_t ttl) {
    return v4 ? set(fd, IPPROTO_IP, IP_TTL, ttl, "set TTL")
              : set(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, ttl, "set hop limit");
}

SystemResult<void> set_minimum_ttl(int fd, bool v4, std::uint8_t ttl) {
    return v4 ? set(fd, IPPROTO_IP, IP_MINTTL, ttl, "set minimum TTL")
              : set(fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, ttl, "set minimum hop limit");
}

SystemResult<void> apply_options(int fd, bool v4, const SocketOptions& options) {
    if (!options.interface.empty() &&
        ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options.interface.c_str(),
                     static_cast<socklen_t>(options.interface.size() + 1)) != 0) {
        return system_failure("bind to device " + options.interface, errno);
    }
    if (options.free_bind) {
        auto done = v4 ? set(fd, IPPROTO_IP, IP_FREEBIND, 1, "set free bind")
                       : set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1, "set free bind");
        if (!done) return done;
    }
    if (options.ttl != 0) {
        if (auto done = set_sent_ttl(fd, v4, options.ttl); !done) return done;
    }
    if (options.min_ttl != 0) {
        if (auto done = set_minimum_ttl(fd, v4, options.min_ttl); !done) return done;
    }
    if (auto done = set_marks(fd, v4, options); !done) return done;
    if (auto done = set_buffers(fd, options); !done) return done;
    return set_keys(fd, options);
}

SystemResult<void> bind_socket(int fd, const net::IpAddress& address, const Endpoint& local) {
    const SocketAddress name = to_socket_address(address, local.port, local.interface_index);
    if (::bind(fd, name.get(), name.length) != 0) return system_failure("bind", errno);
    return {};
}

}  // namespace tern::os
