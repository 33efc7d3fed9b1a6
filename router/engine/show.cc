#include "router/engine/show.h"

#include "router/iface/pattern.h"

namespace tern::engine {

namespace {

using cli::Field;
using cli::ReplyCode;

std::string time_text(const ShowProtocols& what, loops::Instant at) {
    const loops::WallTime now = what.clock.wall_now();
    return format_time(what.format, now - (what.clock.now() - at), now);
}

std::string_view table_column(const Instance& instance) {
    if (!instance.descriptor().main_channel) return "---";
    return instance.config().channels.front()->table->name;
}

void show_row(cli::Output& out, const Instance& instance, const ShowProtocols& what) {
    const std::string info = instance.protocol() == nullptr ? "" : instance.protocol()->info();
    out.line(ReplyCode::protocol,
             "{name:<10} {proto:<10} {table:<10} {state:<6} {since:<12}  {info}",
             {Field{"name", instance.name()}, Field{"proto", instance.descriptor().syntax->label},
              Field{"table", table_column(instance)}, Field{"state", name(instance.state())},
              Field{"since", time_text(what, instance.last_change())}, Field{"info", info}});
}

void show_common(cli::Output& out, const Instance& instance, const ShowProtocols& what) {
    constexpr auto code = ReplyCode::protocol_details;
    const config::ProtocolConfig& config = instance.config();
    if (!config.description.empty()) {
        out.line(code, "  Description:        {description}",
                 {Field{"description", config.description}});
    }
    if (!instance.message().empty()) {
        out.line(code, "  Message:            {message}", {Field{"message", instance.message()}});
    }
    out.line(code, "  Created:            {created}",
             {Field{"created", time_text(what, instance.created())}});
    if (instance.last_restart()) {
        out.line(code, "  Last autorestart:   {last_autorestart}",
                 {Field{"last_autorestart", time_text(what, *instance.last_restart())}});
    }
    if (config.router_id) {
        out.line(code, "  Router ID:          {router_id}",
                 {Field{"router_id", net::IpAddress::v4(config.router_id->value()).to_string()}});
    }
    if (config.vrf_kind != config::VrfKind::any) {
        const bool named = config.vrf_kind == config::VrfKind::named;
        out.line(
            code, "  VRF:                {vrf}",
            {Field{"vrf", named ? std::string_view(config.vrf) : std::string_view("default")}});
    }
}

void show_all(cli::Output& out, const Instance& instance, const ShowProtocols& what) {
    show_common(out, instance, what);
    if (instance.protocol() != nullptr) instance.protocol()->show_details(out);
    if (instance.protocol() == nullptr) {
        for (const auto& each : instance.config().channels)
            channel::show_down(out, *each, instance.config().syntax->preference);
    } else if (!instance.protocol()->shows_channels()) {
        for (const auto& each : instance.channels())
            each->show(out);
    }
    out.text(ReplyCode::protocol_details, "");
}

}  // namespace

bool name_matches(std::string_view name, std::string_view pattern) {
    return iface::wildcard_match(pattern, name);
}

std::size_t show_protocols(cli::Output& out,
                           const Supervisor& supervisor,
                           const ShowProtocols& what) {
    std::size_t shown = 0;
    supervisor.for_each_instance([&](const Instance& instance) {
        if (!what.pattern.empty() && !name_matches(instance.name(), what.pattern)) return;
        if (shown++ == 0) {
            out.text(ReplyCode::protocol_heading,
                     "Name       Proto      Table      State  Since         Info");
        }
        out.begin("protocol");
        show_row(out, instance, what);
        if (what.all) show_all(out, instance, what);
        out.end();
    });
    return shown;
}

}  // namespace tern::engine
