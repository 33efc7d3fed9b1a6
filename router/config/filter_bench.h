#pragma once

/// For tests of the filter language: a parser with the attributes of a router, one route, and an
/// environment that keeps what filters print. Made and dropped by a test case, in no domain.
/// It never touches tables or interfaces: one gateway network and one interface exist.

#include "router/attr/attribute_store.h"
#include "router/attr/core_attributes.h"
#include "router/attr/next_hop.h"
#include "router/config/config.h"
#include "router/config/parse_filter.h"
#include "router/config/syntax.h"
#include "router/filter/filter.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::config::testing {

using attr::ValueType;

inline constexpr attr::AttributeId bgp_path_id = attr::bgp_base + 2;
inline constexpr attr::AttributeId bgp_community_id = attr::bgp_base + 8;

/// Collects what filters print; knows one gateway network and one interface.
class TestEnvironment final : public filter::Environment {
  public:
    filter::RoaState roa_check(std::string_view, const net::Prefix&, std::uint32_t asn) override {
        return asn == 65001 ? filter::RoaState::valid : filter::RoaState::invalid;
    }

    filter::AspaState aspa_check(std::string_view,
                                 std::span<const std::uint32_t>,
                                 bool upstream) override {
        return upstream ? filter::AspaState::valid : filter::AspaState::invalid;
    }

    std::optional<filter::GatewayPlace> gateway(net::IpAddress address, std::uint32_t) override {
        if (!net::Prefix::ip4(0x0a000000, 24).contains(address)) return std::nullopt;
        return filter::GatewayPlace{2};
    }

    std::uint32_t interface_by_name(std::string_view name) override {
        return name == "eth0" ? 2 : 0;
    }

    std::string_view interface_name(std::uint32_t interface, std::span<char> out) override {
        const std::string_view name = interface == 2 ? "eth0" : "";
        std::copy(name.begin(), name.end(), out.begin());
        return {out.data(), name.size()};
    }

    void print(std::string_view text, bool complete) override {
        part_ += text;
        if (complete) lines.push_back(std::move(part_));
        if (complete) part_.clear();
    }

    void runtime_error(const filter::RuntimeError& error) override {
        lines.push_back(fmt::format("error in line {}: {}", error.line, error.text));
    }

    void assertion_failed(std::string_view text, std::uint32_t line) override {
        lines.push_back(fmt::format("assertion in line {}: {}", line, text));
    }

    std::vector<std::string> lines;

  private:
    std::string part_;
};

/// A parser over a text, with the registry that a router would have.
struct Bench {
    explicit Bench(std::string text)
        : syntax(make_filter_language, &attributes),
          config(syntax, "test"),
          sources(reader),
          language(dynamic_language(config)) {
        add_table("roas", net::NetType::roa4);
        add_table("aspas", net::NetType::aspa);
        const auto parsed = sources.add_text("test", std::move(text));
        parser = std::make_unique<Parser>(
            Parser::Context{sources, config, syntax, config.language(), config.scope()}, parsed,
            Lexer::Mode::file);
    }

    static attr::AttributeRegistry* prepare(attr::AttributeRegistry& registry) {
        attr::register_core_attributes(registry);
        registry.add({.id = bgp_path_id, .name = "bgp_path", .type = ValueType::as_path});
        registry.add({.id = attr::bgp_base + 4, .name = "bgp_med", .type = ValueType::int_});
        registry.add({.id = attr::bgp_base + 5, .name = "bgp_local_pref", .type = ValueType::int_});
        registry.add(
            {.id = bgp_community_id, .name = "bgp_community", .type = ValueType::community_list});
        registry.add(
            {.id = attr::bgp_base + 9, .name = "bgp_originator_id", .type = ValueType::quad});
        registry.add({.id = attr::bgp_base + 16,
                      .name = "bgp_ext_community",
                      .type = ValueType::extended_list});
        registry.add({.id = attr::bgp_base + 32,
                      .name = "bgp_large_community",
                      .type = ValueType::large_list});
        return &registry;
    }

    void add_table(std::string name, net::NetType type) {
        Symbol* const symbol = config.scope().define(name, SymbolClass::table, {});
        config.tables.push_back(std::make_unique<TableConfig>());
        config.tables.back()->name = std::move(name);
        config.tables.back()->type = type;
        symbol->target = config.tables.back().get();
    }

    // The factory above makes nothing else.
    static FilterSyntax& dynamic_language(Config& config) {
        return static_cast<FilterSyntax&>(config.language());
    }

    /// Parses definitions; false at the first error.
    bool definitions() {
        while (parser->ok() && !parser->at(TokenKind::end)) {
            if (parser->accept(TokenKind::semicolon)) continue;
            if (parser->accept("filter")) {
                language.parse_filter(*parser);
            } else if (parser->accept("function")) {
                language.parse_function(*parser);
            } else if (parser->accept("define")) {
                language.parse_define(*parser);
            } else if (parser->accept("attribute")) {
                language.parse_attribute(*parser);
            } else {
                parser->fail_unexpected({});
            }
        }
        return parser->ok();
    }

    attr::AttributeRegistry attributes;
    attr::AttributeRegistry* prepared = prepare(attributes);
    SyntaxRegistry syntax;
    Config config;
    MemoryReader reader;
    SourceSet sources;
    FilterSyntax& language;
    std::unique_ptr<Parser> parser;
};

/// 10.1.2.0/24 with the path 65010 65001, two communities and a local preference.
inline void fill(attr::AttributeList& list) {
    static constexpr std::uint8_t path[] = {2, 2, 0, 0, 0xfd, 0xf2, 0, 0, 0xfd, 0xe9};
    static constexpr std::uint8_t communities[] = {0xfd, 0xf2, 0, 1, 0xfd, 0xf2, 0, 2};
    list.set_bytes(bgp_path_id, ValueType::as_path, path);
    list.set_bytes(bgp_community_id, ValueType::community_list, communities);
    list.set_word(attr::bgp_base + 5, ValueType::int_, 100);
    attr::NextHop hop;
    hop.gateway = net::IpAddress::v4(0x0a000001);
    hop.interface = InterfaceId(2);
    attr::NextHopListBuilder builder;
    list.set_bytes(attr::core::next_hop, ValueType::next_hops, builder.single(hop));
}

inline std::string_view verdict_name(filter::Verdict verdict) {
    switch (verdict) {
        case filter::Verdict::accept:
            return "accept";
        case filter::Verdict::reject:
            return "reject";
        case filter::Verdict::error:
            break;
    }
    return "error";
}

/// Everything a script does, line by line.
inline std::vector<std::string> run_script(const std::string& text) {
    Bench bench(text);
    if (!bench.definitions()) {
        const ConfigError& error = bench.parser->error();
        return {fmt::format("parse error {}:{} {}", error.position.line, error.position.column,
                            error.text)};
    }
    TestEnvironment environment;
    for (const Symbol& symbol : bench.config.scope().symbols()) {
        if (symbol.kind != SymbolClass::filter) continue;
        alloc::Arena arena;
        attr::AttributeList list(arena, nullptr);
        fill(list);
        const net::Prefix net = net::Prefix::ip4(0x0a010200, 24);
        const filter::RouteFacts facts{"peer1", net::IpAddress::v4(0x0a000001), 11, 100};
        filter::RouteView route(list, net, facts);
        const filter::Verdict verdict = symbol.as<const filter::Filter>()->run(route, environment);
        environment.lines.push_back(fmt::format("{}: {}", symbol.name, verdict_name(verdict)));
    }
    return environment.lines;
}

}  // namespace tern::config::testing
