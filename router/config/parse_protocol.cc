#include "router/config/config.h"
#include "router/config/parse_top.h"
#include "router/config/syntax.h"
#include "router/config/values.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern::config {

namespace {

/// Types of the language, for the error when a build lacks one.
constexpr std::array known_types = {
    "aggregator", "babel", "bfd",    "bgp",    "bmp", "bridge",  "device",
    "direct",     "evpn",  "kernel", "l3vpn",  "mrt", "ospf v2", "ospf v3",
    "ospf",       "pipe",  "radv",   "rip ng", "rip", "rpki",    "static",
};

std::size_t word_count(std::string_view words) {
    return static_cast<std::size_t>(std::count(words.begin(), words.end(), ' ')) + 1;
}

const ProtocolSyntax* parse_type(Parser& p) {
    const ProtocolSyntax* best = nullptr;
    for (const ProtocolSyntax* syntax : p.syntax().protocols()) {
        if (!p.at_words(syntax->type)) continue;
        if (best == nullptr || syntax->type.size() > best->type.size()) best = syntax;
    }
    if (best != nullptr) {
        p.accept_words(best->type);
        return best;
    }
    for (const std::string_view type : known_types) {
        if (!p.at_words(type)) continue;
        p.fail(p.position(),
               fmt::format("Protocol type '{}' is not available in this build", type));
        return nullptr;
    }
    std::vector<std::string> types;
    for (const ProtocolSyntax* syntax : p.syntax().protocols())
        types.emplace_back(syntax->type);
    p.fail_unexpected(types);
    return nullptr;
}

std::string automatic_name(Parser& p, const ProtocolSyntax& syntax) {
    for (unsigned i = 1;; ++i) {
        std::string name = fmt::format("{}{}", syntax.stem, i);
        if (p.config().scope().find_here(name) == nullptr) return name;
    }
}

std::unique_ptr<ProtocolConfig> copy_protocol(const ProtocolConfig& from) {
    std::unique_ptr<ProtocolConfig> copy = from.syntax->copy(from);
    for (const auto& channel : from.channels) {
        copy->channels.push_back(channel->syntax->copy(*channel));
        copy->channels.back()->opened_in = nullptr;
    }
    return copy;
}

std::unique_ptr<ProtocolConfig> parse_from(Parser& p, const ProtocolSyntax& syntax) {
    if (!p.accept("from")) return syntax.make();
    const Symbol* symbol = p.peek_symbol();
    ProtocolConfig* source = symbol != nullptr ? symbol->as<ProtocolConfig>() : nullptr;
    if (source == nullptr) {
        if (symbol != nullptr) {
            p.fail(p.position(), fmt::format("'{}' is not a protocol or template", symbol->name));
        }
        p.fail_unexpected({"CF_SYM_KNOWN"});
        return nullptr;
    }
    const Token name = p.take();
    if (source->syntax != &syntax) {
        p.fail(name.position, "Can't copy configuration from a different protocol type");
        return nullptr;
    }
    std::unique_ptr<ProtocolConfig> copy = copy_protocol(*source);
    copy->from = name.text;
    return copy;
}

void init_channel(Parser& p,
                  const ProtocolConfig& protocol,
                  const ChannelSyntax& syntax,
                  ChannelConfig& channel) {
    channel.syntax = &syntax;
    channel.name = syntax.name;
    channel.type = syntax.type;
    channel.debug = p.config().debug.channels;
    channel.import_filter = p.language().accept_all();
    channel.export_filter =
        protocol.syntax->export_all ? p.language().accept_all() : p.language().reject_all();
}

ChannelConfig* open_channel(Parser& p, ProtocolConfig& protocol, const ChannelSyntax& syntax) {
    const Position place = p.position();
    p.accept_words(syntax.words);
    ChannelConfig* channel = protocol.find_channel(syntax.name);
    if (channel == nullptr) {
        protocol.channels.push_back(syntax.make());
        channel = protocol.channels.back().get();
        init_channel(p, protocol, syntax, *channel);
        std::size_t count = 0;
        for (const auto& each : protocol.channels)
            count += each->type != net::NetType::mpls;
        const unsigned most = protocol.syntax->channels_max;
        if (most != 0 && count > most) p.fail(place, "Different channel type");
    } else if (channel->opened_in == &protocol) {
        p.fail(place, fmt::format("Multiple {} channels", syntax.words));
    }
    channel->opened_in = &protocol;
    channel->position = place;
    return channel;
}

/// The channel kind whose words come next and are the longest.
const ChannelSyntax* find_channel_syntax(Parser& p, const ProtocolSyntax& syntax) {
    const ChannelSyntax* best = nullptr;
    for (const ChannelSyntax& channel : syntax.channels) {
        if (!p.at_words(channel.words)) continue;
        if (best == nullptr || channel.words.size() > best->words.size()) best = &channel;
    }
    return best;
}

void refuse_foreign_channel(Parser& p, const ProtocolSyntax& syntax) {
    for (const net::NetTypeInfo& info : net::all_net_types()) {
        if (!p.at_words(info.channel_words)) continue;
        // Half of a longer kind ("vpn4" of "vpn4 mpls") is a syntax error at what follows.
        std::vector<std::string> longer;
        for (const ChannelSyntax& channel : syntax.channels) {
            const std::string prefix = std::string(info.channel_words) + " ";
            if (channel.words.starts_with(prefix)) {
                longer.emplace_back(channel.words.substr(prefix.size()));
            }
        }
        if (!p.syntax().has_net_type(info.type)) {
            p.fail(p.position(), fmt::format("Channel type '{}' is not available in this build",
                                             info.channel_words));
        } else if (longer.empty()) {
            p.fail(p.position(), "Unsupported channel type");
        } else {
            p.accept_words(info.channel_words);
            p.fail_unexpected(longer);
        }
        return;
    }
}

void parse_item(Parser& p, ProtocolConfig& protocol) {
    const ProtocolSyntax& syntax = *protocol.syntax;
    const OptionRow* own = find_row(p, syntax.rows);
    const ChannelSyntax* kind = find_channel_syntax(p, syntax);
    if (kind != nullptr && (own == nullptr || word_count(own->words) <= word_count(kind->words))) {
        ChannelConfig* channel = open_channel(p, protocol, *kind);
        const std::array groups = {kind->rows, channel_rows()};
        if (p.at(TokenKind::left_brace)) parse_block(p, *channel, groups);
        return;
    }
    const std::array groups = {syntax.rows, protocol_rows()};
    const OptionRow* common = find_row(p, protocol_rows());
    if (syntax.inline_channel != nullptr) {
        // Protocol options win where both know the words (`debug`).
        const OptionRow* extra = find_row(p, syntax.inline_channel->rows);
        const OptionRow* row = extra != nullptr ? extra : find_row(p, channel_rows());
        const bool taken = own != nullptr || common != nullptr;
        if (row != nullptr && !taken) {
            ChannelConfig& channel = *protocol.channels.front();
            const std::array channel_groups = {syntax.inline_channel->rows, channel_rows()};
            parse_option(p, channel, channel_groups);
            return;
        }
    }
    const bool unknown = own == nullptr && common == nullptr;
    if (unknown) refuse_foreign_channel(p, syntax);
    const OptionRow* of_channels = unknown ? find_row(p, channel_rows()) : nullptr;
    parse_option(p, protocol, groups);
    if (of_channels != nullptr && !syntax.channels.empty()) {
        p.hint(fmt::format("'{}' is an option of channels: {} {{ {} ...; }};", of_channels->words,
                           syntax.channels.front().words, of_channels->words));
    }
}

void complete_channels(Parser& p, ProtocolConfig& protocol) {
    for (const auto& channel : protocol.channels) {
        if (channel->type_from_table) continue;
        if (channel->table == nullptr) {
            channel->table = p.config().default_table(channel->type);
        }
        if (channel->table == nullptr) {
            p.fail(channel->position, "Routing table not specified");
            return;
        }
        channel->table->used = true;
    }
}

void check_single(Parser& p, const ProtocolSyntax& syntax, Position place) {
    if (!syntax.single) return;
    for (const auto& other : p.config().protocols) {
        if (other->syntax != &syntax) continue;
        p.fail(place, syntax.single_complaint.empty()
                          ? fmt::format("Protocol {} already defined", syntax.type)
                          : std::string(syntax.single_complaint));
    }
}

}  // namespace

