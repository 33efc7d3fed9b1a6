// The neighbour's part of `show protocols all`.
#include "loops/loop.h"
#include "router/proto/bgp/peer.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::bgp {

namespace {

using cli::Field;
using cli::ReplyCode;

constexpr auto code = ReplyCode::protocol_details;

std::string seconds_text(loops::Duration left) {
    if (left.is_infinite()) return "0.000";
    return fmt::format("{:.3f}", static_cast<double>(left.microseconds()) / 1e6);
}

std::string_view class_text(ErrorClass kind) {
    switch (kind) {
        case ErrorClass::none:
            return "";
        case ErrorClass::socket:
            return "Socket: ";
        case ErrorClass::sent:
            return "BGP Error: ";
        case ErrorClass::received:
            return "Received: ";
        case ErrorClass::local:
            return "Error: ";
        case ErrorClass::automatic:
            return "Automatic shutdown: ";
    }
    return "";
}

template <class List, class Text>
std::string joined(const List& list, Text&& text) {
    std::string out;
    for (const auto& each : list)
        out += " " + text(each);
    return out;
}

}  // namespace

const Connection* Peer::best_connection() const {
    if (session_ != nullptr) return session_;
    const Connection* best = nullptr;
    for (const Connection* each : {outgoing_.get(), incoming_.get()}) {
        if (each != nullptr && (best == nullptr || each->state() > best->state())) best = each;
    }
    return best;
}

std::string_view Peer::state_text() const {
    if (const Connection* best = best_connection()) return state_name(best->state());
    const bool absent = neighbor_ != nullptr && neighbor_->state() != iface::NeighborState::present;
    if (stopping_ || waiting_ || absent) return state_name(State::idle);
    return config().passive ? "Passive" : state_name(State::active);
}

bool Peer::may_export(const channel::Channel& channel,
                      const table::RouteValue& route,
                      const table::SourceOwner& owner) const {
    for (const auto& each : sessions_) {
        if (&each->channel != &channel) continue;
        return bgp::may_export(*route.attributes, session_facts(owner), each->profile.facts) ==
               ExportRule::allowed;
    }
    return false;
}

std::optional<bool> Peer::has_exported(channel::Channel& channel, net::PrefixId prefix) const {
    for (const auto& each : sessions_) {
        if (&each->channel != &channel || each->member.group == nullptr) continue;
        const loops::LoopEntry entry(each->member.group->loop());
        return each->member.group->has_announced(each->member, prefix);
    }
    return false;
}

std::string Peer::info() const {
    return fmt::format("{:<14}{}{}", state_text(), class_text(memory_.error_class), memory_.error);
}

void Peer::show_details(cli::Output& out) const {
    out.line(code, "  BGP state:          {bgp_state}", {Field{"bgp_state", state_text()}});
    out.line(code, "    Neighbor address: {neighbor_address}{onlink_text}",
             {Field{"neighbor_address", config().remote_address.to_string()},
              Field{"onlink_text", config().onlink ? " onlink" : "", cli::Audience::text_only}});
    if (config().remote_port != bgp_port) {
        out.line(code, "    Neighbor port:    {neighbor_port}",
                 {Field{"neighbor_port", std::uint32_t{config().remote_port}}});
    }
    const AsNumber remote_as =
        session_ != nullptr ? session_->parameters().remote_as : config().remote_as;
    out.line(code, "    Neighbor AS:      {neighbor_as}",
             {Field{"neighbor_as", remote_as.value()}});
    out.line(code, "    Local AS:         {local_as}",
             {Field{"local_as", config().local_as.value()}});
    session_ != nullptr ? show_session(out) : show_waiting(out);
    if (memory_.error_class != ErrorClass::none) {
        out.line(code, "    Last error:       {error_class}{last_error}",
                 {Field{"error_class", class_text(memory_.error_class)},
                  Field{"last_error", memory_.error}});
    }
    show_channels(out);
}

