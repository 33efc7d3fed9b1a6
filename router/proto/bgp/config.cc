#include "router/proto/bgp/config.h"

#include "router/config/option.h"
#include "router/config/values.h"
#include "router/proto/bgp/wire/notification.h"

#include <array>

namespace tern::bgp {

namespace {

namespace option = config::option;
using config::Choice;
using config::Effect;
using config::OptionRow;
using config::Parser;
using config::Range;
using config::TokenKind;

constexpr Range port_range{1, 65535, "Invalid port number"};
constexpr Range as_range{1, 0xffffffff, "Invalid AS number"};
/// RFC 4271 section 4.2.
constexpr Range hold_range{3, 65535, "Hold time must be in range 3-65535 or zero", true};
constexpr Range other_hold_range{0, 65535, "Hold time must be in range 0-65535"};
constexpr Range keepalive_range{1, 65535, "Keepalive time must be in range 1-65535"};
constexpr Range any_number{};
constexpr std::uint8_t default_hops = 64;

std::uint16_t read_port(Parser& p) {
    return static_cast<std::uint16_t>(p.number_in(port_range));
}

AsNumber read_as(Parser& p) {
    return AsNumber(p.number_in(as_range));
}

void read_local(Parser& p, BgpConfig& c, const OptionRow&) {
    while (p.ok() && !p.at(TokenKind::semicolon)) {
        if (p.accept("port")) {
            c.local_port = read_port(p);
        } else if (p.accept("as")) {
            c.local_as = read_as(p);
        } else {
            c.local_address = p.address();
            if (p.accept(TokenKind::percent)) c.local_scope = config::parse_scope(p);
        }
    }
}

void read_remote(Parser& p, BgpConfig& c) {
    if (c.has_neighbor)
        return p.fail(p.position(), "Only one neighbor per BGP instance is allowed");
    c.has_neighbor = true;
    if (p.accept("range")) {
        p.fail("Option 'neighbor range' is not available in this build");
        return;
    }
    c.remote_address = p.address();
    if (!p.accept(TokenKind::percent)) return;
    c.interface = config::parse_scope(p);
}

void read_neighbor(Parser& p, BgpConfig& c, const OptionRow&) {
    while (p.ok() && !p.at(TokenKind::semicolon)) {
        if (p.accept("port")) {
            c.remote_port = read_port(p);
        } else if (p.accept("as")) {
            c.remote_as = read_as(p);
        } else if (p.accept("internal")) {
            c.peer_type = PeerType::internal;
        } else if (p.accept("external")) {
            c.peer_type = PeerType::external;
        } else if (p.accept("onlink")) {
            c.onlink = true;
        } else {
            read_remote(p, c);
        }
    }
}

void read_direct(Parser&, BgpConfig& c, const OptionRow&) {
    c.multihop = 0;
}

void read_multihop(Parser& p, BgpConfig& c, const OptionRow&) {
    if (p.at(TokenKind::semicolon)) {
        c.multihop = default_hops;
        return;
    }
    c.multihop =
        static_cast<std::uint8_t>(p.number_in({1, 255, "Multihop must be in range 1-255"}));
}

void read_allow_local_as(Parser& p, BgpConfig& c, const OptionRow&) {
    c.allow_local_as = p.at(TokenKind::semicolon) ? no_limit : p.number();
}

void read_error_wait(Parser& p, BgpConfig& c, const OptionRow&) {
    c.error_wait_min = p.number();
    p.expect(TokenKind::comma);
    c.error_wait_max = p.number();
    if (p.ok() && c.error_wait_min > c.error_wait_max) {
        p.fail("Minimum error wait time is greater than maximum");
    }
}

constexpr std::array cease_flags{
    Choice{"cease", 0},
    Choice{"prefix limit hit", wire::cease::maximum_prefixes},
    Choice{"administrative shutdown", wire::cease::administrative_shutdown},
    Choice{"peer deconfigured", wire::cease::deconfigured},
    Choice{"administrative reset", wire::cease::administrative_reset},
    Choice{"connection rejected", wire::cease::rejected},
    Choice{"configuration change", wire::cease::configuration_change},
    Choice{"connection collision", wire::cease::collision},
    Choice{"out of resources", wire::cease::out_of_resources},
};

constexpr std::uint32_t all_but_collision = 0x1ff & ~(1U << wire::cease::collision);

void read_disable_after_cease(Parser& p, BgpConfig& c, const OptionRow&) {
    if (!p.accept(TokenKind::left_brace)) {
        c.disable_after_cease = p.boolean() ? all_but_collision : 0;
        return;
    }
    c.disable_after_cease = 0;
    while (p.ok() && !p.accept(TokenKind::right_brace)) {
        c.disable_after_cease |= 1U << p.choice(cease_flags);
        if (!p.at(TokenKind::right_brace)) p.expect(TokenKind::comma);
    }
}

void read_start_delay(Parser& p, BgpConfig& c, const OptionRow&) {
    p.warn(p.last_position(), "Start delay time option deprecated, use connect delay time");
    c.connect_delay_time = p.number();
}

void refuse_option(Parser& p, std::string_view words) {
    p.fail("Option '" + std::string(words) + "' is not available in this build");
}

/// A switch whose `off` is the truth already.
void read_off(Parser& p, BgpConfig&, const OptionRow& row) {
    if (p.at(TokenKind::left_brace) || p.at("graceful") || p.boolean()) {
        refuse_option(p, row.words);
    }
}

/// Three states, of which `off` is available.
void read_restart_mode(Parser& p, BgpConfig&, const OptionRow& row) {
    if (p.accept("aware") || p.boolean()) refuse_option(p, row.words);
}

constexpr std::array roles{
    Choice{"peer", static_cast<std::uint32_t>(wire::Role::peer)},
    Choice{"provider", static_cast<std::uint32_t>(wire::Role::provider)},
    Choice{"customer", static_cast<std::uint32_t>(wire::Role::customer)},
    Choice{"rs_server", static_cast<std::uint32_t>(wire::Role::rs_server)},
    Choice{"rs_client", static_cast<std::uint32_t>(wire::Role::rs_client)},
};

constexpr std::array methods{
    Choice{"none", static_cast<std::uint32_t>(Authentication::none)},
    Choice{"md5", static_cast<std::uint32_t>(Authentication::md5)},
    Choice{"ao", static_cast<std::uint32_t>(Authentication::ao)},
};

constexpr std::array addressing_rows{
    option::custom<&BgpConfig::local_as, read_local>(
        "local",
        "[IP[%IF]] [port NUM] [as NUM]",
        {"", "own address, port and AS", Effect::restart}),
    option::custom<&BgpConfig::remote_as, read_neighbor>(
        "neighbor",
        "[IP[%IF] | range PREFIX] [port NUM] [as NUM] [internal|external] [onlink]",
        {"", "the other side of the session", Effect::restart}),
    option::text<&BgpConfig::interface>("interface",
                                        {"", "interface the session is bound to", Effect::restart}),
    option::unavailable("interface range", "listen on each matching interface"),
    option::flag<&BgpConfig::onlink>(
        "onlink", {"off", "do not wait for the neighbor to be on link", Effect::restart}),
    option::address<&BgpConfig::local_address>("source address",
                                               {"", "own address, as with local", Effect::restart}),
    option::custom<&BgpConfig::multihop, read_direct>(
        "direct", "", {"external sessions", "neighbor is on a connected network", Effect::restart}),
    option::custom<&BgpConfig::multihop, read_multihop>(
        "multihop",
        "[NUM]",
        {"internal sessions", "neighbor may be that many hops away", Effect::restart}),
    option::unavailable("dynamic name", "prefix of names of spawned sessions"),
    option::unavailable("dynamic name digits", "least width of the number in the name"),
    option::flag<&BgpConfig::strict_bind>(
        "strict bind", {"off", "listen on the local address only", Effect::restart}),
    option::flag<&BgpConfig::free_bind>(
        "free bind", {"off", "the local address need not exist", Effect::restart}),
    option::flag<&BgpConfig::check_link>(
        "check link", {"on if direct", "drop the session when carrier is lost", Effect::modify}),
    option::custom<&BgpConfig::passive, read_off>("bfd", "off", {"off", "BFD for the session"}),
    option::flag<&BgpConfig::ttl_security>("ttl security",
                                           {"off", "RFC 5082 protection", Effect::restart}),
    option::flag<&BgpConfig::passive>("passive", {"off", "never connect", Effect::restart}),
    option::choice<&BgpConfig::authentication>(
        "authentication", methods, {"none", "how TCP segments are signed", Effect::restart}),
    option::text<&BgpConfig::password>("password",
                                       {"", "key of TCP MD5 signatures", Effect::restart}),
    option::flag<&BgpConfig::setkey>(
        "setkey", {"on", "manage keys in the system (only on BSD)", Effect::restart}),
    option::unavailable("keys", "keys of TCP-AO"),
};

constexpr std::array policy_rows{
    option::number<&BgpConfig::confederation>(
        "confederation", as_range, {"", "confederation identifier", Effect::restart}),
    option::flag<&BgpConfig::confederation_member>(
        "confederation member", {"off", "neighbor is in our confederation", Effect::restart}),
    option::flag<&BgpConfig::rr_client>("rr client",
                                        {"off", "reflect routes to the neighbor", Effect::restart}),
    option::identifier<&BgpConfig::cluster_id>(
        "rr cluster id", {"router id", "cluster of the reflector", Effect::restart}),
    option::flag<&BgpConfig::rs_client>(
        "rs client", {"off", "be a route server for the neighbor", Effect::restart}),
    option::custom<&BgpConfig::allow_local_as, read_allow_local_as>(
        "allow local as", "[NUM]", {"0", "own AS tolerated in received paths", Effect::restart}),
    option::flag<&BgpConfig::allow_local_pref>(
        "allow bgp_local_pref", {"off", "LOCAL_PREF on external sessions", Effect::restart}),
    option::flag<&BgpConfig::allow_med>(
        "allow bgp_med", {"off", "pass MED on to external neighbors", Effect::restart}),
    option::flag<&BgpConfig::allow_as_sets>("allow as sets",
                                            {"off", "accept deprecated AS_SET", Effect::restart}),
    option::flag<&BgpConfig::enforce_first_as>(
        "enforce first as", {"off", "first AS must be the neighbor's", Effect::restart}),
    option::choice<&BgpConfig::local_role>(
        "local role", roles, {"", "RFC 9234 role", Effect::restart}),
    option::flag<&BgpConfig::require_roles>(
        "require roles", {"off", "refuse neighbors without role", Effect::modify}),
    option::flag<&BgpConfig::path_metric>("path metric",
                                          {"on", "compare lengths of AS paths", Effect::restart}),
    option::flag<&BgpConfig::med_metric>("med metric",
                                         {"off", "compare MED of different AS", Effect::restart}),
    option::flag<&BgpConfig::igp_metric>("igp metric",
                                         {"on", "compare distances to next hops", Effect::restart}),
    option::custom<&BgpConfig::deterministic_med, read_off>(
        "deterministic med", "off", {"off", "compare MED independent of order"}),
    option::flag<&BgpConfig::prefer_older>("prefer older",
                                           {"off", "RFC 5004 tie-break", Effect::restart}),
    option::number<&BgpConfig::default_med>(
        "default bgp_med", any_number, {"0", "MED where there is none", Effect::restart}),
    option::number<&BgpConfig::default_local_pref>(
        "default bgp_local_pref",
        any_number,
        {"100", "LOCAL_PREF where there is none", Effect::restart}),
    option::flag<&BgpConfig::interpret_communities>(
        "interpret communities", {"on", "obey well-known communities", Effect::restart}),
};

constexpr std::array capability_rows{
    option::flag<&BgpConfig::enable_route_refresh>("enable route refresh",
                                                   {"on", "RFC 2918", Effect::restart}),
    option::flag<&BgpConfig::enable_enhanced_refresh>("enable enhanced route refresh",
                                                      {"on", "RFC 7313", Effect::restart}),
    option::flag<&BgpConfig::enable_as4>("enable as4", {"on", "RFC 6793", Effect::restart}),
    option::flag<&BgpConfig::enable_extended_messages>("enable extended messages",
                                                       {"off", "RFC 8654", Effect::restart}),
    option::flag<&BgpConfig::advertise_hostname>("advertise hostname",
                                                 {"off", "tell our host name", Effect::restart}),
    option::flag<&BgpConfig::capabilities>("capabilities",
                                           {"on, with fallback", "RFC 5492", Effect::restart}),
    option::flag<&BgpConfig::require_route_refresh>("require route refresh",
                                                    {"off", "refuse without", Effect::modify}),
    option::flag<&BgpConfig::require_enhanced_refresh>("require enhanced route refresh",
                                                       {"off", "refuse without", Effect::modify}),
    option::flag<&BgpConfig::require_as4>("require as4", {"off", "refuse without", Effect::modify}),
    option::flag<&BgpConfig::require_extended_messages>("require extended messages",
                                                        {"off", "refuse without", Effect::modify}),
    option::flag<&BgpConfig::require_hostname>("require hostname",
                                               {"off", "refuse without", Effect::modify}),
    option::flag<&BgpConfig::require_graceful_restart>("require graceful restart",
                                                       {"off", "refuse without", Effect::modify}),
    option::flag<&BgpConfig::require_long_lived>("require long lived graceful restart",
                                                 {"off", "refuse without", Effect::modify}),
    option::custom<&BgpConfig::disable_rx, read_off>(
        "disable rx", "off", {"off", "for tests: read nothing"}),
    option::unavailable("tx size warning", "warn at this many octets to send"),
};

constexpr std::array timer_rows{
    option::seconds<&BgpConfig::hold_time>(
        "hold time", hold_range, {"240", "proposed hold time", Effect::restart}),
    option::seconds<&BgpConfig::min_hold_time>(
        "min hold time", other_hold_range, {"0", "least hold time accepted", Effect::restart}),
    option::seconds<&BgpConfig::startup_hold_time>(
        "startup hold time", other_hold_range, {"240", "until OPEN is received", Effect::restart}),
    option::seconds<&BgpConfig::keepalive_time>(
        "keepalive time",
        keepalive_range,
        {"hold time / 3", "between keepalives", Effect::restart}),
    option::seconds<&BgpConfig::min_keepalive_time>(
        "min keepalive time", keepalive_range, {"", "least accepted", Effect::restart}),
    option::seconds<&BgpConfig::send_hold_time>(
        "send hold time",
        any_number,
        {"2 * hold time", "drop when nothing can be sent", Effect::restart}),
    option::seconds<&BgpConfig::connect_delay_time>(
        "connect delay time", any_number, {"5", "before the first try", Effect::restart}),
    option::custom<&BgpConfig::connect_delay_time, read_start_delay>(
        "start delay time", "SECONDS", {"5", "deprecated: connect delay time", Effect::restart}),
    option::seconds<&BgpConfig::connect_retry_time>(
        "connect retry time", any_number, {"120", "between tries", Effect::restart}),
    option::custom<&BgpConfig::error_wait_max, read_error_wait>(
        "error wait time", "MIN,MAX", {"60,300", "pause behind an error", Effect::restart}),
    option::seconds<&BgpConfig::error_forget_time>(
        "error forget time", any_number, {"300", "errors older do not count", Effect::restart}),
    option::flag<&BgpConfig::disable_after_error>(
        "disable after error", {"off", "stay down behind an error", Effect::restart}),
    option::custom<&BgpConfig::disable_after_cease, read_disable_after_cease>(
        "disable after cease",
        "SWITCH | { flags }",
        {"off", "stay down behind a Cease", Effect::restart}),
    option::custom<&BgpConfig::passive, read_restart_mode>(
        "graceful restart", "off", {"off", "RFC 4724"}),
    option::unavailable("graceful restart time", "announced restart time"),
    option::unavailable("min graceful restart time", "least restart time"),
    option::unavailable("max graceful restart time", "most restart time"),
    option::custom<&BgpConfig::passive, read_restart_mode>(
        "long lived graceful restart", "off", {"off", "RFC 9494"}),
    option::unavailable("long lived stale time", "announced stale time"),
    option::unavailable("min long lived stale time", "least stale time"),
    option::unavailable("max long lived stale time", "most stale time"),
    // Channels of families that routes cannot have yet.
    option::unavailable("ipv4 mpls", "labelled routes"),
    option::unavailable("ipv6 mpls", "labelled routes"),
    option::unavailable("vpn4 mpls", "VPN routes"),
    option::unavailable("vpn6 mpls", "VPN routes"),
    option::unavailable("vpn4 multicast", "VPN routes"),
    option::unavailable("vpn6 multicast", "VPN routes"),
    option::unavailable("flow4", "flow specification"),
    option::unavailable("flow6", "flow specification"),
    option::unavailable("evpn", "Ethernet VPN"),
    option::unavailable("mpls", "local labels"),
    option::unavailable("neighbors", "neighbors of a dynamic session"),
};

/// One list out of the four.
constexpr auto join_rows() {
    std::array<OptionRow, addressing_rows.size() + policy_rows.size() + capability_rows.size() +
                              timer_rows.size()>
        out = {};
    std::size_t at = 0;
    for (const OptionRow& row : addressing_rows)
        out[at++] = row;
    for (const OptionRow& row : policy_rows)
        out[at++] = row;
    for (const OptionRow& row : capability_rows)
        out[at++] = row;
    for (const OptionRow& row : timer_rows)
        out[at++] = row;
    return out;
}

constexpr auto all_rows = join_rows();

}  // namespace

config::Rows bgp_rows() {
    return all_rows;
}

}  // namespace tern::bgp
