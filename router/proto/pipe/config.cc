#include "router/proto/pipe/config.h"

#include "router/config/config.h"
#include "router/config/option.h"
#include "router/config/values.h"

namespace tern::pipe {
namespace {

namespace option = config::option;
using config::Effect;
using config::Parser;

void parse_peer_table(Parser& parser, PipeConfig& config, const config::OptionRow&) {
    config.peer_table = config::parse_table(parser);
}

constexpr config::OptionRow rows[] = {
    option::custom<&PipeConfig::peer_table, parse_peer_table>(
        "peer table", "TABLE", {"", "the other table", Effect::restart}),
    option::number<&PipeConfig::max_generation>(
        "max generation",
        {1, 254, "Invalid max generation (must be 1-254)"},
        {"16", "pipes a route may go through", Effect::reload}),
};

constexpr config::OptionRow channel_rows[] = {
    option::custom<&config::ChannelConfig::import_in, config::read_import_in>(
        "import in",
        "PREFIX FILTER",
        {"", "import only what is inside of PREFIX", Effect::reload_import}),
};

constexpr config::ChannelSyntax main_channel = config::channel_syntax<config::ChannelConfig>(
    {.words = "", .name = "main", .type = net::NetType::ip4, .rows = channel_rows});

void finish(Parser& parser, config::ProtocolConfig& protocol) {
    const auto& mine = static_cast<const PipeConfig&>(protocol);
    config::ChannelConfig& channel = *mine.channels.front();
    const auto complain = [&](const char* text) { parser.fail(mine.position, text); };
    if (channel.table == nullptr) return complain("Primary routing table not specified");
    if (mine.peer_table == nullptr) return complain("Secondary routing table not specified");
    if (channel.table == mine.peer_table) {
        return complain("Primary table and peer table must be different");
    }
    if (channel.table->type != mine.peer_table->type) {
        return complain("Primary table and peer table must have the same type");
    }
    if (channel.receive_limit.value) {
        return complain("Pipe protocol does not support receive limits");
    }
    if (channel.keep_filtered) return complain("Pipe protocol prohibits keeping filtered routes");
    channel.type = channel.table->type;
    channel.table->used = true;
}

/// The running peer table is another object when something that makes it anew has changed.
config::Effect compare(const config::ProtocolConfig& old, const config::ProtocolConfig& now) {
    const config::TableConfig* a = static_cast<const PipeConfig&>(old).peer_table;
    const config::TableConfig* b = static_cast<const PipeConfig&>(now).peer_table;
    const bool same = a != nullptr && b != nullptr && a->type == b->type &&
                      a->sorted == b->sorted && a->trie == b->trie;
    return same ? Effect::none : Effect::restart;
}

constexpr config::ProtocolSyntax pipe_syntax = config::protocol_syntax<PipeConfig>({
    .type = "pipe",
    .label = "Pipe",
    .stem = "pipe",
    .doc = "Carries routes between two tables.",
    .rows = rows,
    .finish = finish,
    .export_all = true,
    .inline_channel = &main_channel,
    .compare = compare,
});

}  // namespace

const config::ProtocolSyntax& syntax() {
    return pipe_syntax;
}

}  // namespace tern::pipe
