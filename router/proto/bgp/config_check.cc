#include "router/config/config.h"
#include "router/config/parser.h"
#include "router/proto/bgp/config.h"

#include <array>

namespace tern::bgp {

namespace {

using config::Parser;

constexpr std::uint8_t ibgp_hops = 64;
constexpr std::size_t dynamic_name_max = 48;
constexpr std::size_t password_max = 80;
constexpr std::uint16_t preference = 100;

/// One protocol being checked; the first complaint is kept by the parser.
class Checker {
  public:
    Checker(Parser& parser, BgpConfig& config) : parser_(parser), config_(config) {}

    void run() {
        identity();
        if (!parser_.ok()) return;
        addressing();
        dynamic();
        authentication();
        topology();
        timers();
        for (std::size_t i = 0; i < config_.channels.size(); ++i) {
            channel(*config_.bgp_channel(i));
        }
    }

  private:
    void require(bool holds, std::string_view text) {
        if (!holds) parser_.fail(config_.position, std::string(text));
    }

    void identity() {
        require(config_.local_as.value() != 0, "Local AS number must be set");
        require(config_.has_neighbor, "Neighbor must be configured");
        const bool same = config_.remote_as == config_.local_as;
        const bool has_as = config_.remote_as.value() != 0;
        if (config_.peer_type == PeerType::internal) {
            require(!has_as || same, "IBGP cannot have different ASNs");
            config_.remote_as = config_.local_as;
        } else if (config_.peer_type == PeerType::external) {
            require(!has_as || !same, "EBGP cannot have the same ASNs");
        } else {
            require(has_as, "Remote AS number (or peer type) must be set");
            config_.peer_type = same ? PeerType::internal : PeerType::external;
        }
        const bool as4 = config_.enable_as4 && config_.capabilities.value_or(true);
        require(as4 || config_.remote_as.value() <= 0xffff,
                "Neighbor AS number out of range (AS4 not available)");
    }

    void addressing() {
        if (!config_.multihop)
            config_.multihop = config_.is_internal() ? ibgp_hops : std::uint8_t{0};
        const bool multihop = config_.is_multihop();
        const bool bound = !config_.interface.empty();
        if (config_.remote_address.is_link_local()) {
            require(bound, "Link-local addresses require defined interface");
        }
        require(!multihop || !bound, "Multihop BGP cannot be bound to interface");
        require(!multihop || !config_.onlink, "Multihop BGP cannot be configured onlink");
        require(!config_.onlink || bound || config_.passive || config_.is_dynamic(),
                "Active onlink BGP must have interface configured");
        require(!multihop || !config_.check_link.value_or(false),
                "Multihop BGP cannot depend on link state");
        if (!config_.check_link) config_.check_link = !multihop;
        require(!config_.strict_bind || !config_.local_address.is_zero() || bound,
                "Strict bind needs local address or interface");
        if (!config_.local_address.is_zero() && !config_.is_dynamic()) {
            require(config_.local_address.is_v4() == config_.remote_address.is_v4(),
                    "Different IP address families of local and neighbor addresses");
        }
    }

    void dynamic() {
        require(config_.dynamic_name.find('%') == std::string::npos,
                "Forbidden character '%' in dynamic name");
        require(config_.dynamic_name.size() <= dynamic_name_max, "Dynamic name too long");
    }

    void authentication() {
        const bool keyed = !config_.password.empty();
        if (config_.authentication == Authentication::unset) {
            config_.authentication = keyed ? Authentication::md5 : Authentication::none;
            if (keyed) {
                parser_.warn(config_.position, "Missing authentication option, assuming MD5");
            }
        }
        require(config_.authentication != Authentication::ao,
                "AO authentication and keys option should be used together");
        require(keyed == (config_.authentication == Authentication::md5),
                "MD5 authentication and password option should be used together");
        require(config_.password.size() <= password_max, "Password is too long");
    }

