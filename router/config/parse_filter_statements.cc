#include "router/attr/core_attributes.h"
#include "router/config/parse_filter_grammar.h"
#include "router/config/parse_literals.h"

#include <fmt/format.h>

/// Statements, types and declarations of the filter grammar.

namespace tern::config {

using filter::ExpressionKind;
using filter::Statement;
using filter::StatementKind;
using filter::Type;
using filter::Variable;

namespace {

constexpr std::size_t variables_max = 255;

}  // namespace

Statement* FilterGrammar::make(StatementKind kind, Position position) {
    Statement& s = syntax_.arena().make<Statement>();
    s.kind = kind;
    s.position = position;
    return &s;
}

Statement* FilterGrammar::sequence(const std::vector<Statement*>& list) {
    Statement* const s = make(StatementKind::block, parser_.last_position());
    s->body = keep_all(list);
    return s;
}

// --- types and variables ------------------------------------------------------------------------

bool FilterGrammar::at_declaration() {
    if (!parser_.at(TokenKind::word) || parser_.peek().quoted) return false;
    std::size_t next = 1;
    if (parser_.at("enum")) {
        next = 2;
    } else if (!filter::type_by_name(parser_.peek().text)) {
        return false;
    }
    return parser_.peek(next).kind == TokenKind::word;
}

Type FilterGrammar::type() {
    const Token token = parser_.expect(TokenKind::word);
    std::optional<Type> found;
    if (token.text == "enum") {
        found = filter::enum_by_name(parser_.expect(TokenKind::word).text);
    } else {
        found = filter::type_by_name(token.text);
    }
    if (parser_.ok() && !found) parser_.fail(token.position, "Type name expected");
    if (!found) return Type::void_;
    if (!parser_.at("set") || parser_.peek(1).kind == TokenKind::semicolon) return *found;
    parser_.take();
    const std::optional<Type> set = filter::set_of(*found);
    if (!set) parser_.fail("You can't create sets of this type.");
    return set.value_or(Type::void_);
}

const Variable* FilterGrammar::declare(Type type) {
    Symbol* const symbol = parser_.define_symbol(SymbolClass::variable);
    Variable& variable = syntax_.arena().make<Variable>();
    variable.type = type;
    if (symbol == nullptr) return &variable;
    if (variables_.size() >= variables_max) {
        parser_.fail(fmt::format("Too many variables, at most {} allowed", variables_max));
        return &variable;
    }
    variable.name = syntax_.library().keep(symbol->name);
    variable.slot = static_cast<std::uint8_t>(variables_.size());
    variable.position = symbol->position;
    symbol->slot = variable.slot;
    symbol->type = static_cast<std::uint32_t>(type);
    variables_.push_back(&variable);
    return &variable;
}

/// `(TYPE a; TYPE b)`.
std::vector<Variable*> FilterGrammar::parameters() {
    parser_.expect(TokenKind::left_paren);
    while (parser_.ok() && !parser_.accept(TokenKind::right_paren)) {
        const Type parameter = type();
        (void)declare(parameter);
        if (!parser_.at(TokenKind::right_paren)) parser_.expect(TokenKind::semicolon);
    }
    return variables_;
}

std::vector<Statement*> FilterGrammar::locals() {
    std::vector<Statement*> list;
    while (parser_.ok() && !parser_.at(TokenKind::left_brace)) {
        if (!at_declaration()) {
            parser_.fail_unexpected({"'{'"});
            break;
        }
        list.push_back(declaration());
    }
    return list;
}

// --- statements ---------------------------------------------------------------------------------

Statement* FilterGrammar::block() {
    parser_.expect(TokenKind::left_brace);
    const ScopeEntry scope(parser_);
    std::vector<Statement*> list;
    while (parser_.more(TokenKind::right_brace))
        list.push_back(statement());
    return sequence(list);
}

Statement* FilterGrammar::statement() {
    const Nesting nesting(*this);
    const Position position = parser_.position();
    if (!parser_.ok()) return sequence({});
    if (parser_.at(TokenKind::left_brace)) return block();
    if (parser_.accept(TokenKind::semicolon)) return sequence({});
    // A name of the user's own wins over the words of the language.
    const Symbol* const symbol = parser_.peek_symbol();
    if (symbol != nullptr && symbol->kind != SymbolClass::attribute) return assignment();
    if (at_declaration()) return declaration();
    if (parser_.accept("if")) return if_statement();
    if (parser_.accept("case")) return case_statement();
    if (parser_.accept("for")) return for_statement();
    if (parser_.accept("accept")) return verdict(StatementKind::accept);
    if (parser_.accept("reject")) return verdict(StatementKind::reject);
    if (parser_.accept("error")) return verdict(StatementKind::error);
    if (parser_.accept("print")) return verdict(StatementKind::print);
    if (parser_.accept("printn")) return verdict(StatementKind::printn);
    if (parser_.accept("unset")) return unset();
    if (parser_.accept("bt_assert")) return assertion();
    if (parser_.accept("return")) {
        Statement* const s = make(StatementKind::return_, position);
        s->value = expression();
        parser_.expect(TokenKind::semicolon);
        return s;
    }
    return assignment();
}

Statement* FilterGrammar::declaration() {
    Statement* const s = make(StatementKind::declare, parser_.position());
    const Type declared = type();
    if (!parser_.at(TokenKind::word)) {
        (void)parser_.expect(TokenKind::word);
        return s;
    }
    s->variable = declare(declared);
    if (parser_.accept(TokenKind::assign)) s->value = expression();
    parser_.expect(TokenKind::semicolon);
    return s;
}

/// `a = b;`, `a.method(b);`, `function(a);`
Statement* FilterGrammar::assignment() {
    const Position position = parser_.position();
    filter::Expression* const target = term();
    if (parser_.accept(TokenKind::assign)) {
        Statement* const s = make(StatementKind::assign, position);
        s->target = target;
        s->value = expression();
        parser_.expect(TokenKind::semicolon);
        if (parser_.ok() && target->kind == ExpressionKind::literal) {
            parser_.fail(position, "Constant is read-only");
        }
        return s;
    }
    parser_.expect(TokenKind::semicolon);
    const bool mutates = target->kind == ExpressionKind::method;
    Statement* const s =
        make(mutates ? StatementKind::mutate : StatementKind::expression, position);
    s->value = target;
    if (!mutates) {
        const bool call = target->kind == ExpressionKind::call;
        if (parser_.ok() && !call) parser_.fail(position, "Statement has no effect");
        return s;
    }
    filter::Expression* object = target;
    while (object->kind == ExpressionKind::method)
        object = object->operands[0];
    // The object is both read and assigned: the checker must see two nodes.
    filter::Expression& place = syntax_.arena().make<filter::Expression>(*object);
    s->target = &place;
    return s;
}

Statement* FilterGrammar::if_statement() {
    Statement* const s = make(StatementKind::if_, parser_.last_position());
    s->value = expression();
    parser_.expect("then");
    std::vector<Statement*> branches{statement()};
    if (parser_.accept("else")) {
        // `else if` is no nesting to its writer; chains may be long.
        const bool chain = parser_.at("if") && ++chained_ <= depth_max && parser_.accept("if");
        branches.push_back(chain ? if_statement() : statement());
    }
    s->body = keep_all(branches);
    return s;
}

/// What begins an arm of `case` never begins a statement.
bool FilterGrammar::at_case_label() {
    switch (parser_.peek().kind) {
        case TokenKind::number:
        case TokenKind::ip4:
        case TokenKind::ip6:
        case TokenKind::mac:
        case TokenKind::route_distinguisher:
        case TokenKind::left_paren:
            return true;
        case TokenKind::word:
            break;
        default:
            return false;
    }
    if (parser_.at("else")) return true;
    const Symbol* const symbol = parser_.peek_symbol();
    if (symbol != nullptr) return symbol->kind == SymbolClass::constant;
    return attr::find_enum_constant(parser_.peek().text).has_value();
}

/// One command; older configurations have several, up to the next label.
Statement* FilterGrammar::case_body() {
    std::vector<Statement*> list{statement()};
    const Position second = parser_.position();
    while (parser_.ok() && !parser_.at(TokenKind::right_brace) && !at_case_label())
        list.push_back(statement());
    if (list.size() == 1) return list[0];
    parser_.warn(second, "Several commands in an arm of 'case' should stand in braces");
    return sequence(list);
}

Statement* FilterGrammar::case_statement() {
    Statement* const s = make(StatementKind::case_, parser_.last_position());
    s->value = term();
    parser_.expect(TokenKind::left_brace);
    std::vector<filter::CaseBranch> branches;
    while (parser_.more(TokenKind::right_brace)) {
        filter::CaseBranch branch;
        branch.position = parser_.position();
        if (parser_.accept("else")) {
            branch.otherwise = true;
        } else {
            branch.items = parse_set_items(*this, TokenKind::colon);
        }
        parser_.expect(TokenKind::colon);
        branch.body = case_body();
        branches.push_back(branch);
    }
    s->branches = keep_all(branches);
    return s;
}

Statement* FilterGrammar::for_statement() {
    const Position position = parser_.last_position();
    const ScopeEntry scope(parser_);
    Statement* const s = make(StatementKind::for_, position);
    if (parser_.ok() && !at_declaration()) {
        if (parser_.peek_symbol() != nullptr) {
            parser_.fail(parser_.position(),
                         "Use of a pre-defined variable in for loop is not allowed");
        } else {
            parser_.fail_unexpected({});
        }
        return sequence({});
    }
    const Type declared = type();
    const Variable* const variable = declare(declared);
    parser_.expect("in");
    s->value = expression();
    parser_.expect("do");
    s->variable = variable;
    s->body = keep_all(std::vector<Statement*>{statement()});
    return s;
}

/// Values up to the semicolon.
Statement* FilterGrammar::verdict(StatementKind kind) {
    Statement* const s = make(kind, parser_.last_position());
    std::vector<filter::Expression*> values;
    if (!parser_.at(TokenKind::semicolon)) {
        do {
            values.push_back(expression());
        } while (parser_.accept(TokenKind::comma));
    }
    parser_.expect(TokenKind::semicolon);
    s->values = keep(values);
    return s;
}

Statement* FilterGrammar::unset() {
    Statement* const s = make(StatementKind::unset, parser_.last_position());
    parser_.expect(TokenKind::left_paren);
    const Token name = parser_.peek();
    s->target = term();
    parser_.expect(TokenKind::right_paren);
    parser_.expect(TokenKind::semicolon);
    const bool attribute = s->target->kind == ExpressionKind::attribute;
    const bool field =
        s->target->kind == ExpressionKind::field && filter::info(s->target->field).unsettable;
    if (parser_.ok() && !attribute && !field) {
        parser_.fail(name.position, fmt::format("Can't unset {}", name.text));
    }
    return s;
}

Statement* FilterGrammar::assertion() {
    Statement* const s = make(StatementKind::assert_, parser_.last_position());
    parser_.expect(TokenKind::left_paren);
    const Token first = parser_.peek();
    s->value = expression();
    const Token last = parser_.peek();
    parser_.expect(TokenKind::right_paren);
    parser_.expect(TokenKind::semicolon);
    const bool together = parser_.ok() && first.position.file == last.position.file &&
                          first.text.data() != nullptr && last.text.data() > first.text.data();
    if (together) {
        const auto size = static_cast<std::size_t>(last.text.data() - first.text.data());
        s->text = syntax_.library().keep({first.text.data(), size});
    }
    return s;
}

}  // namespace tern::config
