#pragma once
/// TCP authentication: MD5 signatures (RFC 2385) and the authentication option (RFC 5925).
/// The option structures are made by pure functions, so that their bytes can be tested where the
/// kernel lacks the feature; installing reports a refusal of the kernel in clear words. Keys belong
/// to the configuration; nothing here stores or prints a secret.

#include "router/net/ip_address.h"
#include "router/net/prefix.h"
#include "router/os/system_error.h"

#include <array>
#include <cstdint>
#include <string>

namespace tern::os {

/// TCP-MD5 key for the peers inside a prefix.
struct Md5Key {
    net::Prefix peers;
    std::string secret;                 ///< 1..80 bytes
    std::uint32_t interface_index = 0;  ///< VRF device the key is limited to; 0: any

    friend bool operator==(const Md5Key&, const Md5Key&) = default;
};

/// TCP-AO key.
struct AoKey {
    net::Prefix peers;
    std::string secret;     ///< 1..80 bytes
    std::string algorithm;  ///< the kernel's name: "hmac(sha1)", "cmac(aes128)"
    std::uint32_t interface_index = 0;
    std::uint8_t send_id = 0;
    std::uint8_t receive_id = 0;
    bool current = false;  ///< sign with it
    bool next = false;     ///< ask the peer to sign with it

    friend bool operator==(const AoKey&, const AoKey&) = default;
};

inline constexpr std::size_t tcp_key_bytes_max = 80;

/// A filled option structure, ready for setsockopt.
struct TcpAuthOption {
    int option = 0;
    std::size_t size = 0;
    alignas(8) std::array<std::uint8_t, 296> bytes = {};
};

/// TCP_MD5SIG for exactly one peer, TCP_MD5SIG_EXT with a prefix or device; removal has no secret.
[[nodiscard]] TcpAuthOption md5_option(const Md5Key& key, bool remove);
/// TCP_AO_ADD_KEY (Linux 6.7).
[[nodiscard]] TcpAuthOption ao_add_option(const AoKey& key);
/// TCP_AO_DEL_KEY.
[[nodiscard]] TcpAuthOption ao_remove_option(const AoKey& key);

SystemResult<void> install_md5_key(int fd, const Md5Key& key, bool remove);
/// Fails with "TCP-AO is not supported by this kernel" where that is so.
SystemResult<void> install_ao_key(int fd, const AoKey& key, bool remove);

}  // namespace tern::os
