#pragma once
/// Options of the static protocol: its routes, and how their next hops are found.
/// Typed values and the schema rows they come from; owned by the Config, read by the instance.
/// Exactly one channel: ipv4 or ipv6.

#include "router/config/protocol_config.h"
#include "router/config/syntax.h"
#include "router/proto/static/route_list.h"

namespace tern::static_routes {

struct StaticConfig : config::ProtocolConfig {
    bool check_link = false;
    const config::TableConfig* igp_table_ip4 = nullptr;  ///< for recursive routes; set if complete
    const config::TableConfig* igp_table_ip6 = nullptr;
    RouteList routes;
    Position first_route = {};  ///< for complaints about all of them
};

inline constexpr std::uint16_t static_preference = 200;

/// Lives as long as the program.
[[nodiscard]] const config::ProtocolSyntax& syntax();

}  // namespace tern::static_routes
