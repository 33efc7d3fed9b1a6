#pragma once

/// Gives every expression its type, resolves methods, folds constants, refuses what cannot work.
/// Runs on the loop that reads a configuration, once per function, right after it was parsed and
/// before it is compiled. It changes the tree it is given (types, methods, folded literals) and
/// reports the first error with its place; it never looks at values of routes.

#include "router/filter/ast.h"
#include "router/filter/library.h"

#include <string>
#include <vector>

namespace tern::filter {

struct Warning {
    Position position;
    std::string text;
};

class TypeChecker {
  public:
    explicit TypeChecker(Library& library) : library_(library) {}

    /// Checks the body; infers the result's type if it was not declared.
    Result<void> check(Function& function);

    /// Checks and folds one expression outside of any function.
    Result<void> check(Expression& expression);

    /// The value of an expression that must be constant; it lives in the library.
    Result<attr::Value> constant(Expression& expression);

    /// The value of `[ ... ]`.
    Result<attr::Value> set_value(std::span<SetItem> items, Position position);

    /// Item of `case`, or of a set, as intervals.
    struct Intervals {
        Type type = Type::void_;
        std::vector<SetInterval> ranges;
    };

    Result<void> add_item(const SetItem& item, Intervals& to);

    [[nodiscard]] const std::vector<Warning>& warnings() const { return warnings_; }

  private:
    using Checked = Result<void>;

    Checked statement(Statement& s);
    Checked statements(std::span<Statement*> list);
    Checked expressions(std::span<Expression*> list);
    Checked assignment(Statement& s);
    Checked case_statement(Statement& s);
    Checked for_statement(Statement& s);
    Checked return_statement(Statement& s);
    Checked writable(const Expression& target);

    Checked expression(Expression& e);
    Checked unary(Expression& e);
    Checked binary(Expression& e);
    Checked comparison(Expression& e);
    Checked constructor(Expression& e);
    Checked method(Expression& e);
    Checked call(Expression& e);
    Checked builtin(Expression& e);
    Checked path_mask(Expression& e);
    Checked boolean(Expression& e, std::string_view what);
    Checked argument(Expression& e, Type wanted, unsigned number, std::string_view what);
    Checked fold(Expression& e);

    Result<attr::Value> part(const Expression* e);
    Result<std::uint32_t> number_part(const Expression* e, std::uint64_t max);
    Checked add_value(const SetItem& item, Intervals& to);
    Checked add_pair(const SetItem& item, Intervals& to);
    Checked add_ec(const SetItem& item, Intervals& to);
    Checked add_lc(const SetItem& item, Intervals& to);
    Result<attr::Value> prefix_set(std::span<SetItem> items);

    Library& library_;
    Function* function_ = nullptr;
    bool returns_ = false;
    std::vector<Warning> warnings_;
};

/// `value` as the type wanted, if the language converts it by itself (an IPv4 address as a quad,
/// the empty set as a prefix set).
[[nodiscard]] bool promote(attr::Value& value, Type wanted, Library& library);

}  // namespace tern::filter
