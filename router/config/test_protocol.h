#pragma once

/// A filter language and two protocols just big enough for the tests of this folder.
/// The language knows constants of four types and keeps a filter as its text; the protocols show
/// every kind of option row. Owned by the test that includes it; never part of a library.

#include "router/config/parse_config.h"
#include "router/config/values.h"
#include "router/filter/filter.h"

#include <array>
#include <deque>
#include <map>

namespace tern::config::testing {

class TinyLanguage final : public FilterLanguage {
  public:
    void parse_define(Parser& p) override {
        const Token name = p.expect_name();
        p.expect(TokenKind::assign);
        values_.push_back(read_value(p));
        if (!p.ok()) return;
        Symbol* symbol = p.scope().define(name.text, SymbolClass::constant, name.position);
        if (symbol == nullptr) {
            p.fail(name.position, "Symbol '" + std::string(name.text) + "' already defined");
            return;
        }
        symbol->target = static_cast<const attr::Value*>(&values_.back());
    }

    void list_words(std::vector<std::string_view>&) const override {}

    void parse_attribute(Parser& p) override {
        p.take();
        p.define_symbol(SymbolClass::attribute);
    }

    void parse_filter(Parser& p) override {
        Symbol* symbol = p.define_symbol(SymbolClass::filter);
        if (symbol != nullptr) symbol->target = read_body(p);
    }

    void parse_function(Parser& p) override {
        p.define_symbol(SymbolClass::function);
        p.expect(TokenKind::left_paren);
        p.expect(TokenKind::right_paren);
        read_body(p);
    }

    void parse_eval(Parser& p) override { read_value(p); }

    void parse_test(Parser& p) override { p.fail("no tests here"); }

    const filter::Filter* parse_filter_use(Parser& p) override {
        if (p.accept("where")) {
            std::string text;
            while (p.ok() && !p.at(TokenKind::semicolon))
                text += token_key(p.take());
            return keep(text);
        }
        p.expect("filter");
        if (p.at(TokenKind::left_brace)) return read_body(p);
        const Symbol* symbol = p.expect_symbol(SymbolClass::filter);
        return symbol != nullptr ? symbol->as<const filter::Filter>() : nullptr;
    }

    const filter::Filter* parse_route_block(Parser& p) override { return read_body(p); }

    attr::Value parse_constant(Parser& p) override {
        p.expect(TokenKind::left_paren);
        const attr::Value value = read_value(p);
        p.expect(TokenKind::right_paren);
        return value;
    }

    void set_stacks(std::uint32_t, std::uint32_t) override {}

    const filter::Filter* accept_all() override { return &accept_; }

    const filter::Filter* reject_all() override { return &reject_; }

    bool same(const filter::Filter& a, const filter::Filter& b) override {
        return text_of(a) == text_of(b);
    }

  private:
    static std::string token_key(const Token& token) {
        return std::string(token.text) + std::string(punctuation_text(token.kind)) + " ";
    }

    /// Filters of two configurations meet here, so the text travels in a table shared by all.
    static std::map<const filter::Filter*, std::string>& texts() {
        thread_local std::map<const filter::Filter*, std::string> all;
        return all;
    }

    static std::string text_of(const filter::Filter& f) {
        if (f.is_reject_all()) return "none";
        const auto found = texts().find(&f);
        return found == texts().end() ? "all" : found->second;
    }

    const filter::Filter* keep(std::string text) {
        filters_.emplace_back(filter::Filter::Kind::accept_all);
        texts()[&filters_.back()] = std::move(text);
        return &filters_.back();
    }

    const filter::Filter* read_body(Parser& p) {
        p.expect(TokenKind::left_brace);
        std::string text;
        while (p.more(TokenKind::right_brace))
            text += token_key(p.take());
        return keep(text);
    }

    attr::Value read_value(Parser& p) {
        if (p.at(TokenKind::number)) return attr::Value::of_int(p.take().number);
        if (p.at(TokenKind::string)) {
            strings_.emplace_back(p.take().text);
            return attr::Value::of_string(strings_.back());
        }
        if (p.at(TokenKind::ip4)) return attr::Value::of_ip(p.address());
        if (p.accept("true")) return attr::Value::of_bool(true);
        p.fail_unexpected({"NUM"});
        return {};
    }

