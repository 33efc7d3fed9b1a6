#include "router/attr/core_attributes.h"
#include "router/config/config.h"
#include "router/config/parse_filter_grammar.h"
#include "router/config/parse_literals.h"

#include <algorithm>

#include <fmt/format.h>

/// Expressions of the filter grammar, lowest precedence first.

namespace tern::config {

using attr::Value;
using filter::Builtin;
using filter::Expression;
using filter::ExpressionKind;
using filter::Operator;

namespace {

std::optional<Operator> comparison_operator(TokenKind kind) {
    switch (kind) {
        case TokenKind::assign:
            return Operator::equal;
        case TokenKind::not_equal:
            return Operator::not_equal;
        case TokenKind::less:
            return Operator::less;
        case TokenKind::less_equal:
            return Operator::less_equal;
        case TokenKind::greater:
            return Operator::greater;
        case TokenKind::greater_equal:
            return Operator::greater_equal;
        case TokenKind::match:
            return Operator::match;
        case TokenKind::not_match:
            return Operator::not_match;
        default:
            return std::nullopt;
    }
}

struct BuiltinName {
    std::string_view name;
    Builtin builtin;
    unsigned arguments;
};

constexpr BuiltinName builtins[] = {
    {"defined", Builtin::defined, 1},   {"format", Builtin::format, 1},
    {"from_hex", Builtin::from_hex, 1}, {"prepend", Builtin::prepend, 2},
    {"append", Builtin::append, 2},     {"add", Builtin::add, 2},
    {"delete", Builtin::delete_, 2},    {"filter", Builtin::filter, 2},
};

/// Attributes of the language whose protocols another build may have.
constexpr std::string_view other_attributes[] = {
    "ospf_metric1", "ospf_metric2",  "ospf_tag",        "ospf_router_id",  "rip_metric",
    "rip_tag",      "rip_from",      "babel_metric",    "babel_router_id", "babel_seqno",
    "kbr_source",   "radv_lifetime", "radv_preference",
};

}  // namespace

Expression* FilterGrammar::make(ExpressionKind kind, Position position) {
    Expression& e = syntax_.arena().make<Expression>();
    e.kind = kind;
    e.position = position;
    return &e;
}

Expression* FilterGrammar::literal(const Value& value, Position position) {
    Expression* const e = make(ExpressionKind::literal, position);
    e->value = value;
    return e;
}

void FilterGrammar::adopt(Expression& parent, const std::vector<Expression*>& operands) {
    parent.operands = keep_all(operands);
    for (const Expression* operand : operands)
        parent.depth = std::max<std::uint16_t>(parent.depth, operand->depth + 1);
    if (parent.depth > depth_max) parser_.fail(parent.position, "Too deeply nested");
}

std::span<Expression*> FilterGrammar::keep(const std::vector<Expression*>& list) {
    return keep_all(list);
}

Expression* FilterGrammar::binary(Operator op, Position position, Expression* a, Expression* b) {
    Expression* const e = make(ExpressionKind::binary, position);
    e->op = op;
    adopt(*e, {a, b});
    return e;
}

Expression* FilterGrammar::expression() {
    return logical();
}

Expression* FilterGrammar::logical() {
    Expression* left = comparison();
    while (parser_.at(TokenKind::and_) || parser_.at(TokenKind::or_)) {
        const Token token = parser_.take();
        const Operator op =
            token.kind == TokenKind::and_ ? Operator::logical_and : Operator::logical_or;
        left = binary(op, token.position, left, comparison());
    }
    return left;
}

Expression* FilterGrammar::comparison() {
    Expression* const left = bits();
    const std::optional<Operator> op = comparison_operator(parser_.peek().kind);
    if (!op) return left;
    const Position position = parser_.take().position;
    Expression* const e = binary(*op, position, left, bits());
    if (comparison_operator(parser_.peek().kind)) parser_.fail_unexpected({});
    return e;
}

Expression* FilterGrammar::bits() {
    Expression* left = sum();
    while (parser_.at(TokenKind::bit_and) || parser_.at(TokenKind::bit_or)) {
        const Token token = parser_.take();
        const Operator op = token.kind == TokenKind::bit_and ? Operator::bit_and : Operator::bit_or;
        left = binary(op, token.position, left, sum());
    }
    return left;
}

Expression* FilterGrammar::sum() {
    Expression* left = product();
    while (parser_.at(TokenKind::plus) || parser_.at(TokenKind::minus) ||
           parser_.at(TokenKind::concat)) {
        const Token token = parser_.take();
        const Operator op = token.kind == TokenKind::plus    ? Operator::add
                            : token.kind == TokenKind::minus ? Operator::subtract
                                                             : Operator::concatenate;
        left = binary(op, token.position, left, product());
    }
    return left;
}

Expression* FilterGrammar::product() {
    Expression* left = unary();
    while (parser_.at(TokenKind::star) || parser_.at(TokenKind::slash)) {
        const Token token = parser_.take();
        const Operator op = token.kind == TokenKind::star ? Operator::multiply : Operator::divide;
        left = binary(op, token.position, left, unary());
    }
    return left;
}

Expression* FilterGrammar::unary() {
    const Nesting nesting(*this);
    if (!parser_.ok()) return literal(Value(), parser_.position());
    if (!parser_.at(TokenKind::not_)) return term();
    Expression* const e = make(ExpressionKind::unary, parser_.take().position);
    e->op = Operator::logical_not;
    adopt(*e, {unary()});
    return e;
}

Expression* FilterGrammar::term() {
    if (Expression* const e = parse_literal(*this)) return postfix(e);
    const Position position = parser_.position();
    if (parser_.accept(TokenKind::left_paren)) return postfix(parse_parenthesis(*this));
    if (parser_.accept(TokenKind::left_bracket)) {
        Expression* const e = make(ExpressionKind::set, position);
        e->set_items = parse_set_items(*this, TokenKind::right_bracket);
        parser_.expect(TokenKind::right_bracket);
        return e;
    }
    if (parser_.accept(TokenKind::mask_begin)) return parse_path_mask(*this);
    if (parser_.at(TokenKind::word)) return postfix(word());
    parser_.fail_unexpected({});
    return literal(Value(), position);
}

/// `.name` or `.name(arguments)`, any number of times. On a route the name is an attribute.
Expression* FilterGrammar::postfix(Expression* object) {
    while (parser_.accept(TokenKind::dot)) {
        const Token name = parser_.expect(TokenKind::word);
        const bool route = object->kind == ExpressionKind::variable &&
                           object->variable->type == filter::Type::route;
        Expression* const e = make(ExpressionKind::method, name.position);
        e->name = syntax_.library().keep(name.text);
        std::vector<Expression*> operands{object};
        if (route) {
            if (const auto field = filter::route_field(name.text)) {
                e->kind = ExpressionKind::field;
                e->field = *field;
            } else if (const auto* attribute = syntax_.attributes().find(name.text)) {
                e->kind = ExpressionKind::attribute;
                e->attribute = attribute;
            }
        } else if (parser_.at(TokenKind::left_paren)) {
            for (Expression* argument : arguments())
                operands.push_back(argument);
        }
        adopt(*e, operands);
        object = e;
    }
    return object;
}

/// `( a, b )`.
std::vector<Expression*> FilterGrammar::arguments() {
    std::vector<Expression*> list;
    parser_.expect(TokenKind::left_paren);
    if (parser_.accept(TokenKind::right_paren)) return list;
    do {
        list.push_back(expression());
    } while (parser_.accept(TokenKind::comma));
    parser_.expect(TokenKind::right_paren);
    return list;
}

Expression* FilterGrammar::call(const filter::Function& function, Position position) {
    Expression* const e = make(ExpressionKind::call, position);
    e->function = &function;
    adopt(*e, arguments());
    return e;
}

Expression* FilterGrammar::named(const Symbol& symbol) {
    const Token token = parser_.take();
    switch (symbol.kind) {
        case SymbolClass::variable: {
            Expression* const e = make(ExpressionKind::variable, token.position);
            e->variable = variables_[symbol.slot];
            return e;
        }
        case SymbolClass::constant:
            if (const attr::Value* value = symbol.as<const attr::Value>()) {
                return literal(*value, token.position);
            }
            break;
        case SymbolClass::function:
            if (const auto* function = symbol.as<const filter::Function>()) {
                return call(*function, token.position);
            }
            break;
        default:
            break;
    }
    parser_.fail(token.position, fmt::format("'{}' is a {}, not a value", symbol.name,
                                             symbol_class_name(symbol.kind)));
    return literal(Value(), token.position);
}

/// A static attribute or an attribute of routes; null if the word is neither, taking nothing.
Expression* FilterGrammar::attribute_name() {
    const Token& token = parser_.peek();
    if (!routes_) return nullptr;
    if (const auto field = filter::route_field(token.text)) {
        Expression* const e = make(ExpressionKind::field, token.position);
        e->field = *field;
        parser_.take();
        return e;
    }
    const attr::AttributeDefinition* const found = syntax_.attributes().find(token.text);
    if (found == nullptr || attr::has(found->traits, attr::AttributeTraits::hidden)) return nullptr;
    if (found->id >= attr::custom_base) {
        // The registry outlives configurations; only this one's declarations count.
        const Symbol* const symbol = parser_.peek_symbol();
        if (symbol == nullptr || symbol->kind != SymbolClass::attribute) return nullptr;
    }
    Expression* const e = make(ExpressionKind::attribute, token.position);
    e->attribute = found;
    parser_.take();
    return e;
}

/// The name of a table of ROAs or ASPAs.
std::string_view FilterGrammar::table_name(bool roa) {
    const Position position = parser_.position();
    const Symbol* const symbol = parser_.expect_symbol(SymbolClass::table);
    if (symbol == nullptr) return {};
    const net::NetType type = symbol->as<TableConfig>()->type;
    const bool fits =
        roa ? type == net::NetType::roa4 || type == net::NetType::roa6 : type == net::NetType::aspa;
    if (!fits) {
        parser_.fail(position,
                     fmt::format("'{}' is not {} table", symbol->name, roa ? "a ROA" : "an ASPA"));
    }
    return syntax_.library().keep(symbol->name);
}

/// Functions of the language; null if the word names none.
Expression* FilterGrammar::builtin() {
    if (parser_.peek(1).kind != TokenKind::left_paren) return nullptr;
    const Token token = parser_.peek();
    for (const BuiltinName& row : builtins) {
        if (token.text != row.name) continue;
        parser_.take();
        Expression* const e = make(ExpressionKind::builtin, token.position);
        e->builtin = row.builtin;
        adopt(*e, arguments());
        if (parser_.ok() && e->operands.size() != row.arguments) {
            parser_.fail(token.position,
                         fmt::format("Function '{}' expects {} arguments, got {} arguments",
                                     row.name, row.arguments, e->operands.size()));
        }
        return e;
    }
    const bool roa = token.text == "roa_check";
    const bool upstream = token.text == "aspa_check_upstream";
    const bool downstream = token.text == "aspa_check_downstream";
    if (!roa && !upstream && !downstream && token.text != "aspa_check") return nullptr;
    parser_.take();
    parser_.take();
    Expression* const e = make(ExpressionKind::builtin, token.position);
    e->builtin = roa ? Builtin::roa_check : Builtin::aspa_check;
    e->name = table_name(roa);
    std::vector<Expression*> operands;
    while (parser_.accept(TokenKind::comma))
        operands.push_back(expression());
    parser_.expect(TokenKind::right_paren);
    if (operands.empty() && (roa || upstream || downstream)) {
        const attr::AttributeDefinition* const path = syntax_.attributes().find("bgp_path");
        if (path == nullptr || !routes_) {
            parser_.fail(token.position, fmt::format("{} needs a route", token.text));
            return e;
        }
        Expression* const bgp_path = make(ExpressionKind::attribute, token.position);
        bgp_path->attribute = path;
        if (roa) {
            Expression* const net = make(ExpressionKind::field, token.position);
            net->field = filter::RouteField::net;
            Expression* const last = make(ExpressionKind::method, token.position);
            last->name = "last";
            adopt(*last, {bgp_path});
            operands = {net, last};
        } else {
            operands = {bgp_path, literal(Value::of_bool(upstream), token.position)};
        }
    } else if (operands.size() != 2) {
        parser_.fail(token.position,
                     fmt::format("Function '{}' expects 3 arguments, got {} arguments", token.text,
                                 operands.size() + 1));
    }
    adopt(*e, operands);
    return e;
}

Expression* FilterGrammar::word() {
    const Symbol* const symbol = parser_.peek_symbol();
    if (symbol != nullptr && symbol->kind == SymbolClass::variable) return named(*symbol);
    if (Expression* const e = attribute_name()) return e;
    if (symbol != nullptr && symbol->kind != SymbolClass::attribute) return named(*symbol);
    if (Expression* const e = builtin()) return e;
    const Token& token = parser_.peek();
    const Position position = token.position;
    if (token.text == "true" || token.text == "false") {
        return literal(Value::of_bool(parser_.take().text == "true"), position);
    }
    if (const auto constant = attr::find_enum_constant(token.text)) {
        parser_.take();
        return literal(Value::of_word(constant->type, constant->value), position);
    }
    const bool other = std::find(std::begin(other_attributes), std::end(other_attributes),
                                 token.text) != std::end(other_attributes);
    if (other && routes_) {
        parser_.fail(position,
                     fmt::format("Attribute '{}' is not available in this build", token.text));
    }
    parser_.fail_unexpected({});
    return literal(Value(), position);
}

}  // namespace tern::config
