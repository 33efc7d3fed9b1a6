#pragma once

/// The recursive-descent base: tokens with lookahead, expectations, complaints.
/// Failure is sticky: the first error is kept, and from then on the next token is `end`, nothing
/// is accepted, and values are zero. So grammar code reads straight on and callers look once at
/// `ok()`; loops must ask `ok()` or use `more()`. One parser reads one configuration or one
/// command line; it borrows sources, scope and Config, and belongs to the loop that parses.

#include "router/config/filter_language.h"
#include "router/config/lexer.h"
#include "router/config/schema.h"
#include "router/config/source.h"
#include "router/config/symbols.h"
#include "router/config/token.h"

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tern::config {

class Config;
class SyntaxRegistry;

class Parser {
  public:
    static constexpr std::size_t lookahead_max = 16;

    struct Context {
        SourceSet& sources;
        Config& config;
        const SyntaxRegistry& syntax;
        FilterLanguage& language;
        Scope& scope;
    };

    Parser(Context context, std::uint32_t file, Lexer::Mode mode);

    Parser(const Parser&) = delete;
    Parser& operator=(const Parser&) = delete;

    // --- state -------------------------------------------------------------------------------

    [[nodiscard]] bool ok() const { return !failed_; }

    [[nodiscard]] const ConfigError& error() const { return error_; }

    [[nodiscard]] Config& config() { return *config_; }

    [[nodiscard]] const SyntaxRegistry& syntax() const { return *syntax_; }

    [[nodiscard]] FilterLanguage& language() { return *language_; }

    [[nodiscard]] const SourceSet& sources() const { return *sources_; }

    // --- tokens ------------------------------------------------------------------------------

    /// The next token, or the one `ahead` further (< lookahead_max), without taking it.
    [[nodiscard]] const Token& peek(std::size_t ahead) {
        if (ahead < ring_size_ && !failed_) [[likely]]
            return ring_[(ring_begin_ + ahead) % lookahead_max];
        return peek_further(ahead);
    }

    [[nodiscard]] const Token& peek() { return peek(0); }

    [[nodiscard]] bool at(TokenKind kind) { return peek().kind == kind; }

    /// The next token is this unquoted word.
    [[nodiscard]] bool at(std::string_view word) { return at(word, 0); }

    [[nodiscard]] bool at(std::string_view word, std::size_t ahead) {
        const Token& token = peek(ahead);
        return token.kind == TokenKind::word && !token.quoted && !token.text.empty() &&
               token.text.front() == word.front() && token.text == word;
    }

    /// The next tokens are these words, separated by one blank: "hold time".
    [[nodiscard]] bool at_words(std::string_view words);

    Token take();
    bool accept(TokenKind kind);
    bool accept(std::string_view word);
    bool accept_words(std::string_view words);

    /// Takes the token or fails with "syntax error, unexpected X, expecting Y".
    Token expect(TokenKind kind);
    void expect(std::string_view word);

    /// For the items of a block: false, having taken `close`, at its end; false when failed.
    [[nodiscard]] bool more(TokenKind close);

    /// Position of the next token.
    [[nodiscard]] Position position() { return peek().position; }

    /// Position of the last token taken.
    [[nodiscard]] Position last_position() const { return last_; }

    // --- complaints --------------------------------------------------------------------------

    /// Keeps the first error only. The single-argument form points at the last token taken.
    void fail(Position position, std::string text);

    void fail(std::string text) { fail(last_, std::move(text)); }

    /// "syntax error, unexpected X[, expecting A or B]" at the next token. Names are shown as
    /// given: keywords in upper case, operators in quotes (see token_name). More than four are not
    /// listed. A hint says what may be wrong: a near word, a missing `;`, an open brace.
    void fail_unexpected(std::initializer_list<std::string_view> expected);
    /// The same for words as they are written; only they are offered for a misspelt one.
    void fail_unexpected(const std::vector<std::string>& expected);

    /// Adds a sentence for the human below the caret line of an error just made.
    void hint(std::string text);

    void warn(Position position, std::string text);

    // --- values ------------------------------------------------------------------------------

    /// NUM, constant, or `(expression)`; fails with "Number expected".
    std::uint32_t number();

    /// As number(), refused outside of the range.
    std::uint32_t number_in(const Range& range);

    /// A switch: nothing means on.
    bool boolean();

    /// Would boolean() take a token, or is the switch silent?
    [[nodiscard]] bool at_boolean();

    /// Number with mandatory unit s, ms or us; microseconds.
    std::int64_t time();

    /// As time(), refused outside of the range, which is in microseconds.
    std::int64_t time_in(const Range& range);

    /// One word of the list; its value.
    std::uint32_t choice(std::span<const Choice> choices);

    /// String or string constant.
    std::string text();

    /// IP address or constant.
    net::IpAddress address();

    /// Router id and its kin: number, IPv4 address or a constant of either.
    std::uint32_t identifier();

    // --- symbols -----------------------------------------------------------------------------

    [[nodiscard]] Scope& scope() { return *scope_; }

    /// Enters and leaves an inner scope that the caller owns; use ScopeEntry.
    Scope& exchange_scope(Scope& scope);

    /// The symbol the next token names, or null; takes nothing.
    [[nodiscard]] const Symbol* peek_symbol();
    [[nodiscard]] const Symbol* peek_symbol(std::size_t ahead);

    /// Takes a word naming a symbol of that class, or fails.
    const Symbol* expect_symbol(SymbolClass kind);

    /// Takes a word as a new name in the current scope, or fails "Symbol 'x' already defined".
    /// Warns when it hides a keyword. Null only if failed.
    Symbol* define_symbol(SymbolClass kind);

    /// Takes a word that can be a name (not an exclusive keyword), without defining it.
    Token expect_name();

  private:
    const Token& peek_further(std::size_t ahead);
    [[nodiscard]] attr::Value constant();
    [[nodiscard]] std::string token_text(const Token& token);
    void unexpected(const std::vector<std::string>& expected,
                    std::span<const std::string_view> candidates);
    void fail_invalid(const Token& token);
    void hint_at(const Token& token, const std::string& expecting);
    void hint_spelling(std::string_view word, std::span<const std::string_view> candidates);
    [[nodiscard]] std::vector<std::string_view> known_words() const;

    SourceSet* sources_;
    Config* config_;
    const SyntaxRegistry* syntax_;
    FilterLanguage* language_;
    Scope* scope_;
    Lexer lexer_;
    Token ring_[lookahead_max];
    std::size_t ring_begin_ = 0;
    std::size_t ring_size_ = 0;
    Token end_;
    Position last_;
    TokenKind last_kind_ = TokenKind::end;
    std::vector<Position> open_braces_;
    bool failed_ = false;
    ConfigError error_;
};

/// Runs a block in an inner scope.
class ScopeEntry {
  public:
    explicit ScopeEntry(Parser& parser)
        : parser_(&parser), scope_(&parser.scope()), outer_(&parser.exchange_scope(scope_)) {}

    ~ScopeEntry() { parser_->exchange_scope(*outer_); }

    ScopeEntry(const ScopeEntry&) = delete;
    ScopeEntry& operator=(const ScopeEntry&) = delete;

  private:
    Parser* parser_;
    Scope scope_;
    Scope* outer_;
};

}  // namespace tern::config
