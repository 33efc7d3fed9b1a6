#pragma once

/// Configuration of BGP sessions and their channels, with THE rows of their options.
/// Plain data owned by the Config; parsed through rows in config.cc and config_channel.cc, checked
/// and completed by config_check.cc. Unset options with a default that depends on others are
/// optional here and get their value in `finish`. Running sessions copy what they need.
/// It holds no state and opens nothing.

#include "router/base/strong.h"
#include "router/config/protocol_config.h"
#include "router/config/syntax.h"
#include "router/net/ip_address.h"
#include "router/net/prefix.h"
#include "router/proto/bgp/next_hop_policy.h"
#include "router/proto/bgp/wire/attr_next_hop.h"
#include "router/proto/bgp/wire/capability.h"
#include "router/proto/bgp/wire/family.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tern::bgp {

inline constexpr std::uint16_t bgp_port = 179;
inline constexpr std::uint32_t no_limit = ~std::uint32_t{0};

enum class PeerType : std::uint8_t { unset, internal, external };
enum class Authentication : std::uint8_t { unset, none, md5, ao };
enum class RestartMode : std::uint8_t { off, aware, on };
enum class AigpMode : std::uint8_t { off, on, originate };
enum class AddPaths : std::uint8_t { off, receive, send, both };
enum class GatewayMode : std::uint8_t { direct, recursive };
enum class HopPreference : std::uint8_t { global, local };

struct BgpChannelConfig : config::ChannelConfig {
    wire::Family family = {};
    bool mandatory = false;
    std::optional<HopSwitch> next_hop_self = {};
    std::optional<HopSwitch> next_hop_keep = {};  ///< rr client: ibgp, rs client: on
    net::IpAddress next_hop_address = {};
    std::optional<HopPreference> next_hop_prefer = {};
    wire::LinkLocalFormat link_local_format = wire::LinkLocalFormat::native;
    std::optional<GatewayMode> gateway = {};
    config::TableConfig* igp_table4 = nullptr;
    config::TableConfig* igp_table6 = nullptr;
    config::Settle export_settle{loops::milliseconds(10), loops::milliseconds(100)};
    bool extended_next_hop = false;
    bool require_extended_next_hop = false;
    AddPaths add_paths = AddPaths::off;
    bool require_add_paths = false;
    std::optional<AigpMode> aigp = {};  ///< interior: on
    std::uint32_t cost = 0;             ///< 0: the distance to the next hop
};

struct BgpConfig : config::ProtocolConfig {
    // Addressing.
    net::IpAddress local_address = {};
    std::string local_scope;  ///< interface behind `%`
    std::uint16_t local_port = bgp_port;
    AsNumber local_as = {};
    bool has_neighbor = false;
    net::IpAddress remote_address = {};  ///< zero for a range
    std::optional<net::Prefix> remote_range = {};
    std::uint16_t remote_port = bgp_port;
    AsNumber remote_as = {};
    PeerType peer_type = PeerType::unset;
    bool onlink = false;
    std::string interface;
    std::optional<std::uint8_t> multihop = {};  ///< 0: `direct`; unset: 64 for IBGP
    std::string dynamic_name = "dynbgp";
    std::uint32_t dynamic_digits = 0;
    bool strict_bind = false;
    bool free_bind = false;
    std::optional<bool> check_link = {};
    bool ttl_security = false;
    bool passive = false;
    Authentication authentication = Authentication::unset;
    std::string password;
    bool setkey = true;

    // Topology and acceptance.
    AsNumber confederation = {};
    bool confederation_member = false;
    bool rr_client = false;
    std::optional<RouterId> cluster_id = {};
    bool rs_client = false;
    std::uint32_t allow_local_as = 0;
    bool allow_local_pref = false;
    bool allow_med = false;
    bool allow_as_sets = false;
    bool enforce_first_as = false;
    std::optional<wire::Role> local_role = {};
    bool require_roles = false;

    // Capabilities.
    bool enable_route_refresh = true;
    bool enable_enhanced_refresh = true;
    bool enable_as4 = true;
    bool enable_extended_messages = false;
    bool advertise_hostname = false;
    std::optional<bool> capabilities = {};  ///< unset: on, falling back to off
    bool require_route_refresh = false;
    bool require_enhanced_refresh = false;
    bool require_as4 = false;
    bool require_extended_messages = false;
    bool require_hostname = false;
    bool require_graceful_restart = false;
    bool require_long_lived = false;
    bool interpret_communities = true;
    bool disable_rx = false;
    std::uint32_t tx_size_warning = 0;

    // Timers, in seconds.
    std::uint32_t hold_time = 240;
    std::uint32_t min_hold_time = 0;
    std::uint32_t startup_hold_time = 240;
    std::optional<std::uint32_t> keepalive_time = {};
    std::uint32_t min_keepalive_time = 0;
    std::optional<std::uint32_t> send_hold_time = {};
    std::uint32_t connect_delay_time = 5;
    std::uint32_t connect_retry_time = 120;
    std::uint32_t error_wait_min = 60;
    std::uint32_t error_wait_max = 300;
    std::uint32_t error_forget_time = 300;
    bool disable_after_error = false;
    std::uint32_t disable_after_cease = 0;  ///< bit N: Cease subcode N

    // Decision.
    bool path_metric = true;
    bool med_metric = false;
    bool igp_metric = true;
    bool deterministic_med = false;
    bool prefer_older = false;
    std::uint32_t default_med = 0;
    std::uint32_t default_local_pref = 100;

    [[nodiscard]] bool is_dynamic() const { return remote_range.has_value(); }

    /// The peer type is known once `finish` has run.
    [[nodiscard]] bool is_internal() const { return peer_type == PeerType::internal; }

    [[nodiscard]] bool is_interior() const { return is_internal() || confederation_member; }

    [[nodiscard]] bool is_multihop() const { return multihop.value_or(0) != 0; }

    [[nodiscard]] BgpChannelConfig* bgp_channel(std::size_t index) const {
        return static_cast<BgpChannelConfig*>(channels[index].get());
    }
};

[[nodiscard]] config::Rows bgp_rows();
[[nodiscard]] config::Rows bgp_channel_rows();

/// Cross checks and dependent defaults of one protocol; complaints through the parser.
void finish_config(config::Parser& parser, config::ProtocolConfig& protocol);

/// What the configuration language needs to know about BGP; a constant of the program.
[[nodiscard]] const config::ProtocolSyntax& bgp_syntax();

}  // namespace tern::bgp