void Peer::show_waiting(cli::Output& out) const {
    if (!connect_timer_.active()) return;
    const bool error = waiting_;
    const loops::Duration pause = error ? memory_.error_wait : connect_pause_;
    const std::int64_t whole = (pause.microseconds() + 999'999) / 1'000'000;
    out.line(code, "    {label:<18}{left}/{whole}",
             {Field{"label", error ? "Error wait:" : "Connect delay:", cli::Audience::text_only},
              Field{"left", seconds_text(connect_timer_.remaining())}, Field{"whole", whole}});
}

void Peer::show_capabilities(cli::Output& out,
                             std::string_view label,
                             std::string_view key,
                             const wire::Capabilities& capabilities) const {
    const auto name = [](wire::Family family) { return wire::family_name(family); };
    out.begin_object(key);
    out.text(code, label);
    if (!capabilities.multiprotocol.empty()) {
        out.text(code, "      Multiprotocol");
        out.line(code, "        AF announced:{families}",
                 {Field{"families", joined(capabilities.multiprotocol, name)}});
    }
    if (capabilities.route_refresh) out.text(code, "      Route refresh");
    if (!capabilities.extended_next_hop.empty()) {
        out.text(code, "      Extended next hop");
        out.line(code, "        IPv6 nexthop:{extended_next_hop}",
                 {Field{"extended_next_hop", joined(capabilities.extended_next_hop,
                                                    [&](const wire::NextHopFamily& each) {
                                                        return name(each.family);
                                                    })}});
    }
    if (capabilities.extended_message) out.text(code, "      Extended message");
    if (capabilities.graceful_restart) {
        const auto& graceful = *capabilities.graceful_restart;
        out.text(code, "      Graceful restart");
        if (graceful.restart_time != 0) {
            out.line(code, "        Restart time: {restart_time}",
                     {Field{"restart_time", std::uint32_t{graceful.restart_time}}});
        }
        out.line(code, "        AF supported:{restart_families}",
                 {Field{"restart_families",
                        joined(graceful.families, [&](const wire::GracefulFamily& each) {
                            return name(each.family);
                        })}});
    }
    if (capabilities.as4) out.text(code, "      4-octet AS numbers");
    if (capabilities.enhanced_refresh) out.text(code, "      Enhanced refresh");
    if (!capabilities.hostname.empty()) {
        out.line(code, "      Hostname: {hostname}", {Field{"hostname", capabilities.hostname}});
    }
    if (capabilities.role) {
        out.line(code, "      Role: {role}", {Field{"role", wire::role_name(*capabilities.role)}});
    }
    out.fields({Field{"as4", capabilities.as4.has_value()},
                Field{"route_refresh", capabilities.route_refresh},
                Field{"enhanced_refresh", capabilities.enhanced_refresh},
                Field{"extended_message", capabilities.extended_message}});
    out.end();
}

void Peer::show_session(cli::Output& out) const {
    const Connection& c = *session_;
    const SessionParameters& p = c.parameters();
    out.line(code, "    Neighbor ID:      {neighbor_id}",
             {Field{"neighbor_id", net::IpAddress::v4(p.remote_id.value()).to_string()}});
    show_capabilities(out, "    Local capabilities", "local_capabilities",
                      c.local_open().capabilities);
    show_capabilities(out, "    Neighbor capabilities", "neighbor_capabilities",
                      c.remote_open().capabilities);
    out.line(
        code, "    Session:          {session}{multihop}{reflector}{server}{as4}",
        {Field{"session", p.internal ? "internal" : "external"},
         Field{"multihop", config().is_multihop() ? " multihop" : "", cli::Audience::text_only},
         Field{"reflector", config().rr_client ? " route-reflector" : "", cli::Audience::text_only},
         Field{"server", config().rs_client ? " route-server" : "", cli::Audience::text_only},
         Field{"as4", p.as4 ? " AS4" : "", cli::Audience::text_only}});
    out.line(code, "    Source address:   {source_address}",
             {Field{"source_address", c.tcp()->local().address.to_string()}});
    out.line(code, "    Hold timer:       {hold_left}/{hold_time}",
             {Field{"hold_left", seconds_text(c.hold_left())}, Field{"hold_time", p.hold_time}});
    out.line(code, "    Keepalive timer:  {keepalive_left}/{keepalive_time}",
             {Field{"keepalive_left", seconds_text(c.keepalive_left())},
              Field{"keepalive_time", p.keepalive_time}});
    std::size_t pending = c.control_pending();
    for (const auto& each : sessions_) {
        const loops::LoopEntry entry(each->member.group->loop());
        pending += each->member.group->pending(each->member);
    }
    out.line(code, "    TX pending:       {tx_pending} bytes",
             {Field{"tx_pending", std::uint64_t{pending}}});
    out.line(code, "    Send hold timer:  {send_hold_left}/{send_hold_time}",
             {Field{"send_hold_left", seconds_text(c.send_hold_left())},
              Field{"send_hold_time", p.send_hold_time}});
}

void Peer::show_channels(cli::Output& out) const {
    for (const auto& each : instance().channels()) {
        const auto found =
            std::find_if(sessions_.begin(), sessions_.end(),
                         [&](const auto& session) { return &session->channel == each.get(); });
        if (found == sessions_.end()) {
            each->show(out);
            continue;
        }
        const ExportMember& member = (*found)->member;
        ExportGroup& group = *member.group;
        channel::ExportStats stats;
        bool feeding = false;
        std::size_t members = 0;
        std::size_t backlog = 0;
        {
            const loops::LoopEntry entry(group.loop());
            stats = group.path().stats();
            feeding = group.path().feeding();
            members = group.members().size();
            backlog = group.backlog();
        }
        each->show(out, stats, feeding ? "FEEDING" : "READY");
        const wire::NextHop& own = (*found)->profile.hop.own;
        out.line(code, "    BGP Next hop:   {own_next_hop}{link_local}",
                 {Field{"own_next_hop", own.address.to_string()},
                  Field{"link_local",
                        own.link_local.is_zero() ? "" : " " + own.link_local.to_string()}});
        out.line(code,
                 "    Export group:   {group_neighbors} neighbors, {group_backlog} bytes kept",
                 {Field{"group_neighbors", std::uint64_t{members}},
                  Field{"group_backlog", std::uint64_t{backlog}}});
        if (member.fell_behind == 0) continue;
        out.line(
            code, "    Fell behind:    {fell_behind} times, came back {came_back} times{apart}",
            {Field{"fell_behind", member.fell_behind}, Field{"came_back", member.came_back},
             Field{"apart", member.apart ? ", on its own now" : "", cli::Audience::text_only}});
    }
}

}  // namespace tern::bgp
