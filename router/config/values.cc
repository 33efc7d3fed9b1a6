#include "router/config/values.h"

#include "router/config/config.h"
#include "router/net/prefix_text.h"

#include <array>

#include <fmt/format.h>

namespace tern::config {

namespace {

constexpr std::array limit_actions = {
    Choice{"warn", static_cast<std::uint32_t>(LimitAction::warn)},
    Choice{"block", static_cast<std::uint32_t>(LimitAction::block)},
    Choice{"restart", static_cast<std::uint32_t>(LimitAction::restart)},
    Choice{"disable", static_cast<std::uint32_t>(LimitAction::disable)},
};

constexpr std::array trace_choices = {
    Choice{"states", 1},     Choice{"routes", 2},  Choice{"filters", 4},
    Choice{"interfaces", 8}, Choice{"events", 16}, Choice{"packets", 32},
};

constexpr std::array mrt_choices = {Choice{"states", 1}, Choice{"messages", 2}};

}  // namespace

std::uint32_t parse_mask(Parser& parser, std::span<const Choice> words) {
    std::uint32_t all = 0;
    for (const Choice& word : words)
        all |= word.value;
    if (parser.accept("all")) return all;
    if (parser.accept("off")) return 0;
    if (!parser.at(TokenKind::left_brace)) {
        parser.fail_unexpected({"ALL", "OFF", "'{'"});
        return 0;
    }
    parser.take();
    std::uint32_t mask = 0;
    do {
        mask |= parser.choice(words);
    } while (parser.accept(TokenKind::comma));
    parser.expect(TokenKind::right_brace);
    return mask;
}

const filter::Filter* parse_filter_option(Parser& parser) {
    if (parser.accept("all")) return parser.language().accept_all();
    if (parser.accept("none")) return parser.language().reject_all();
    if (parser.at("filter") || parser.at("where")) {
        return parser.language().parse_filter_use(parser);
    }
    parser.fail_unexpected({"FILTER", "ALL", "NONE", "WHERE"});
    return nullptr;
}

Limit parse_limit(Parser& parser) {
    Limit limit;
    if (parser.accept("off")) return limit;
    limit.value = parser.number();
    if (parser.accept("action")) {
        limit.action = static_cast<LimitAction>(parser.choice(limit_actions));
    }
    return limit;
}

TableConfig* parse_table(Parser& parser) {
    const Symbol* symbol = parser.peek_symbol();
    if (symbol != nullptr && symbol->kind != SymbolClass::table) {
        parser.fail(parser.position(), "Table name expected");
        return nullptr;
    }
    symbol = parser.expect_symbol(SymbolClass::table);
    if (symbol == nullptr) return nullptr;
    TableConfig* table = symbol->as<TableConfig>();
    table->used = true;
    return table;
}

net::Prefix parse_prefix_option(Parser& parser) {
    if (parser.at(TokenKind::word) || parser.at(TokenKind::left_paren)) {
        const Position place = parser.position();
        const attr::Value value = parser.language().parse_constant(parser);
        if (value.is(attr::ValueType::prefix)) return value.prefix();
        parser.fail(place, "Network expected");
        return {};
    }
    const Position place = parser.position();
    const net::IpAddress address = parser.address();
    parser.expect(TokenKind::slash);
    const std::uint32_t length = parser.number();
    if (!parser.ok()) return {};
    const Result<net::Prefix> prefix = net::make_prefix(address, length);
    if (prefix) return *prefix;
    parser.fail(place, prefix.error().text);
    return {};
}

Settle parse_settle(Parser& parser) {
    const Position place = parser.position();
    Settle settle;
    settle.minimum = loops::microseconds(parser.time());
    settle.maximum = loops::microseconds(parser.time());
    if (settle.minimum > settle.maximum) {
        parser.fail(place, "Minimum settle time is larger than maximum settle time");
    }
    return settle;
}

TraceMask parse_trace(Parser& parser) {
    return static_cast<TraceMask>(parse_mask(parser, trace_choices));
}

std::span<const Choice> trace_words() {
    return trace_choices;
}

std::span<const Choice> mrt_words() {
    return mrt_choices;
}

void fail_unavailable(Parser& parser, Position place, std::string_view option) {
    parser.fail(place, fmt::format("Option '{}' is not available in this build", option));
}

void refuse_unless_off(Parser& parser, std::span<const Choice> words, std::string_view option) {
    const Position place = parser.position();
    if (parse_mask(parser, words) != 0) fail_unavailable(parser, place, option);
}

InterfacePattern parse_interface_pattern(Parser& parser, bool with_prefixes) {
    InterfacePattern pattern;
    do {
        InterfaceClause clause;
        clause.negative = parser.accept(TokenKind::minus);
        const Position place = parser.position();
        if (parser.at(TokenKind::string)) clause.mask = std::string(parser.take().text);
        if (parser.at(TokenKind::ip4) || parser.at(TokenKind::ip6)) {
            if (!with_prefixes) {
                parser.fail(place, "Interface name/mask expected, not IP prefix");
                return pattern;
            }
            if (parser.peek(1).kind == TokenKind::slash) {
                clause.prefix = parse_prefix_option(parser);
            } else {
                clause.prefix = net::Prefix::host(parser.address());
            }
        }
        if (!clause.mask && !clause.prefix) {
            // A string constant can stand for the mask.
            clause.mask = parser.text();
        }
        pattern.clauses.push_back(std::move(clause));
    } while (parser.ok() && parser.accept(TokenKind::comma));
    return pattern;
}

const ThreadGroupConfig* parse_thread_group_name(Parser& parser) {
    const Token token = parser.peek();
    if (token.kind == TokenKind::word) {
        for (const auto& group : parser.config().thread_groups) {
            if (group->name != token.text) continue;
            parser.take();
            return group.get();
        }
    }
    parser.fail_unexpected({"CF_SYM_KNOWN"});
    return nullptr;
}

std::string parse_scope(Parser& parser) {
    if (parser.at(TokenKind::string)) return std::string(parser.take().text);
    return std::string(parser.expect(TokenKind::word).text);
}

}  // namespace tern::config
