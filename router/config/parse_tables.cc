#include "router/config/config.h"
#include "router/config/option.h"
#include "router/config/parse_top.h"
#include "router/config/syntax.h"
#include "router/config/values.h"

#include <array>

#include <fmt/format.h>

namespace tern::config {

namespace {

using G = ThreadGroupConfig;
using L = MplsRangeConfig;

constexpr std::array group_rows = {
    option::number<&G::threads>("threads",
                                {1, 65535, "Number of threads must be at least one."},
                                {"1", "how many threads the group has", Effect::modify}),
    option::flag<&G::is_default>("default", {"off", "runs what names no group", Effect::modify}),
    option::time<&G::time_max>(
        "max time",
        {0, 60'000'000, "Max time must be at most 60 s"},
        {"20 ms", "longest turn of a loop while others wait", Effect::modify}),
    option::time<&G::time_min>(
        "min time",
        option::any_time,
        {"500 us", "shortest turn of a loop, however many wait", Effect::modify}),
    option::time<&G::latency_max>(
        "max latency",
        option::any_time,
        {"300 ms", "how long a loop should wait at most", Effect::modify}),
    option::time<&G::wakeup>("wakeup time",
                             {1'000'000, ~std::uint64_t{0}, "Wakeup time must be at least 1 s"},
                             {"none", "longest sleep of a thread without work", Effect::modify}),
};

constexpr std::array range_rows = {
    option::number<&L::start>("start",
                              {0, (1U << 20) - 1, "Label start must be less than 2^20"},
                              {"", "first label", Effect::restart}),
    option::number<&L::length>("length",
                               {1, (1U << 20) - 1, "Label range length invalid"},
                               {"", "number of labels", Effect::restart}),
};

std::unique_ptr<ThreadGroupConfig> make_group(std::string_view name) {
    auto group = std::make_unique<ThreadGroupConfig>();
    group->name = name;
    group->express = name == "express";
    return group;
}

std::unique_ptr<MplsRangeConfig> make_range(std::string_view name,
                                            std::uint32_t start,
                                            std::uint32_t length) {
    auto range = std::make_unique<MplsRangeConfig>();
    range->name = name;
    range->start = start;
    range->length = length;
    return range;
}

void read_label_range(Parser& p, MplsDomainConfig& domain) {
    const Token name = p.expect_name();
    if (!p.ok()) return;
    MplsRangeConfig* range = nullptr;
    for (const auto& known : domain.ranges) {
        if (known->name == name.text) range = known.get();
    }
    if (range == nullptr) {
        domain.ranges.push_back(std::make_unique<MplsRangeConfig>());
        range = domain.ranges.back().get();
        range->name = name.text;
    }
    const std::array groups = {Rows(range_rows)};
    parse_block(p, *range, groups);
    if (!p.ok()) return;
    if (!range->start) p.fail("Label start not specified");
    if (!range->length) p.fail("Label length not specified");
    if (range->start.value_or(0) + range->length.value_or(0) > 1U << 20) {
        p.fail("Label range too large");
    }
}

void warn_overlaps(Parser& p, const MplsDomainConfig& domain) {
    for (std::size_t i = 0; i < domain.ranges.size(); ++i) {
        for (std::size_t j = i + 1; j < domain.ranges.size(); ++j) {
            const MplsRangeConfig& a = *domain.ranges[i];
            const MplsRangeConfig& b = *domain.ranges[j];
            if (*a.start < *b.start + *b.length && *b.start < *a.start + *a.length) {
                p.warn(domain.position,
                       fmt::format("MPLS label ranges {} and {} intersect", a.name, b.name));
            }
        }
    }
}

}  // namespace

Rows thread_group_rows() {
    return group_rows;
}

void complete_thread_groups(Config& config) {
    if (!config.thread_groups.empty()) return;
    config.thread_groups.push_back(make_group("worker"));
    config.thread_groups.back()->is_default = true;
    config.thread_groups.push_back(make_group("express"));
}

void parse_threads_statement(Parser& p) {
    const Position place = p.last_position();
    const std::uint32_t count = p.number_in({1, 65535, "Number of threads must be at least one."});
    Config& config = p.config();
    for (const auto& group : config.thread_groups) {
        if (group->position.known()) {
            p.fail(place, "Simple threads configuration can't be mixed with thread groups");
            return;
        }
    }
    complete_thread_groups(config);
    config.thread_groups.front()->threads = count;
}

void parse_thread_group_statement(Parser& p) {
    const Position place = p.last_position();
    Config& config = p.config();
    bool implicit = false;
    for (const auto& group : config.thread_groups)
        implicit |= !group->position.known();
    bool tables = false;
    for (const auto& table : config.tables)
        tables |= !table->implicit;
    if (tables || !config.protocols.empty() || !config.templates.empty()) {
        p.fail(place, "Put `threads` block before any protocol or table definition.");
    } else if (implicit) {
        p.fail(place, "Simple threads configuration can't be mixed with thread groups");
    }
    const Token name = p.peek();
    Symbol* symbol = p.define_symbol(SymbolClass::thread_group);
    if (symbol == nullptr) return;
    config.thread_groups.push_back(make_group(name.text));
    ThreadGroupConfig& group = *config.thread_groups.back();
    group.position = name.position;
    symbol->target = &group;
    const std::array groups = {Rows(group_rows)};
    parse_block(p, group, groups);
    if (group.time_max && group.time_min.value_or(loops::Duration()) > *group.time_max) {
        p.fail("Min time must be at most max time");
    }
    if (group.latency_max && group.time_max.value_or(loops::Duration()) > *group.latency_max) {
        p.fail("Max latency must be at least max time");
    }
    if (!group.is_default) return;
    for (const auto& other : config.thread_groups) {
        if (other.get() != &group && other->is_default) {
            p.fail("Too many default thread groups, already have " + other->name);
        }
    }
}

void parse_mpls_domain_statement(Parser& p) {
    if (!p.syntax().has_net_type(net::NetType::mpls)) {
        p.fail("MPLS domains are not available in this build");
        return;
    }
    const Token name = p.peek();
    Symbol* symbol = p.define_symbol(SymbolClass::mpls_domain);
    if (symbol == nullptr) return;
    auto domain = std::make_unique<MplsDomainConfig>();
    domain->name = name.text;
    domain->position = name.position;
    domain->ranges.push_back(make_range("static", 16, 984));
    domain->ranges.push_back(make_range("dynamic", 1000, 9000));
    symbol->target = domain.get();
    if (p.accept(TokenKind::left_brace)) {
        while (p.more(TokenKind::right_brace)) {
            if (!p.accept_words("label range")) p.fail_unexpected({"LABEL", "'}'"});
            read_label_range(p, *domain);
            p.expect(TokenKind::semicolon);
        }
    }
    if (p.ok()) warn_overlaps(p, *domain);
    p.config().mpls_domains.push_back(std::move(domain));
}

void parse_table_statement(Parser& p, net::NetType type) {
    Config& config = p.config();
    complete_thread_groups(config);
    const Token name = p.peek();
    Symbol* known = name.kind == TokenKind::word ? config.scope().find_here(name.text) : nullptr;
    TableConfig* table = known != nullptr ? known->as<TableConfig>() : nullptr;
    if (table != nullptr) {
        if (!table->implicit || table->type != type) {
            p.fail(name.position, fmt::format("Duplicate configuration of table {}", name.text));
            return;
        }
        p.take();
    } else {
        Symbol* symbol = p.define_symbol(SymbolClass::table);
        if (symbol == nullptr) return;
        config.tables.push_back(std::make_unique<TableConfig>());
        table = config.tables.back().get();
        table->name = name.text;
        table->type = type;
        symbol->target = table;
    }
    table->implicit = false;
    table->used = true;
    table->position = name.position;
    if (p.accept("sorted")) table->sorted = true;
    const std::array groups = {table_rows()};
    if (p.at(TokenKind::left_brace)) parse_block(p, *table, groups);
}

}  // namespace tern::config
