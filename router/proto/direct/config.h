#pragma once
/// Options of the direct protocol: which interfaces give routes, and whether carrier counts.
/// Typed values and the schema rows they come from; owned by the Config, read by the instance.
/// Channels: ipv4 and ipv6, both optional.

#include "router/config/protocol_config.h"
#include "router/config/syntax.h"

#include <vector>

namespace tern::direct {

struct DirectConfig : config::ProtocolConfig {
    std::vector<config::InterfacePattern> interfaces;  ///< none: all
    bool check_link = false;
};

inline constexpr std::uint16_t direct_preference = 240;

/// Lives as long as the program.
[[nodiscard]] const config::ProtocolSyntax& syntax();

}  // namespace tern::direct
