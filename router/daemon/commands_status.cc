#include "alloc/page_cache.h"
#include "router/daemon/commands.h"
#include "router/daemon/router.h"
#include "router/engine/show.h"
#include "router/iface/show.h"
#include "router/net/ip_address.h"
#include "router/os/heap.h"

#include <fmt/format.h>

namespace tern::daemon {

namespace {

using cli::CommandContext;
using cli::Field;
using cli::ReplyCode;

/// The version that clients test; the project's own stands in `ternd --version`.
constexpr std::string_view compatible_version = "3.3.2";

TimeFormat base_format(Router& router, CommandContext& context) {
    return context.personality().time_format.value_or(
        router.configurator().running()->time_formats.base);
}

std::string time_text(Router& router, const TimeFormat& format, loops::Instant at) {
    const loops::Clock& clock = router.runtime().clock();
    const loops::WallTime now = clock.wall_now();
    return format_time(format, now - (clock.now() - at), now);
}

/// After a graceful restart, until all have learnt their routes again.
void show_recovery(cli::Output& out, const engine::Recovery& recovery) {
    if (!recovery.active()) return;
    constexpr auto code = ReplyCode::graceful_restart_status;
    out.begin_object("graceful_restart");
    out.text(code, "Graceful restart recovery in progress");
    out.line(code, "  Waiting for {channels} channels to recover",
             {Field{"channels", recovery.waiting()}});
    const double left = static_cast<double>(recovery.left().microseconds()) / 1e6;
    out.line(code, "  Wait timer is {left:.3}/{wait}",
             {Field{"left", left}, Field{"wait", recovery.wait().seconds()}});
    out.end();
}

void show_status(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    Router& router = router_of(closure);
    const TimeFormat format = base_format(router, context);
    cli::Output& out = context.out();
    const loops::Instant now = router.runtime().clock().now();
    out.begin("status");
    out.line(ReplyCode::version, "BIRD {version}", {Field{"version", compatible_version}});
    out.line(
        ReplyCode::uptime, "Router ID is {router_id}",
        {Field{"router_id", net::IpAddress::v4(router.identity().router_id.value()).to_string()}});
    out.line(ReplyCode::uptime, "Hostname is {hostname}",
             {Field{"hostname", router.identity().hostname}});
    out.line(ReplyCode::uptime, "Current server time is {server_time}",
             {Field{"server_time", time_text(router, format, now)}});
    out.line(ReplyCode::uptime, "Last reboot on {last_reboot}",
             {Field{"last_reboot", time_text(router, format, router.started())}});
    out.line(ReplyCode::uptime, "Last reconfiguration on {last_reconfiguration}",
             {Field{"last_reconfiguration",
                    time_text(router, format, router.configurator().last_change())}});
    show_recovery(out, router.recovery());
    out.end();
    std::string_view state = "Daemon is up and running";
    if (router.supervisor().committing()) state = "Reconfiguration in progress";
    if (router.shutting_down()) state = "Shutdown in progress";
    out.finish(ReplyCode::status_report, state);
}

/// `12.3 kB`: 1024-based with one decimal, as wide as BIRD's column.
std::string size_text(std::size_t bytes) {
    static constexpr char units[] = " kMGT";
    std::size_t unit = 0;
    double value = static_cast<double>(bytes);
    while (value >= 10000 && unit < 4) {
        value /= 1024;
        ++unit;
    }
    return fmt::format("{:>6.1f} {}B", value, units[unit]);
}

struct MemoryRow {
    std::string_view label;
    std::string_view key;
    std::size_t effective;
    std::size_t overhead;
};

void show_memory_row(cli::Output& out, const MemoryRow& row) {
    out.begin_object(row.key);
    out.line(ReplyCode::memory, "{label:<17} {effective_text}   {overhead_text}",
             {Field{"label", row.label, cli::Audience::text_only},
              Field{"effective_text", size_text(row.effective), cli::Audience::text_only},
              Field{"overhead_text", size_text(row.overhead), cli::Audience::text_only},
              Field{"effective", row.effective}, Field{"overhead", row.overhead}});
    out.end();
}

std::vector<MemoryRow> memory_rows(Router& router) {
    std::size_t tables = 0;
    for (table::Table* each : router.supervisor().tables())
        tables += each->memory();
    const net::PrefixIndex::Stats ip4 = router.index(net::NetType::ip4).stats();
    const net::PrefixIndex::Stats ip6 = router.index(net::NetType::ip6).stats();
    const attr::AttributeStore::Stats sets = router.attributes().stats();
    std::vector<MemoryRow> rows = {
        {"Routing tables:", "routing_tables", tables, 0},
        {"Prefix index:", "prefix_index", ip4.memory + ip6.memory, 0},
        {"Route attributes:", "route_attributes", sets.bytes, sets.overhead},
    };
    const alloc::PageStats pages = alloc::PageCache::process().stats();
    rows.push_back(
        {"Standby memory:", "standby_memory", 0, (pages.kept() + pages.cold) * alloc::page_bytes});
    MemoryRow total{"Total:", "total", 0, 0};
    for (const MemoryRow& row : rows) {
        total.effective += row.effective;
        total.overhead += row.overhead;
    }
    rows.push_back(total);
    return rows;
}

void show_memory(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    cli::Output& out = context.out();
    out.begin("memory");
    out.text(ReplyCode::memory, "BIRD memory usage");
    out.text(ReplyCode::memory, "                  Effective    Overhead");
    for (const MemoryRow& row : memory_rows(router_of(closure)))
        show_memory_row(out, row);
    const alloc::PageStats pages = alloc::PageCache::process().stats();
    const os::HeapUse heap = os::heap_use();
    constexpr std::size_t page = alloc::page_bytes;
    out.text(ReplyCode::memory, "");
    const auto line = [&](std::string_view label, std::string_view key, std::size_t bytes) {
        out.line(ReplyCode::memory, "{label:<17} {text}",
                 {Field{"label", label, cli::Audience::text_only},
                  Field{"text", size_text(bytes), cli::Audience::text_only}, Field{key, bytes}});
    };
    line("Active pages:", "active_pages", pages.in_use * page);
    line("Kept free pages:", "kept_free_pages", pages.kept() * page);
    line("Cold free pages:", "cold_free_pages", pages.cold * page);
    line("Heap in use:", "heap_in_use", heap.in_use);
    line("Free heap:", "free_heap", heap.free);
    const alloc::PageCacheConfig& limits = alloc::PageCache::process().config();
    out.line(ReplyCode::memory, "Pages to keep:    {keep_pages_min} to {keep_pages_max}",
             {Field{"keep_pages_min", limits.keep_pages_main_min},
              Field{"keep_pages_max", limits.keep_pages_main_max},
              Field{"cleanup_pages_bulk", limits.cleanup_pages_bulk}});
    out.end();
    out.done();
}

void show_interfaces(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    iface::show_interfaces(router_of(closure).interfaces(), context.out());
    context.out().done();
}

void show_interfaces_summary(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    iface::show_interface_summary(router_of(closure).interfaces(), context.out());
    context.out().done();
}

void show_protocols_as(Router& router, CommandContext& context, bool all) {
    Arguments arguments(router, context);
    std::vector<std::string> names;
    std::string pattern;
    if (arguments.parser().at(config::TokenKind::string)) {
        pattern = arguments.parser().text();
    } else if (!arguments.parser().at(config::TokenKind::end)) {
        names = arguments.protocols(router);
        if (names.empty()) return;
        pattern = names.front();
    }
    if (!arguments.finish()) return;
    const TimeFormat format = context.personality().time_format.value_or(
        router.configurator().running()->time_formats.protocol);
    const std::size_t shown = engine::show_protocols(
        context.out(), router.supervisor(), {all, pattern, format, router.runtime().clock()});
    if (shown == 0) {
        context.out().finish(ReplyCode::no_protocols_match, "No protocols match");
    } else {
        context.out().done();
    }
}

void show_protocols(void* closure, CommandContext& context) {
    show_protocols_as(router_of(closure), context, false);
}

void show_protocols_all(void* closure, CommandContext& context) {
    show_protocols_as(router_of(closure), context, true);
}

std::string symbol_text(const config::Symbol& symbol) {
    return fmt::format("{:<8}\t{}", symbol.name, config::symbol_class_name(symbol.kind));
}

void show_symbol(cli::Output& out, const config::Symbol& symbol) {
    out.begin("symbol");
    out.line(ReplyCode::symbol, "{text}",
             {Field{"text", symbol_text(symbol), cli::Audience::text_only},
              Field{"name", symbol.name}, Field{"class", config::symbol_class_name(symbol.kind)}});
    out.end();
}

/// The line itself ends the reply, as clients know it.
void show_one_symbol(cli::Output& out, const config::Config& config, std::string_view name) {
    const config::Symbol* symbol = config.scope().find(name);
    if (symbol == nullptr) {
        out.finish(ReplyCode::invalid_symbol, fmt::format("{} does not exist", name));
        return;
    }
    out.begin("symbol");
    out.fields(
        {Field{"name", symbol->name}, Field{"class", config::symbol_class_name(symbol->kind)}});
    out.end();
    out.finish(ReplyCode::symbol, symbol_text(*symbol));
}

/// `show symbols [table|filter|function|protocol|template|NAME]`.
void show_symbols(void* closure, CommandContext& context) {
    Router& router = router_of(closure);
    Arguments arguments(router, context);
    config::Parser& p = arguments.parser();
    static constexpr std::pair<std::string_view, config::SymbolClass> kinds[] = {
        {"table", config::SymbolClass::table},
        {"filter", config::SymbolClass::filter},
        {"function", config::SymbolClass::function},
        {"protocol", config::SymbolClass::protocol},
        {"template", config::SymbolClass::protocol_template}};
    std::vector<config::SymbolClass> wanted;
    std::string name;
    while (p.ok() && !p.at(config::TokenKind::end)) {
        const auto* found = std::find_if(std::begin(kinds), std::end(kinds),
                                         [&](const auto& kind) { return p.accept(kind.first); });
        if (found != std::end(kinds)) {
            wanted.push_back(found->second);
        } else {
            name = std::string(p.expect_name().text);
        }
    }
    if (!arguments.finish()) return;
    const config::Config& running = *router.configurator().running();
    if (!name.empty() && wanted.empty()) {
        show_one_symbol(context.out(), running, name);
        return;
    }
    for (const config::Scope* scope : {&running.scope(), &running.system_scope()}) {
        for (const config::Symbol& symbol : scope->symbols()) {
            const bool fits = wanted.empty() ||
                              std::find(wanted.begin(), wanted.end(), symbol.kind) != wanted.end();
            if (fits && (name.empty() || symbol.name == name)) show_symbol(context.out(), symbol);
        }
    }
    context.out().done();
}

}  // namespace

void add_status_commands(Router& router) {
    using cli::Access;
    const cli::Command rows[] = {
        {"show status", "", "Show router status", Access::everyone, show_status, &router},
        {"show memory", "", "Show memory usage", Access::everyone, show_memory, &router},
        {"show interfaces", "", "Show network interfaces", Access::everyone, show_interfaces,
         &router},
        {"show interfaces summary", "", "Show network interfaces (summary)", Access::everyone,
         show_interfaces_summary, &router},
        {"show protocols", "[<protocol> | \"<pattern>\"]", "Show routing protocols",
         Access::everyone, show_protocols, &router},
        {"show protocols all", "[<protocol> | \"<pattern>\"]", "Show routing protocol details",
         Access::everyone, show_protocols_all, &router},
        {"show symbols", "[table | filter | function | protocol | template | <symbol>]",
         "Show all known symbolic names", Access::everyone, show_symbols, &router},
    };
    router.commands().add(rows);
}

}  // namespace tern::daemon
