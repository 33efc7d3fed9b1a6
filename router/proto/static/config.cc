#include "router/proto/static/config.h"

#include "router/config/config.h"
#include "router/config/option.h"
#include "router/config/values.h"

#include <array>

#include <fmt/format.h>

namespace tern::static_routes {
namespace {

namespace option = config::option;
using config::Effect;
using config::Parser;
using config::TokenKind;

constexpr std::array<std::string_view, 7> other_networks = {"flow4", "flow6",    "aspa", "evpn",
                                                            "mpls",  "neighbor", "eth"};

/// What this build has no routes for is refused with a clear text.
bool refuse_network(Parser& parser) {
    const bool named = parser.at(TokenKind::word) && parser.peek_symbol() == nullptr;
    bool other = parser.at(TokenKind::route_distinguisher) || parser.at(TokenKind::mac);
    for (const std::string_view word : other_networks)
        other = other || (named && parser.at(word));
    if (other)
        parser.fail(parser.position(), "Networks of this type are not available in this build");
    return other;
}

void refuse_extras(Parser& parser) {
    if (parser.at("max") || parser.at("from")) {
        parser.fail(parser.position(), "Networks of this type are not available in this build");
    } else if (parser.at("mpls")) {
        parser.fail(parser.position(), "MPLS labels are not available in this build");
    }
}

/// Options behind a `via`, in any order.
void parse_hop_options(Parser& parser, Hop& hop) {
    while (parser.ok()) {
        if (parser.accept("dev")) {
            hop.interface = parser.text();
        } else if (parser.accept("weight")) {
            hop.weight = static_cast<std::uint16_t>(
                parser.number_in({1, 256, "Weight must be in range 1-256"}));
        } else if (parser.accept("onlink")) {
            hop.onlink = parser.boolean();
        } else if (parser.accept("bfd")) {
            if (parser.boolean()) parser.fail("Option 'bfd' is not available in this build");
        } else if (parser.at("mpls")) {
            refuse_extras(parser);
        } else {
            return;
        }
    }
}

Hop parse_hop(Parser& parser) {
    Hop hop;
    if (parser.at(TokenKind::string)) {
        hop.interface = parser.text();
    } else {
        hop.gateway = parser.address();
        if (parser.accept(TokenKind::percent)) hop.interface = config::parse_scope(parser);
    }
    parse_hop_options(parser, hop);
    return hop;
}

Target parse_target(Parser& parser) {
    Target target;
    if (parser.accept("via")) {
        target.kind = TargetKind::via;
        do
            target.hops.push_back(parse_hop(parser));
        while (parser.accept("via"));
    } else if (parser.accept("recursive")) {
        target.kind = TargetKind::recursive;
        target.host = parser.address();
        refuse_extras(parser);
    } else if (parser.accept("blackhole") || parser.accept("drop")) {
        target.kind = TargetKind::blackhole;
    } else if (parser.accept("unreachable") || parser.accept("reject")) {
        target.kind = TargetKind::unreachable;
    } else if (parser.accept("prohibit")) {
        target.kind = TargetKind::prohibit;
    } else {
        parser.fail(parser.position(), "Unexpected or missing nexthop/type");
    }
    return target;
}

std::string incompatible(const net::Prefix& prefix) {
    return fmt::format("Route {} incompatible with channel type", prefix.to_string());
}

void parse_route(Parser& parser, StaticConfig& config, const config::OptionRow&) {
    if (refuse_network(parser)) return;
    const Position place = parser.position();
    const net::Prefix prefix = config::parse_prefix_option(parser);
    refuse_extras(parser);
    if (!parser.ok()) return;
    if (!config.first_route.known()) config.first_route = place;
    Target target = parse_target(parser);
    if (parser.at(TokenKind::left_brace)) {
        target.filter = parser.language().parse_route_block(parser);
    }
    if (!parser.ok()) return;
    switch (config.routes.add(prefix, std::move(target))) {
        case RouteList::Added::done:
            return;
        case RouteList::Added::other_type:
            parser.fail(place, incompatible(prefix));
            return;
        case RouteList::Added::too_many_targets:
            parser.fail(place, "Too many different next hops in one static protocol");
            return;
    }
}

void parse_igp_table(Parser& parser, StaticConfig& config, const config::OptionRow&) {
    const config::TableConfig* table = config::parse_table(parser);
    if (table == nullptr) return;
    if (table->type == net::NetType::ip4) {
        config.igp_table_ip4 = table;
    } else if (table->type == net::NetType::ip6) {
        config.igp_table_ip6 = table;
    } else {
        parser.fail("Incompatible IGP table type");
    }
}

constexpr config::OptionRow rows[] = {
    option::custom<&StaticConfig::routes, parse_route>(
        "route",
        "NET via NEXTHOP | recursive IP | blackhole | unreachable | prohibit [{ STATEMENTS }]",
        {"", "one route", Effect::modify}),
    option::flag<&StaticConfig::check_link>(
        "check link", {"off", "a next hop needs carrier on its interface", Effect::restart}),
    option::custom<&StaticConfig::igp_table_ip4, parse_igp_table>(
        "igp table",
        "TABLE",
        {"own table", "where next hops of recursive routes are looked up", Effect::restart}),
};

constexpr config::ChannelSyntax channels[] = {
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv4", .name = "ipv4", .type = net::NetType::ip4}),
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv6", .name = "ipv6", .type = net::NetType::ip6}),
};

/// Recursive routes look into the channel's own table, or into the family's default one.
const config::TableConfig* igp_table(Parser& parser,
                                     const config::ChannelConfig& channel,
                                     net::NetType type) {
    if (channel.table->type == type) return channel.table;
    config::TableConfig* table = parser.config().default_table(type);
    if (table != nullptr) table->used = true;
    return table;
}

bool has_recursive(const RouteList& routes, bool v4) {
    for (const Target& target : routes.targets()) {
        if (target.kind == TargetKind::recursive && target.host.is_v4() == v4) return true;
    }
    return false;
}

void finish(Parser& parser, config::ProtocolConfig& protocol) {
    auto& mine = static_cast<StaticConfig&>(protocol);
    if (mine.channels.empty()) {
        parser.fail(mine.position, "Channel not specified");
        return;
    }
    const config::ChannelConfig& channel = *mine.channels.front();
    if (!mine.routes.empty() && mine.routes.type() != channel.type) {
        parser.fail(mine.first_route, incompatible(mine.routes.prefix(0)));
        return;
    }
    const bool v4 = channel.type == net::NetType::ip4;
    if (mine.igp_table_ip4 == nullptr && (v4 || has_recursive(mine.routes, true))) {
        mine.igp_table_ip4 = igp_table(parser, channel, net::NetType::ip4);
    }
    if (mine.igp_table_ip6 == nullptr && (!v4 || has_recursive(mine.routes, false))) {
        mine.igp_table_ip6 = igp_table(parser, channel, net::NetType::ip6);
    }
    mine.routes.close();
}

/// The running table is the same object: nothing that makes it anew has changed.
bool same_table(const config::TableConfig* a, const config::TableConfig* b) {
    if (a == nullptr || b == nullptr) return a == b;
    return a->name == b->name && a->type == b->type && a->sorted == b->sorted && a->trie == b->trie;
}

config::Effect compare(const config::ProtocolConfig& old, const config::ProtocolConfig& now) {
    const auto& a = static_cast<const StaticConfig&>(old);
    const auto& b = static_cast<const StaticConfig&>(now);
    const bool same = same_table(a.igp_table_ip4, b.igp_table_ip4) &&
                      same_table(a.igp_table_ip6, b.igp_table_ip6);
    return same ? Effect::none : Effect::restart;
}

constexpr config::ProtocolSyntax static_syntax = config::protocol_syntax<StaticConfig>({
    .type = "static",
    .label = "Static",
    .stem = "static",
    .doc = "Routes written down in the configuration.",
    .rows = rows,
    .channels = channels,
    .finish = finish,
    .preference = static_preference,
    .channels_max = 1,
    .compare = compare,
});

}  // namespace

const config::ProtocolSyntax& syntax() {
    return static_syntax;
}

}  // namespace tern::static_routes
