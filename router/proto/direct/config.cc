#include "router/proto/direct/config.h"

#include "router/config/option.h"
#include "router/config/values.h"

namespace tern::direct {
namespace {

namespace option = config::option;

void parse_interface(config::Parser& parser, DirectConfig& config, const config::OptionRow&) {
    config.interfaces.push_back(config::parse_interface_pattern(parser, true));
}

constexpr config::OptionRow rows[] = {
    option::custom<&DirectConfig::interfaces, parse_interface>(
        "interface",
        "PATTERN",
        {"all", "interfaces and addresses that give routes", config::Effect::modify}),
    option::flag<&DirectConfig::check_link>(
        "check link",
        {"off", "withdraw while the interface has no carrier", config::Effect::modify}),
};

constexpr config::ChannelSyntax channels[] = {
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv4", .name = "ipv4", .type = net::NetType::ip4}),
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv6", .name = "ipv6", .type = net::NetType::ip6}),
};

constexpr config::ProtocolSyntax direct_syntax = config::protocol_syntax<DirectConfig>({
    .type = "direct",
    .label = "Direct",
    .stem = "direct",
    .doc = "Routes to the networks of this host's interfaces.",
    .rows = rows,
    .channels = channels,
    .preference = direct_preference,
});

}  // namespace

const config::ProtocolSyntax& syntax() {
    return direct_syntax;
}

}  // namespace tern::direct
