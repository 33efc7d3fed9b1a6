#include "router/config/parser.h"

#include "locking/check.h"
#include "router/config/config.h"
#include "router/config/spelling.h"
#include "router/config/syntax.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

namespace tern::config {

namespace {

/// These words can never become names.
constexpr std::array exclusive_words = {"in", "from", "v2", "v3", "ng"};

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

bool is_unit(std::string_view word) {
    return word == "s" || word == "ms" || word == "us";
}

std::string join_expected(const std::vector<std::string>& expected) {
    // More than four possibilities help nobody.
    if (expected.empty() || expected.size() > 4) return "";
    std::string out;
    for (const std::string& name : expected)
        out += (out.empty() ? "" : " or ") + name;
    return out;
}

}  // namespace

Parser::Parser(Context context, std::uint32_t file, Lexer::Mode mode)
    : sources_(&context.sources),
      config_(&context.config),
      syntax_(&context.syntax),
      language_(&context.language),
      scope_(&context.scope),
      lexer_(context.sources, file, mode) {
    last_ = {file, 1, 1};
}

const Token& Parser::peek_further(std::size_t ahead) {
    TERN_ASSERT(ahead < lookahead_max);
    if (failed_) return end_;
    while (ring_size_ <= ahead) {
        // Nothing is read beyond the end: an include may have ended there too.
        if (ring_size_ > 0) {
            const Token& newest = ring_[(ring_begin_ + ring_size_ - 1) % lookahead_max];
            if (newest.kind == TokenKind::end || newest.kind == TokenKind::invalid) return newest;
        }
        ring_[(ring_begin_ + ring_size_) % lookahead_max] = lexer_.next();
        ++ring_size_;
    }
    return ring_[(ring_begin_ + ahead) % lookahead_max];
}

bool Parser::at_words(std::string_view words) {
    std::size_t ahead = 0;
    while (!words.empty()) {
        const std::size_t end = words.find(' ');
        if (!at(words.substr(0, end), ahead++)) return false;
        words = end == std::string_view::npos ? std::string_view() : words.substr(end + 1);
    }
    return true;
}

Token Parser::take() {
    Token token = peek();
    if (failed_) return token;
    last_ = token.position;
    last_kind_ = token.kind;
    if (token.kind == TokenKind::invalid) {
        fail_invalid(token);
        return end_;
    }
    if (token.kind == TokenKind::left_brace) open_braces_.push_back(token.position);
    if (token.kind == TokenKind::right_brace && !open_braces_.empty()) open_braces_.pop_back();
    if (token.kind != TokenKind::end) {
        ring_begin_ = (ring_begin_ + 1) % lookahead_max;
        --ring_size_;
    }
    return token;
}

bool Parser::accept(TokenKind kind) {
    if (failed_ || peek().kind != kind) return false;
    take();
    return true;
}

bool Parser::accept(std::string_view word) {
    if (!at(word)) return false;
    take();
    return true;
}

bool Parser::accept_words(std::string_view words) {
    if (!at_words(words)) return false;
    take();
    for (const char c : words) {
        if (c == ' ') take();
    }
    return true;
}

Token Parser::expect(TokenKind kind) {
    if (!failed_ && peek().kind == kind) return take();
    fail_unexpected({token_name(kind)});
    return end_;
}

void Parser::expect(std::string_view word) {
    if (!accept(word)) fail_unexpected({upper(word)});
}

bool Parser::more(TokenKind close) {
    if (failed_ || accept(close)) return false;
    if (at(TokenKind::end)) {
        fail_unexpected({token_name(close)});
        return false;
    }
    return true;
}

void Parser::fail(Position position, std::string text) {
    if (failed_) return;
    failed_ = true;
    error_ = sources_->explain(position, std::move(text));
    end_ = {};
    end_.position = position;
}

std::string Parser::token_text(const Token& token) {
    if (token.kind != TokenKind::word) return std::string(token_name(token.kind));
    if (scope_->find(token.text) != nullptr) return "CF_SYM_KNOWN";
    if (syntax_->is_keyword(token.text)) return upper(token.text);
    return "CF_SYM_UNDEFINED";
}

/// The lexer's complaint is the token's text.
void Parser::fail_invalid(const Token& token) {
    fail(token.position, std::string(token.text));
    const std::size_t at = token.position.column - 1;
    if (at < error_.line.size() && error_.line[at] == '\r') {
        hint("lines end in a carriage return here, as on other systems; remove those");
    }
}

void Parser::unexpected(const std::vector<std::string>& expected,
                        std::span<const std::string_view> candidates) {
    if (failed_) return;
    const Token token = peek();
    if (token.kind == TokenKind::invalid) {
        fail_invalid(token);
        return;
    }
    const std::string shown = token_text(token);
    const std::string expecting = join_expected(expected);
    fail(token.position, fmt::format("syntax error, unexpected {}{}{}", shown,
                                     expecting.empty() ? "" : ", expecting ", expecting));
    hint_at(token, expecting);
    if (token.kind == TokenKind::word) hint_spelling(token.text, candidates);
    if (shown == "CF_SYM_UNDEFINED") hint(fmt::format("'{}' is not defined here", token.text));
}

/// What the place alone tells.
void Parser::hint_at(const Token& token, const std::string& expecting) {
    const bool later = token.position.file == last_.file && token.position.line > last_.line;
    if (token.kind == TokenKind::end && !open_braces_.empty()) {
        hint(fmt::format("the '{{' of line {} is not closed", open_braces_.back().line));
    } else if (expecting.find("';'") != std::string::npos && later) {
        hint(fmt::format("is a ';' missing at the end of line {}?", last_.line));
    } else if (expecting == "S or MS or US") {
        hint("a time needs a unit: s, ms or us");
    } else if (expecting == "';'" && last_kind_ == TokenKind::number && is_unit(token.text)) {
        hint("this number stands without a unit");
    } else if (token.kind == TokenKind::assign && last_kind_ == TokenKind::assign) {
        hint("a comparison is written with one '='");
    } else if (expecting.starts_with("TEXT") && token.kind == TokenKind::word) {
        hint("a text stands in double quotes");
    }
}

void Parser::hint_spelling(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view near = closest_word(word, candidates);
    if (!near.empty()) hint(fmt::format("did you mean '{}'?", near));
}

/// Symbols in reach, attributes and the words of the language.
std::vector<std::string_view> Parser::known_words() const {
    std::vector<std::string_view> words;
    for (const Scope* scope = scope_; scope != nullptr; scope = scope->parent()) {
        for (const Symbol& symbol : scope->symbols())
            words.emplace_back(symbol.name);
    }
    language_->list_words(words);
    SyntaxRegistry::list_keywords(words);
    return words;
}

void Parser::fail_unexpected(std::initializer_list<std::string_view> expected) {
    if (failed_) return;
    std::vector<std::string> names;
    for (const std::string_view name : expected)
        names.emplace_back(name);
    unexpected(names, known_words());
}

void Parser::fail_unexpected(const std::vector<std::string>& expected) {
    std::vector<std::string> names;
    std::vector<std::string_view> candidates;
    for (const std::string& name : expected) {
        names.push_back(upper(name));
        candidates.emplace_back(name);
    }
    unexpected(names, candidates);
}

void Parser::hint(std::string text) {
    if (failed_ && error_.hint.empty()) error_.hint = std::move(text);
}

void Parser::warn(Position position, std::string text) {
    if (failed_) return;
    config_->warnings.push_back(sources_->explain(position, std::move(text)));
}

attr::Value Parser::constant() {
    if (at(TokenKind::left_paren)) return language_->parse_constant(*this);
    const Symbol* symbol = peek_symbol();
    if (symbol == nullptr || symbol->kind != SymbolClass::constant) return {};
    take();
    return *symbol->as<const attr::Value>();
}

std::uint32_t Parser::number() {
    if (at(TokenKind::number)) return take().number;
    const Symbol* symbol = peek_symbol();
    if (!at(TokenKind::left_paren) && symbol == nullptr) {
        fail_unexpected({"NUM", "CF_SYM_KNOWN", "'('"});
        return 0;
    }
    const Position place = position();
    const attr::Value value = constant();
    if (!value.is(attr::ValueType::int_)) {
        fail(place, "Number expected");
        return 0;
    }
    return value.word();
}

std::uint32_t Parser::number_in(const Range& range) {
    const Position place = position();
    const std::uint32_t value = number();
    if (range.holds(value)) return value;
    fail(place, range.complaint.empty()
                    ? fmt::format("Value must be in range {}-{}", range.low, range.high)
                    : std::string(range.complaint));
    return static_cast<std::uint32_t>(range.low);
}

bool Parser::at_boolean() {
    if (at(TokenKind::number) || at(TokenKind::left_paren)) return true;
    for (const std::string_view word : {"on", "off", "yes", "no", "true", "false"}) {
        if (at(word)) return true;
    }
    const Symbol* symbol = peek_symbol();
    return symbol != nullptr && symbol->kind == SymbolClass::constant;
}

bool Parser::boolean() {
    for (const std::string_view word : {"on", "yes", "true"}) {
        if (accept(word)) return true;
    }
    for (const std::string_view word : {"off", "no", "false"}) {
        if (accept(word)) return false;
    }
    if (at(TokenKind::number)) {
        const Token token = take();
        warn(token.position, "Number argument for switch option deprecated");
        return token.number != 0;
    }
    if (!at_boolean()) return true;  // Silence means agreement.
    const Position place = position();
    const attr::Value value = constant();
    if (value.is(attr::ValueType::bool_)) return value.as_bool();
    if (value.is(attr::ValueType::int_)) {
        warn(place, "Number argument for switch option deprecated");
        return value.word() != 0;
    }
    fail(place, "Switch value expected");
    return false;
}

std::int64_t Parser::time() {
    const std::int64_t count = number();
    if (accept("s")) return count * 1'000'000;
    if (accept("ms")) return count * 1000;
    if (accept("us")) return count;
    fail_unexpected({"S", "MS", "US"});
    return 0;
}

std::int64_t Parser::time_in(const Range& range) {
    const Position place = position();
    const std::int64_t value = time();
    if (ok() && !range.holds(static_cast<std::uint64_t>(value))) {
        fail(place, range.complaint.empty() ? "Time out of range" : std::string(range.complaint));
    }
    return value;
}

std::uint32_t Parser::choice(std::span<const Choice> choices) {
    for (const Choice& choice : choices) {
        if (accept_words(choice.word)) return choice.value;
    }
    std::vector<std::string> words;
    for (const Choice& choice : choices)
        words.emplace_back(choice.word);
    fail_unexpected(words);
    return 0;
}

std::string Parser::text() {
    if (at(TokenKind::string)) return std::string(take().text);
    if (!at(TokenKind::left_paren) && peek_symbol() == nullptr) {
        fail_unexpected({"TEXT", "CF_SYM_KNOWN", "'('"});
        return {};
    }
    const Position place = position();
    const attr::Value value = constant();
    if (value.is(attr::ValueType::string)) return std::string(value.string());
    fail(place, "String expected");
    return {};
}

net::IpAddress Parser::address() {
    if (at(TokenKind::ip4)) return net::IpAddress::v4(take().number);
    if (at(TokenKind::ip6)) {
        const Result<net::IpAddress> parsed = net::IpAddress::parse_v6(take().text);
        return parsed ? *parsed : net::IpAddress();
    }
    if (!at(TokenKind::left_paren) && peek_symbol() == nullptr) {
        fail_unexpected({"IP4", "IP6", "CF_SYM_KNOWN", "'('"});
        return {};
    }
    const Position place = position();
    const attr::Value value = constant();
    if (value.is(attr::ValueType::ip)) return value.ip();
    if (value.is(attr::ValueType::quad)) return net::IpAddress::v4(value.word());
    fail(place, "IP address expected");
    return {};
}

std::uint32_t Parser::identifier() {
    if (at(TokenKind::number) || at(TokenKind::ip4)) return take().number;
    if (!at(TokenKind::left_paren) && peek_symbol() == nullptr) {
        fail_unexpected({"NUM", "IP4", "CF_SYM_KNOWN"});
        return 0;
    }
    const Position place = position();
    const attr::Value value = constant();
    if (value.is(attr::ValueType::int_) || value.is(attr::ValueType::quad)) return value.word();
    if (value.is(attr::ValueType::ip) && value.ip().is_v4()) return value.ip().v4_value();
    fail(place, "Number or IPv4 address expected");
    return 0;
}

Scope& Parser::exchange_scope(Scope& scope) {
    Scope& before = *scope_;
    scope_ = &scope;
    return before;
}

const Symbol* Parser::peek_symbol() {
    return peek_symbol(0);
}

const Symbol* Parser::peek_symbol(std::size_t ahead) {
    const Token& token = peek(ahead);
    return token.kind == TokenKind::word ? scope_->find(token.text) : nullptr;
}

const Symbol* Parser::expect_symbol(SymbolClass kind) {
    const Symbol* symbol = peek_symbol();
    if (symbol == nullptr) {
        fail_unexpected({"CF_SYM_KNOWN"});
        return nullptr;
    }
    if (symbol->kind != kind) {
        fail(position(), fmt::format("Expected {}, but symbol '{}' is {}", symbol_class_name(kind),
                                     symbol->name, symbol_class_name(symbol->kind)));
        return nullptr;
    }
    take();
    return symbol;
}

Token Parser::expect_name() {
    const Token token = peek();
    const bool exclusive = std::find(exclusive_words.begin(), exclusive_words.end(), token.text) !=
                           exclusive_words.end();
    if (token.kind != TokenKind::word || (exclusive && !token.quoted)) {
        fail_unexpected({"CF_SYM_UNDEFINED"});
        return end_;
    }
    return take();
}

Symbol* Parser::define_symbol(SymbolClass kind) {
    const Token token = expect_name();
    if (failed_) return nullptr;
    Symbol* symbol = scope_->define(token.text, kind, token.position);
    if (symbol == nullptr) {
        fail(token.position, fmt::format("Symbol '{}' already defined", token.text));
        const Position first = scope_->find_here(token.text)->position;
        if (first.known() && first.file < sources_->size()) {
            hint(fmt::format("first defined at {}:{}", sources_->name(first.file), first.line));
        }
        return nullptr;
    }
    if (syntax_->is_keyword(token.text)) {
        warn(token.position, fmt::format("Symbol '{}' overrides existing keyword", token.text));
    }
    return symbol;
}

}  // namespace tern::config
