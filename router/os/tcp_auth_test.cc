#include "router/os/tcp_auth.h"

#include <cstring>
#include <string_view>

#include <catch2/catch.hpp>
#include <linux/tcp.h>
#include <netinet/in.h>

namespace tern::os {
namespace {

net::IpAddress ip(std::string_view text) {
    return net::IpAddress::parse(text).value();
}

tcp_md5sig decode(const TcpAuthOption& option) {
    tcp_md5sig value = {};
    REQUIRE(option.size == sizeof value);
    std::memcpy(&value, option.bytes.data(), sizeof value);
    return value;
}

}  // namespace

TEST_CASE("a key for one peer uses the plain MD5 option of RFC 2385") {
    const TcpAuthOption option =
        md5_option({net::Prefix::host(ip("192.0.2.1")), "secret", 0}, false);
    CHECK(option.option == TCP_MD5SIG);
    const tcp_md5sig value = decode(option);
    CHECK(value.tcpm_flags == 0);
    CHECK(value.tcpm_keylen == 6);
    CHECK(std::memcmp(value.tcpm_key, "secret", 6) == 0);
    sockaddr_in peer = {};
    std::memcpy(&peer, &value.tcpm_addr, sizeof peer);
    CHECK(peer.sin_family == AF_INET);
    CHECK(ntohl(peer.sin_addr.s_addr) == 0xc0000201);
}

TEST_CASE("a key for a range or a VRF uses the extended MD5 option") {
    const TcpAuthOption range =
        md5_option({net::Prefix::ip(ip("2001:db8::"), 32), "secret", 0}, false);
    CHECK(range.option == TCP_MD5SIG_EXT);
    CHECK(decode(range).tcpm_flags == TCP_MD5SIG_FLAG_PREFIX);
    CHECK(decode(range).tcpm_prefixlen == 32);
    const TcpAuthOption vrf = md5_option({net::Prefix::host(ip("192.0.2.1")), "secret", 7}, false);
    CHECK(vrf.option == TCP_MD5SIG_EXT);
    CHECK((decode(vrf).tcpm_flags & TCP_MD5SIG_FLAG_IFINDEX) != 0);
    CHECK(decode(vrf).tcpm_ifindex == 7);
}

TEST_CASE("removing an MD5 key names the peer and has no secret") {
    const tcp_md5sig value =
        decode(md5_option({net::Prefix::host(ip("192.0.2.1")), "secret", 0}, true));
    CHECK(value.tcpm_keylen == 0);
    CHECK(value.tcpm_key[0] == 0);
}

TEST_CASE("a TCP-AO key (RFC 5925) has the kernel's layout") {
    AoKey key;
    key.peers = net::Prefix::host(ip("192.0.2.1"));
    key.secret = "topsecret";
    key.algorithm = "hmac(sha1)";
    key.send_id = 3;
    key.receive_id = 4;
    key.current = true;
    const TcpAuthOption option = ao_add_option(key);
    CHECK(option.option == 38);
    CHECK(option.size == 288);
    const auto& bytes = option.bytes;
    CHECK(std::memcmp(bytes.data() + 128, "hmac(sha1)", 11) == 0);
    CHECK(bytes[196] == 1);   // set_current
    CHECK(bytes[202] == 32);  // prefix
    CHECK(bytes[203] == 3);
    CHECK(bytes[204] == 4);
    CHECK(bytes[207] == 9);  // key length
    CHECK(std::memcmp(bytes.data() + 208, "topsecret", 9) == 0);
    const TcpAuthOption removal = ao_remove_option(key);
    CHECK(removal.option == 39);
    CHECK(removal.size == 144);
    CHECK(removal.bytes[138] == 32);
    CHECK(removal.bytes[139] == 3);
    CHECK(removal.bytes[140] == 4);
}

}  // namespace tern::os
