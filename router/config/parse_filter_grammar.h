#pragma once

/// Recursive descent over expressions and statements of filters; makes filter/ast.h nodes.
/// Lives for one definition (a filter, function, constant), borrows parser and FilterSyntax, and
/// resolves every name. Errors go to the parser, whose failure is sticky: functions then return
/// harmless nodes. It never checks types.

#include "router/config/parse_filter.h"

#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace tern::config {

class FilterGrammar {
  public:
    /// `routes`: attribute names are known (filters and functions; not constants).
    FilterGrammar(Parser& parser, FilterSyntax& syntax, bool routes)
        : parser_(parser), syntax_(syntax), routes_(routes) {}

    FilterGrammar(const FilterGrammar&) = delete;
    FilterGrammar& operator=(const FilterGrammar&) = delete;

    [[nodiscard]] Parser& parser() { return parser_; }

    // --- expressions -------------------------------------------------------------------------
    [[nodiscard]] filter::Expression* expression();
    /// Without operators: literal, name, call, parenthesis, with methods behind it.
    [[nodiscard]] filter::Expression* term();
    [[nodiscard]] filter::Expression* make(filter::ExpressionKind kind, Position position);
    [[nodiscard]] filter::Expression* literal(const attr::Value& value, Position position);
    /// Makes `operands` the parts of `parent`.
    void adopt(filter::Expression& parent, const std::vector<filter::Expression*>& operands);
    [[nodiscard]] std::span<filter::Expression*> keep(const std::vector<filter::Expression*>& list);

    [[nodiscard]] std::string_view keep_text(std::string_view text) {
        return syntax_.library().keep(text);
    }

    template <class T>
    [[nodiscard]] std::span<T> keep_all(const std::vector<T>& list) {
        return syntax_.arena().copy<T>(std::span<const T>(list));
    }

    // --- statements --------------------------------------------------------------------------
    /// `{ ... }` with a scope of its own; the next token is the brace.
    [[nodiscard]] filter::Statement* block();
    [[nodiscard]] filter::Statement* statement();
    /// `TYPE a; TYPE b;` in front of a body, as declarations.
    [[nodiscard]] std::vector<filter::Statement*> locals();
    [[nodiscard]] filter::Statement* make(filter::StatementKind kind, Position position);
    [[nodiscard]] filter::Statement* sequence(const std::vector<filter::Statement*>& list);

    // --- types and variables -----------------------------------------------------------------
    /// Whether a type is next that is followed by a name.
    [[nodiscard]] bool at_declaration();
    [[nodiscard]] filter::Type type();
    [[nodiscard]] const filter::Variable* declare(filter::Type type);
    [[nodiscard]] std::vector<filter::Variable*> parameters();

    [[nodiscard]] std::uint16_t slots() const {
        return static_cast<std::uint16_t>(variables_.size());
    }

  private:
    using Expression = filter::Expression;
    using Statement = filter::Statement;

    /// Whoever walks the tree recurses, so what is nested deeper is refused.
    static constexpr unsigned nesting_max = 256;
    static constexpr unsigned depth_max = 2000;

    /// One level of recursion of the grammar.
    class Nesting {
      public:
        explicit Nesting(FilterGrammar& grammar) : grammar_(grammar) {
            if (++grammar_.nesting_ > nesting_max) {
                grammar_.parser_.fail(grammar_.parser_.position(), "Too deeply nested");
            }
        }

        ~Nesting() { --grammar_.nesting_; }

        Nesting(const Nesting&) = delete;
        Nesting& operator=(const Nesting&) = delete;

      private:
        FilterGrammar& grammar_;
    };

    Expression* logical();
    Expression* comparison();
    Expression* bits();
    Expression* sum();
    Expression* product();
    Expression* unary();
    Expression* postfix(Expression* object);
    Expression* binary(filter::Operator op, Position position, Expression* a, Expression* b);
    Expression* word();
    Expression* named(const Symbol& symbol);
    Expression* call(const filter::Function& function, Position position);
    Expression* builtin();
    Expression* attribute_name();
    std::string_view table_name(bool roa);
    std::vector<Expression*> arguments();

    Statement* if_statement();
    Statement* case_statement();
    Statement* case_body();
    bool at_case_label();
    Statement* for_statement();
    Statement* verdict(filter::StatementKind kind);
    Statement* unset();
    Statement* assertion();
    Statement* declaration();
    Statement* assignment();

    Parser& parser_;
    FilterSyntax& syntax_;
    bool routes_;
    std::vector<filter::Variable*> variables_;
    unsigned nesting_ = 0;
    unsigned chained_ = 0;
};

}  // namespace tern::config
