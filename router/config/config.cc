#include "router/config/config.h"

#include "router/config/syntax.h"
#include "router/config/values.h"

namespace tern::config {

ProtocolConfig::ProtocolConfig(const ProtocolConfig& other)
    : Block(other),
      syntax(other.syntax),
      name(other.name),
      position(other.position),
      is_template(other.is_template),
      from(other.from),
      disabled(other.disabled),
      restart_time(other.restart_time),
      debug(other.debug),
      router_id(other.router_id),
      hostname(other.hostname),
      description(other.description),
      vrf_kind(other.vrf_kind),
      vrf(other.vrf),
      thread_group(other.thread_group) {}

ChannelConfig* ProtocolConfig::find_channel(std::string_view channel_name) const {
    for (const auto& channel : channels) {
        if (channel->name == channel_name) return channel.get();
    }
    return nullptr;
}

Config::Config(const SyntaxRegistry& syntax, std::string path)
    : file(std::move(path)),
      syntax_(&syntax),
      language_(syntax.make_language()),
      scope_(&system_scope_) {
    for (const net::NetType type : {net::NetType::ip4, net::NetType::ip6}) {
        auto table = std::make_unique<TableConfig>();
        table->name = type == net::NetType::ip4 ? "master4" : "master6";
        table->type = type;
        table->implicit = true;
        scope_.define(table->name, SymbolClass::table, {})->target = table.get();
        tables.push_back(std::move(table));
    }
}

Config::~Config() = default;

TableConfig* Config::find_table(std::string_view name) const {
    for (const auto& table : tables) {
        if (table->name == name) return table.get();
    }
    return nullptr;
}

ProtocolConfig* Config::find_protocol(std::string_view name) const {
    for (const auto& protocol : protocols) {
        if (protocol->name == name) return protocol.get();
    }
    return nullptr;
}

const ThreadGroupConfig* Config::default_thread_group() const {
    for (const auto& group : thread_groups) {
        if (group->is_default) return group.get();
    }
    return nullptr;
}

TableConfig* Config::default_table(net::NetType type) const {
    // master4 and master6 stand first, so they also win over user tables.
    for (const auto& table : tables) {
        if (table->type == type) return table.get();
    }
    return nullptr;
}

namespace {

bool has_word(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::size_t end = words.find(' ');
        if (words.substr(0, end) == word) return true;
        if (end == std::string_view::npos) return false;
        words.remove_prefix(end + 1);
    }
    return false;
}

bool in_rows(Rows rows, std::string_view word) {
    for (const OptionRow& row : rows) {
        if (has_word(row.words, word)) return true;
        for (const Choice& choice : row.choices) {
            if (has_word(choice.word, word)) return true;
        }
    }
    return false;
}

/// Words of the language that stand in no row.
constexpr std::string_view plain_keywords =
    "all none on off yes no true false action warn block filter where define attribute function "
    "eval protocol template log syslog stderr udp fixed debug mrtdump timeformat cli threads "
    "thread group ipv4 ipv6 sadr vpn4 vpn6 roa4 roa6 flow4 flow6 eth aspa evpn mpls neighbor "
    "table router id hostname graceful restart wait protocols channels tables commands latency "
    "limit watchdog timeout iso short long ms us s base route min max from in as if then else "
    "case for do return accept reject error print printn unset defined net int bool ip prefix "
    "pair quad ec lc set string bgpmask bgppath clist eclist lclist rd mac enum via onlink weight "
    "recursive unreachable blackhole prohibit drop multipath port internal external range "
    "interface import export receive";

}  // namespace

void SyntaxRegistry::list_keywords(std::vector<std::string_view>& words) {
    std::string_view rest = plain_keywords;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        words.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

bool SyntaxRegistry::is_keyword(std::string_view word) const {
    if (has_word(plain_keywords, word)) return true;
    if (in_rows(channel_rows(), word) || in_rows(protocol_rows(), word)) return true;
    if (in_rows(table_rows(), word)) return true;
    for (const ProtocolSyntax* protocol : protocols_) {
        if (has_word(protocol->type, word) || in_rows(protocol->rows, word)) return true;
        for (const ChannelSyntax& channel : protocol->channels) {
            if (has_word(channel.words, word) || in_rows(channel.rows, word)) return true;
        }
    }
    return false;
}

}  // namespace tern::config
