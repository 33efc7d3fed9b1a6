#include "router/proto/bgp/wire/header.h"
#include "router/proto/bgp/wire/notification.h"
#include "router/proto/bgp/wire/open.h"
#include "router/proto/bgp/wire/route_refresh.h"

#include <string>

#include <catch2/catch.hpp>

namespace tern::bgp::wire {

namespace {

OpenMessage full_open() {
    OpenMessage open;
    open.as = AsNumber(400000);
    open.hold_time = 240;
    open.router_id = RouterId(0x0a000001);
    Capabilities& c = open.capabilities;
    c.present = true;
    c.multiprotocol = {ipv4_unicast, ipv6_unicast};
    c.extended_next_hop = {{ipv4_unicast, afi_ipv6}};
    c.add_path = {{ipv4_unicast, true, true}, {ipv6_unicast, true, false}};
    c.graceful_restart = GracefulRestart{true, false, 120, {{ipv4_unicast, true}}};
    c.long_lived = std::vector<LongLivedFamily>{{ipv4_unicast, false, 3600}};
    c.as4 = 400000;
    c.role = Role::peer;
    c.hostname = "router.example";
    c.route_refresh = c.enhanced_refresh = c.extended_message = true;
    return open;
}

Bytes body_of(const std::vector<std::uint8_t>& message) {
    return Bytes(message).subspan(header_length);
}

}  // namespace

TEST_CASE("a KEEPALIVE is one complete frame") {  // RFC 4271 section 4.4
    const auto message = encode_keepalive();
    const auto found = frame(message, message_max);
    REQUIRE(found);
    CHECK(found->complete);
    CHECK(found->type == MessageType::keepalive);
    CHECK(found->length == 19);
}

TEST_CASE("a frame waits for its last octet") {  // RFC 4271 section 4.1
    const auto message = encode_open(full_open());
    for (std::size_t size = 0; size < message.size(); ++size) {
        const auto found = frame(Bytes(message).first(size), message_max);
        REQUIRE(found);
        CHECK_FALSE(found->complete);
    }
    CHECK(frame(message, message_max)->complete);
}

TEST_CASE("header errors quote the erroneous field") {  // RFC 4271 section 6.1
    auto message = encode_keepalive();
    message[3] = 0;
    CHECK(frame(message, message_max).error() == Notification{ErrorCode::header, 1, {}});
    message = encode_keepalive();
    message[17] = 18;
    CHECK(frame(message, message_max).error() == Notification{ErrorCode::header, 2, {0, 18}});
    message[17] = 20;
    CHECK(frame(message, message_max).error() == Notification{ErrorCode::header, 2, {0, 20}});
    message[17] = 19;
    message[18] = 9;
    CHECK(frame(message, message_max).error() == Notification{ErrorCode::header, 3, {9}});
}

TEST_CASE("only extended sessions take long messages, and never a long OPEN") {  // RFC 8654
    auto message = encode_keepalive();
    message[16] = 0x20;
    message[18] = 2;
    CHECK_FALSE(frame(message, message_max));
    CHECK(frame(message, message_max_extended));
    message[18] = 1;  // RFC 8654 section 4
    CHECK_FALSE(frame(message, message_max_extended));
}

TEST_CASE("an OPEN with every capability survives encoding") {  // RFC 4271 section 4.2, RFC 5492
    const OpenMessage open = full_open();
    const auto message = encode_open(open);
    const auto decoded = decode_open(body_of(message));
    REQUIRE(decoded);
    CHECK(*decoded == open);
}

TEST_CASE("an OPEN without capabilities has the two-octet AS") {  // RFC 6793 section 9
    OpenMessage open;
    open.as = AsNumber(65001);
    open.hold_time = 90;
    open.router_id = RouterId(7);
    const auto message = encode_open(open);
    CHECK(message.size() == 29);
    CHECK(*decode_open(body_of(message)) == open);
    open.as = AsNumber(400000);
    CHECK(decode_open(body_of(encode_open(open)))->as == AsNumber(as_trans));
}

TEST_CASE("parameters longer than 255 octets use the extended form") {  // RFC 9072 section 2
    OpenMessage open = full_open();
    open.capabilities.hostname = std::string(250, 'h');
    const auto message = encode_open(open);
    CHECK(body_of(message)[9] == 255);
    CHECK(body_of(message)[10] == 255);
    const auto decoded = decode_open(body_of(message));
    REQUIRE(decoded);
    CHECK(*decoded == open);
}

TEST_CASE("a wrong version, parameter or length is refused") {  // RFC 4271 section 6.2
    auto message = encode_open(full_open());
    message[header_length] = 3;
    CHECK(decode_open(body_of(message)).error() == Notification{ErrorCode::open, 1, {0, 4}});
    message = encode_open(full_open());
    message[header_length + 10] = 1;  // Authentication Information
    CHECK(decode_open(body_of(message)).error() == Notification{ErrorCode::open, 4, {}});
    message = encode_open(full_open());
    message[header_length + 9] ^= 1;
    CHECK(decode_open(body_of(message)).error() == Notification{ErrorCode::open, 0, {}});
}

TEST_CASE("unknown capabilities are skipped and short known ones refused") {  // RFC 5492 section 3
    Capabilities out;
    const std::vector<std::uint8_t> unknown{200, 3, 1, 2, 3, 2, 0};
    REQUIRE(decode_capabilities(unknown, out));
    CHECK(out.route_refresh);
    const std::vector<std::uint8_t> short_as4{65, 3, 0, 0, 1};
    CHECK_FALSE(decode_capabilities(short_as4, out));
    const std::vector<std::uint8_t> overrun{1, 4, 0, 1};
    CHECK_FALSE(decode_capabilities(overrun, out));
}

TEST_CASE("two different roles are a conflict") {  // RFC 9234 section 4.2
    Capabilities out;
    const std::vector<std::uint8_t> twice{9, 1, 4, 9, 1, 0};
    REQUIRE(decode_capabilities(twice, out));
    CHECK(out.role_conflict);
    Capabilities same;
    const std::vector<std::uint8_t> equal{9, 1, 4, 9, 1, 4};
    REQUIRE(decode_capabilities(equal, same));
    CHECK_FALSE(same.role_conflict);
}

TEST_CASE("error codes have texts") {  // RFC 4271 section 4.5
    CHECK(error_text(4, 0) == "Hold timer expired");
    CHECK(error_text(6, 7) == "Connection collision resolution");
    CHECK(error_text(9, 3) == "Unknown error 9.3");
}

TEST_CASE("a shutdown communication is carried and cut at 255 octets") {  // RFC 9003 section 2
    const std::string text(300, 'x');
    const Notification sent{ErrorCode::cease, 2, shutdown_data(text)};
    CHECK(sent.data.size() == 256);
    const auto message = encode_notification(sent);
    const auto view = decode_notification(body_of(message));
    REQUIRE(view);
    CHECK(shutdown_text(*view) == std::string(255, 'x'));
    CHECK(shutdown_data("").empty());
}

TEST_CASE("a cut never splits a character and controls never reach the log") {
    std::string text(254, 'x');
    text += "\xc3\xa9";  // two octets over the limit
    CHECK(shutdown_data(text).size() == 255);
    const std::vector<std::uint8_t> data{3, 'a', '\n', 'b'};
    CHECK(shutdown_text({6, 4, data}) == "a b");
}

TEST_CASE("a shutdown length beyond the data gives no text") {  // RFC 9003 section 4
    const std::vector<std::uint8_t> data{200, 'a', 'b'};
    CHECK(shutdown_text({6, 2, data}).empty());
    CHECK(shutdown_text({6, 2, {}}).empty());
}

TEST_CASE("route refresh messages survive encoding") {  // RFC 2918 section 3, RFC 7313 section 3.2
    for (RefreshKind kind : {RefreshKind::request, RefreshKind::begin, RefreshKind::end}) {
        const RouteRefresh sent{ipv6_unicast, kind};
        const auto message = encode_route_refresh(sent);
        CHECK(*decode_route_refresh(Bytes(message).subspan(header_length), true) == sent);
    }
    const std::vector<std::uint8_t> unknown{0, 1, 7, 1};
    CHECK_FALSE(decode_route_refresh(unknown, true)->known());
}

TEST_CASE("a BoRR of wrong length is answered with the message") {  // RFC 7313 section 5
    const std::vector<std::uint8_t> body{0, 1, 1, 1, 0};
    const auto error = decode_route_refresh(body, true).error();
    CHECK(error.code == ErrorCode::route_refresh);
    CHECK(error.subcode == 1);
    CHECK(error.data.size() == 24);
    CHECK(decode_route_refresh(body, false).error().code == ErrorCode::header);
}

}  // namespace tern::bgp::wire
