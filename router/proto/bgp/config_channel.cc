#include "router/config/option.h"
#include "router/config/values.h"
#include "router/proto/bgp/config.h"

#include <array>

namespace tern::bgp {

namespace {

namespace option = config::option;
using config::Choice;
using config::Effect;
using config::OptionRow;
using config::Parser;

constexpr std::array hop_kinds{Choice{"ibgp", static_cast<std::uint32_t>(HopSwitch::ibgp)},
                               Choice{"ebgp", static_cast<std::uint32_t>(HopSwitch::ebgp)}};
constexpr std::array preferences{Choice{"global", 0}, Choice{"local", 1}};
constexpr std::array link_local_formats{Choice{"native", 0}, Choice{"single", 1},
                                        Choice{"double", 2}};
constexpr std::array gateways{Choice{"direct", 0}, Choice{"recursive", 1}};
constexpr std::array aigp_modes{
    Choice{"originate", static_cast<std::uint32_t>(AigpMode::originate)}};

void read_igp_table(Parser& p, BgpChannelConfig& c, const OptionRow&) {
    const Position place = p.position();
    config::TableConfig* table = config::parse_table(p);
    if (table == nullptr) return;
    if (table->type != net::NetType::ip4 && table->type != net::NetType::ip6) {
        return p.fail(place, "IGP table must be IPv4 or IPv6 table");
    }
    config::TableConfig*& slot = table->type == net::NetType::ip4 ? c.igp_table4 : c.igp_table6;
    slot = table;
}

void read_settle(Parser& p, BgpChannelConfig& c, const OptionRow&) {
    c.export_settle = config::parse_settle(p);
}

void read_missing_lladdr(Parser& p, BgpChannelConfig&, const OptionRow&) {
    constexpr std::array words{Choice{"self", 0}, Choice{"drop", 1}, Choice{"ignore", 2}};
    p.warn(p.last_position(), "Missing lladdr option deprecated and ignored, remove it");
    p.choice(words);
}

/// A switch whose `off` is the truth already.
void read_off(Parser& p, BgpChannelConfig&, const OptionRow& row) {
    if (p.accept("aware") || p.accept("rx") || p.accept("tx") || p.boolean()) {
        p.fail("Option '" + std::string(row.words) + "' is not available in this build");
    }
}

constexpr std::array rows{
    option::flag<&BgpChannelConfig::mandatory>(
        "mandatory", {"off", "refuse sessions without this family", Effect::restart}),
    option::flag_or<&BgpChannelConfig::next_hop_self, HopSwitch::off, HopSwitch::on>(
        "next hop self",
        hop_kinds,
        {"off", "announce this router as next hop", Effect::reload_export}),
    option::flag_or<&BgpChannelConfig::next_hop_keep, HopSwitch::off, HopSwitch::on>(
        "next hop keep",
        hop_kinds,
        {"rr client: ibgp, rs client: on", "never change next hops", Effect::reload_export}),
    option::address<&BgpChannelConfig::next_hop_address>(
        "next hop address", {"", "address announced as our own", Effect::restart_channel}),
    option::choice<&BgpChannelConfig::next_hop_prefer>(
        "next hop prefer",
        preferences,
        {"direct: global", "which of two next hops to use", Effect::reload_import}),
    option::choice<&BgpChannelConfig::link_local_format>(
        "link local next hop format",
        link_local_formats,
        {"native", "form of sole link-local next hops", Effect::reload_export}),
    option::choice<&BgpChannelConfig::gateway>(
        "gateway",
        gateways,
        {"direct sessions: direct", "how next hops are resolved", Effect::reload_import}),
    option::custom<&BgpChannelConfig::igp_table4, read_igp_table>(
        "igp table", "TABLE", {"", "table that resolves next hops", Effect::restart_channel}),
    option::custom<&BgpChannelConfig::export_settle, read_settle>(
        "export settle time",
        "TIME TIME",
        {"10 ms 100 ms", "batching towards readers of the export table", Effect::restart_channel}),
    option::flag<&BgpChannelConfig::extended_next_hop>(
        "extended next hop",
        {"off", "RFC 8950: next hops of the other family", Effect::restart_channel}),
    option::flag<&BgpChannelConfig::require_extended_next_hop>(
        "require extended next hop", {"off", "refuse without", Effect::modify}),
    option::custom<&BgpChannelConfig::add_paths, read_off>("add paths", "off", {"off", "RFC 7911"}),
    option::custom<&BgpChannelConfig::require_add_paths, read_off>(
        "require add paths", "off", {"off", "refuse without"}),
    option::flag_or<&BgpChannelConfig::aigp, AigpMode::off, AigpMode::on>(
        "aigp", aigp_modes, {"on if interior", "RFC 7311", Effect::reload}),
    option::number<&BgpChannelConfig::cost>(
        "cost",
        {1, 0xffffffff, "Cost must be positive"},
        {"", "distance to a direct neighbor", Effect::reload_import}),
    option::custom<&BgpChannelConfig::mandatory, read_missing_lladdr>(
        "missing lladdr", "self | drop | ignore", {"", "deprecated"}),
    option::flag<&BgpChannelConfig::keep_received>(
        "import table", {"off", "keep routes as received", Effect::restart_channel}),
    option::custom<&BgpChannelConfig::mandatory, read_off>(
        "export table", "off", {"off", "keep routes as sent"}),
    option::flag<&BgpChannelConfig::secondary>(
        "secondary",
        {"off", "export the best route that passes, not only the best", Effect::restart_channel}),
    option::custom<&BgpChannelConfig::mandatory, read_off>(
        "validate", "off", {"off", "validate flow specifications"}),
    option::unavailable("base table", "table that validates flow specifications"),
    option::custom<&BgpChannelConfig::mandatory, read_off>(
        "graceful restart", "off", {"off", "RFC 4724"}),
    option::custom<&BgpChannelConfig::mandatory, read_off>(
        "long lived graceful restart", "off", {"off", "RFC 9494"}),
    option::unavailable("long lived stale time", "announced stale time"),
    option::unavailable("min long lived stale time", "least stale time"),
    option::unavailable("max long lived stale time", "most stale time"),
};

}  // namespace

config::Rows bgp_channel_rows() {
    return rows;
}

}  // namespace tern::bgp
