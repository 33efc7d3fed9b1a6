#include "router/os/socket_address.h"
#include "router/os/tcp_auth.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/tcp.h>
#include <sys/socket.h>

namespace tern::os {
namespace {

// The C library of today does not know TCP-AO; these are the kernel's stable structures
// (Linux 6.7).
constexpr int tcp_ao_add_key = 38;
constexpr int tcp_ao_del_key = 39;
constexpr std::uint32_t ao_set_current = 1;
constexpr std::uint32_t ao_set_next = 2;
constexpr std::uint8_t ao_key_interface = 1;

struct alignas(8) AoAdd {
    sockaddr_storage address;
    char algorithm[64];
    std::int32_t interface_index;
    std::uint32_t flags;
    std::uint16_t reserved;
    std::uint8_t prefix;
    std::uint8_t send_id;
    std::uint8_t receive_id;
    std::uint8_t mac_length;
    std::uint8_t key_flags;
    std::uint8_t key_length;
    std::uint8_t key[tcp_key_bytes_max];
};

struct alignas(8) AoRemove {
    sockaddr_storage address;
    std::int32_t interface_index;
    std::uint32_t flags;
    std::uint16_t reserved;
    std::uint8_t prefix;
    std::uint8_t send_id;
    std::uint8_t receive_id;
    std::uint8_t current_key;
    std::uint8_t next_key;
    std::uint8_t key_flags;
};

static_assert(sizeof(AoAdd) == 288 && sizeof(AoRemove) == 144, "layout of the kernel");

template <class Structure>
TcpAuthOption option_of(int option, const Structure& value) {
    TcpAuthOption result;
    static_assert(sizeof(Structure) <= sizeof result.bytes);
    result.option = option;
    result.size = sizeof value;
    std::memcpy(result.bytes.data(), &value, sizeof value);
    return result;
}

SystemResult<void> install(int fd, const TcpAuthOption& option, const char* step) {
    if (::setsockopt(fd, IPPROTO_TCP, option.option, option.bytes.data(),
                     static_cast<socklen_t>(option.size)) != 0) {
        return system_failure(step, errno);
    }
    return {};
}

}  // namespace

TcpAuthOption md5_option(const Md5Key& key, bool remove) {
    tcp_md5sig value = {};
    const SocketAddress peer = to_socket_address(key.peers.address(), 0, 0);
    static_assert(sizeof value.tcpm_addr == sizeof peer.storage);
    std::memcpy(&value.tcpm_addr, &peer.storage, sizeof value.tcpm_addr);
    if (!remove) {
        const std::size_t length = std::min(key.secret.size(), std::size_t{TCP_MD5SIG_MAXKEYLEN});
        value.tcpm_keylen = static_cast<std::uint16_t>(length);
        std::memcpy(value.tcpm_key, key.secret.data(), length);
    }
    const bool one_peer = key.peers.length() == key.peers.max_length();
    if (one_peer && key.interface_index == 0) return option_of(TCP_MD5SIG, value);
    value.tcpm_flags = TCP_MD5SIG_FLAG_PREFIX;
    value.tcpm_prefixlen = static_cast<std::uint8_t>(key.peers.length());
    if (key.interface_index != 0) {
        value.tcpm_flags |= TCP_MD5SIG_FLAG_IFINDEX;
        value.tcpm_ifindex = static_cast<int>(key.interface_index);
    }
    return option_of(TCP_MD5SIG_EXT, value);
}

TcpAuthOption ao_add_option(const AoKey& key) {
    AoAdd value = {};
    value.address = to_socket_address(key.peers.address(), 0, 0).storage;
    const std::size_t name = std::min(key.algorithm.size(), sizeof value.algorithm - 1);
    std::memcpy(value.algorithm, key.algorithm.data(), name);
    value.interface_index = static_cast<std::int32_t>(key.interface_index);
    if (key.current) value.flags |= ao_set_current;
    if (key.next) value.flags |= ao_set_next;
    value.prefix = static_cast<std::uint8_t>(key.peers.length());
    value.send_id = key.send_id;
    value.receive_id = key.receive_id;
    if (key.interface_index != 0) value.key_flags = ao_key_interface;
    const std::size_t length = std::min(key.secret.size(), tcp_key_bytes_max);
    value.key_length = static_cast<std::uint8_t>(length);
    std::memcpy(value.key, key.secret.data(), length);
    return option_of(tcp_ao_add_key, value);
}

TcpAuthOption ao_remove_option(const AoKey& key) {
    AoRemove value = {};
    value.address = to_socket_address(key.peers.address(), 0, 0).storage;
    value.interface_index = static_cast<std::int32_t>(key.interface_index);
    value.prefix = static_cast<std::uint8_t>(key.peers.length());
    value.send_id = key.send_id;
    value.receive_id = key.receive_id;
    if (key.interface_index != 0) value.key_flags = ao_key_interface;
    return option_of(tcp_ao_del_key, value);
}

SystemResult<void> install_md5_key(int fd, const Md5Key& key, bool remove) {
    auto done = install(fd, md5_option(key, remove), "set TCP-MD5 key");
    // Removing what is not there (a socket that never got the key) is fine.
    if (!done && remove && done.error().number == ENOENT) return {};
    return done;
}

SystemResult<void> install_ao_key(int fd, const AoKey& key, bool remove) {
    auto done = install(fd, remove ? ao_remove_option(key) : ao_add_option(key), "set TCP-AO key");
    if (!done && done.error().number == ENOPROTOOPT) {
        done.error().text = "TCP-AO is not supported by this kernel";
    }
    return done;
}

}  // namespace tern::os
