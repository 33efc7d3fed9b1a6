#include "router/proto/device/config.h"

#include "router/config/option.h"
#include "router/config/values.h"
#include "router/iface/pattern.h"

namespace tern::device {
namespace {

namespace option = config::option;
using config::Parser;
using config::TokenKind;

void parse_preferred(Parser& parser, iface::PreferredAddresses& addresses) {
    parser.expect("preferred");
    const net::IpAddress address = parser.address();
    if (address.is_v4()) {
        addresses.ip4 = address;
    } else if (address.is_link_local()) {
        addresses.link_local = address;
    } else {
        addresses.ip6 = address;
    }
}

void parse_interface(Parser& parser, DeviceConfig& config, const config::OptionRow&) {
    PreferredRow row;
    row.pattern = config::parse_interface_pattern(parser, false);
    if (parser.accept(TokenKind::left_brace)) {
        while (parser.more(TokenKind::right_brace)) {
            parse_preferred(parser, row.addresses);
            parser.expect(TokenKind::semicolon);
        }
    }
    config.interfaces.push_back(std::move(row));
}

constexpr config::OptionRow rows[] = {
    option::seconds<&DeviceConfig::scan_time>(
        "scan time",
        {},
        {"60", "seconds between scans of the interfaces; 0: at startup only",
         config::Effect::modify}),
    option::custom<&DeviceConfig::interfaces, parse_interface>(
        "interface",
        "PATTERN { preferred IP; }",
        {"", "preferred addresses of the interfaces that match", config::Effect::modify}),
};

constexpr config::ProtocolSyntax device_syntax = config::protocol_syntax<DeviceConfig>({
    .type = "device",
    .label = "Device",
    .stem = "device",
    .doc = "Learns the interfaces of the host; without it no interface is known.",
    .rows = rows,
    .single = true,
    .single_complaint = "Kernel device protocol already defined",
});

}  // namespace

const config::ProtocolSyntax& syntax() {
    return device_syntax;
}

iface::PreferredAddresses preferred_of(const DeviceConfig& config,
                                       const iface::Interface& interface) {
    for (const PreferredRow& row : config.interfaces) {
        if (iface::matches(row.pattern, interface, nullptr)) return row.addresses;
    }
    return {};
}

}  // namespace tern::device
