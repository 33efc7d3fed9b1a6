#pragma once
/// Options of the device protocol: how often interfaces are scanned, which addresses are preferred.
/// Typed values and the schema rows they come from; owned by the Config, read by the instance.
/// At most one instance per configuration; it has no channels.

#include "router/config/protocol_config.h"
#include "router/config/syntax.h"
#include "router/iface/interface.h"

#include <string>
#include <vector>

namespace tern::device {

struct PreferredRow {
    config::InterfacePattern pattern;
    iface::PreferredAddresses addresses;

    friend bool operator==(const PreferredRow& a, const PreferredRow& b) {
        return a.pattern == b.pattern && a.addresses.ip4 == b.addresses.ip4 &&
               a.addresses.ip6 == b.addresses.ip6 &&
               a.addresses.link_local == b.addresses.link_local;
    }
};

struct DeviceConfig : config::ProtocolConfig {
    loops::Duration scan_time = loops::seconds(60);  ///< zero: at startup only
    std::vector<PreferredRow> interfaces;
};

/// Lives as long as the program.
[[nodiscard]] const config::ProtocolSyntax& syntax();

/// The addresses of the first row that matches.
[[nodiscard]] iface::PreferredAddresses preferred_of(const DeviceConfig& config,
                                                     const iface::Interface& interface);

}  // namespace tern::device