    filter::Filter accept_{filter::Filter::Kind::accept_all};
    filter::Filter reject_{filter::Filter::Kind::reject_all};
    std::deque<filter::Filter> filters_;
    std::deque<attr::Value> values_;
    std::deque<std::string> strings_;
};

struct TinyChannel : ChannelConfig {
    std::uint32_t cost = 0;
    bool self = false;
};

struct TinyProtocol : ProtocolConfig {
    std::uint32_t hold_time = 240;
    loops::Duration pause = loops::seconds(1);
    bool passive = false;
    std::uint32_t mode = 0;
    std::string note;
    net::IpAddress peer;
    std::optional<RouterId> cluster;
    InterfacePattern pattern;
    TableConfig* helper_table = nullptr;
};

inline void read_pattern(Parser& p, TinyProtocol& t, const OptionRow&) {
    t.pattern = parse_interface_pattern(p, false);
}

inline void read_helper(Parser& p, TinyProtocol& t, const OptionRow&) {
    t.helper_table = parse_table(p);
}

inline constexpr std::array tiny_modes = {Choice{"slow", 2}, Choice{"very fast", 3}};

using T = TinyProtocol;

inline constexpr std::array tiny_rows = {
    option::number<&T::hold_time>("hold time",
                                  {3, 65535, "Hold time must be in range 3-65535 or zero"},
                                  {"240", "hold time", Effect::restart}),
    option::time<&T::pause>("hold pause time", option::any_time, {"1 s", "pause", Effect::modify}),
    option::flag<&T::passive>("passive", {"off", "wait for the peer", Effect::restart}),
    option::flag_or<&T::mode, 0U, 1U>("mode", tiny_modes, {"off", "speed", Effect::none}),
    option::text<&T::note>("note", {"", "a text", Effect::modify}),
    option::address<&T::peer>("peer", {"", "the other side", Effect::restart}),
    option::identifier<&T::cluster>("cluster id", {"router id", "a number", Effect::restart}),
    option::custom<&T::pattern, read_pattern>(
        "interface", "PATTERN", {"all", "where", Effect::modify}),
    option::custom<&T::helper_table, read_helper>(
        "helper table", "TABLE", {"", "other table", Effect::modify}),
    option::unavailable("warp drive", "does not exist yet"),
};

inline constexpr std::array tiny_channel_rows = {
    option::number<&TinyChannel::cost>("cost", {1, 100, ""}, {"0", "cost", Effect::reload_import}),
    option::flag<&TinyChannel::self>("next hop self",
                                     {"off", "own address", Effect::reload_export}),
};

inline constexpr std::array tiny_channels = {
    channel_syntax<TinyChannel>({"ipv4", "ipv4", net::NetType::ip4, tiny_channel_rows}),
    channel_syntax<TinyChannel>({"ipv6", "ipv6", net::NetType::ip6, tiny_channel_rows}),
    channel_syntax<TinyChannel>({"vpn4 mpls", "vpn4-mpls", net::NetType::vpn4, tiny_channel_rows}),
};

inline void finish_tiny(Parser& p, ProtocolConfig& protocol) {
    if (static_cast<TinyProtocol&>(protocol).peer.is_zero()) p.fail("Peer must be configured");
}

inline constexpr ProtocolSyntax tiny_syntax = protocol_syntax<TinyProtocol>({
    .type = "tiny",
    .label = "Tiny",
    .stem = "tiny",
    .doc = "A protocol for tests.",
    .rows = tiny_rows,
    .channels = tiny_channels,
    .finish = finish_tiny,
    .preference = 100,
});

inline constexpr ChannelSyntax tube_channel =
    channel_syntax<ChannelConfig>({"", "pipe", net::NetType::ip4});

inline constexpr ProtocolSyntax tube_syntax = protocol_syntax<ProtocolConfig>({
    .type = "tube",
    .label = "Tube",
    .stem = "tube",
    .doc = "Channel options in the protocol's own block.",
    .export_all = true,
    .single = true,
    .single_complaint = "Only one tube",
    .inline_channel = &tube_channel,
});

inline std::unique_ptr<FilterLanguage> make_tiny_language(void*) {
    return std::make_unique<TinyLanguage>();
}

/// A registry with both protocols, and parsing of texts.
class Bench {
  public:
    Bench() : registry_(make_tiny_language, nullptr) {
        for (const net::NetTypeInfo& info : net::all_net_types())
            registry_.add_net_type(info.type);
        registry_.add(tiny_syntax);
        registry_.add(tube_syntax);
    }

    ParsedConfig parse(std::string text) {
        reader_.add("/etc/bird.conf", std::move(text));
        return parse_config(reader_, "/etc/bird.conf", registry_);
    }

    /// The error's one-line form, or "ok".
    std::string verdict(std::string text) {
        const ParsedConfig parsed = parse(std::move(text));
        return parsed ? "ok" : parsed.error().summary();
    }

    MemoryReader& reader() { return reader_; }

    SyntaxRegistry& registry() { return registry_; }

  private:
    MemoryReader reader_;
    SyntaxRegistry registry_;
};

}  // namespace tern::config::testing