    void topology() {
        require(!config_.confederation_member || config_.confederation.value() != 0,
                "Confederation ID must be set for member sessions");
        require(!config_.rr_client || config_.is_internal(),
                "Only internal neighbor can be RR client");
        require(!config_.rs_client || !config_.is_internal(),
                "Only external neighbor can be RS client");
        require(!config_.enforce_first_as || !config_.is_internal(),
                "Enforce first AS check is requires EBGP sessions");
        require(!config_.local_role || !config_.is_internal(),
                "Local role cannot be set on IBGP sessions");
        require(!config_.require_roles || config_.local_role,
                "Local role must be set if roles are required");
    }

    void timers() {
        const std::uint32_t hold = config_.hold_time;
        require(config_.min_hold_time <= hold, "Min hold time must not exceed hold time");
        if (config_.keepalive_time && hold != 0) {
            require(*config_.keepalive_time <= hold, "Keepalive time must not exceed hold time");
            if (*config_.keepalive_time > hold / 2) {
                parser_.warn(config_.position, "Keepalive time is more than half of hold time");
            }
        }
        if (config_.send_hold_time && *config_.send_hold_time != 0) {
            require(*config_.send_hold_time >= hold,
                    "Send hold time must be zero or at least hold time");
        }
    }

    void channel(BgpChannelConfig& c) {
        if (const wire::FamilyRow* row = wire::find_family(c.syntax->words)) c.family = row->family;
        // RFC 8212: external sessions say what they let in and out.
        if (!config_.is_interior()) {
            if (!c.import_set) complain(c, "EBGP requires explicit import policy");
            if (!c.export_set) complain(c, "EBGP requires explicit export policy");
        }
        if (!c.next_hop_self) c.next_hop_self = HopSwitch::off;
        if (!c.next_hop_keep) {
            c.next_hop_keep = config_.rr_client   ? HopSwitch::ibgp
                              : config_.rs_client ? HopSwitch::on
                                                  : HopSwitch::off;
        }
        const bool multihop = config_.is_multihop();
        if (!c.gateway) c.gateway = multihop ? GatewayMode::recursive : GatewayMode::direct;
        if (multihop && *c.gateway == GatewayMode::direct) {
            complain(c, "Multihop BGP cannot use direct gateway mode");
        }
        if (!c.next_hop_prefer) {
            c.next_hop_prefer =
                *c.gateway == GatewayMode::direct ? HopPreference::global : HopPreference::local;
        }
        if (!c.aigp) c.aigp = config_.is_interior() ? AigpMode::on : AigpMode::off;
        if (c.secondary && !c.table->sorted) {
            complain(c, "Secondary option requires sorted table");
        }
        if (c.require_extended_next_hop && c.family.afi != wire::afi_ipv4) {
            parser_.warn(c.position,
                         "Require extended next hop option ignored for non-IPv4 channels");
        }
    }

    void complain(const BgpChannelConfig& c, std::string_view text) {
        parser_.fail(c.position, std::string(text));
    }

    Parser& parser_;
    BgpConfig& config_;
};

}  // namespace

void finish_config(config::Parser& parser, config::ProtocolConfig& protocol) {
    Checker(parser, static_cast<BgpConfig&>(protocol)).run();
}

namespace {

config::ChannelSyntax make_channel(wire::Family family, net::NetType type) {
    const wire::FamilyRow* row = wire::find_family(family);
    return config::channel_syntax<BgpChannelConfig>(
        {.words = row->syntax, .name = row->name, .type = type, .rows = bgp_channel_rows()});
}

}  // namespace

const config::ProtocolSyntax& bgp_syntax() {
    // Immutable and shared by all routers of the process; made at the first use.
    static const std::array<config::ChannelSyntax, 4> channels{
        make_channel({1, 1}, net::NetType::ip4), make_channel({1, 2}, net::NetType::ip4),
        make_channel({2, 1}, net::NetType::ip6), make_channel({2, 2}, net::NetType::ip6)};
    static const config::ProtocolSyntax syntax =
        config::protocol_syntax<BgpConfig>({.type = "bgp",
                                            .label = "BGP",
                                            .stem = "bgp",
                                            .doc = "exchange of routes with a neighbor",
                                            .rows = bgp_rows(),
                                            .channels = channels,
                                            .finish = finish_config,
                                            .preference = preference});
    return syntax;
}

}  // namespace tern::bgp