void parse_protocol_statement(Parser& p, bool is_template) {
    Config& config = p.config();
    complete_thread_groups(config);
    const Position place = p.last_position();
    const ProtocolSyntax* syntax = parse_type(p);
    if (syntax == nullptr) return;
    const SymbolClass kind = is_template ? SymbolClass::protocol_template : SymbolClass::protocol;
    Symbol* symbol = nullptr;
    if (p.at(TokenKind::word) && !p.at("from")) {
        symbol = p.define_symbol(kind);
    } else {
        symbol = config.scope().define(automatic_name(p, *syntax), kind, place);
    }
    if (symbol == nullptr) return;
    if (!is_template) check_single(p, *syntax, place);
    std::unique_ptr<ProtocolConfig> protocol = parse_from(p, *syntax);
    if (protocol == nullptr) return;
    ProtocolConfig& it = *protocol;
    symbol->target = &it;
    it.name = symbol->name;
    it.position = symbol->position;
    it.is_template = is_template;
    if (it.syntax == nullptr) {
        it.syntax = syntax;
        it.debug = config.debug.protocols;
        if (syntax->inline_channel != nullptr) {
            it.channels.push_back(syntax->inline_channel->make());
            init_channel(p, it, *syntax->inline_channel, *it.channels.back());
            it.channels.back()->type_from_table = true;
            it.channels.back()->position = it.position;
        }
    }
    (is_template ? config.templates : config.protocols).push_back(std::move(protocol));
    p.expect(TokenKind::left_brace);
    while (p.more(TokenKind::right_brace)) {
        if (p.accept(TokenKind::semicolon)) continue;
        parse_item(p, it);
        p.expect(TokenKind::semicolon);
    }
    if (!p.ok() || is_template) return;
    complete_channels(p, it);
    if (p.ok() && syntax->finish != nullptr) syntax->finish(p, it);
}

}  // namespace tern::config
