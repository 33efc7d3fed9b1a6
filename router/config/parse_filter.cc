#include "router/config/parse_filter.h"

#include "router/config/config.h"
#include "router/config/parse_filter_grammar.h"
#include "router/filter/compiler.h"
#include "router/filter/type_checker.h"

#include <fmt/format.h>

namespace tern::config {

using attr::Value;
using filter::Expression;
using filter::Filter;
using filter::Function;
using filter::Statement;
using filter::StatementKind;

namespace {

void pass_warnings(Parser& parser, const filter::TypeChecker& checker) {
    for (const filter::Warning& warning : checker.warnings()) {
        parser.warn(warning.position, warning.text);
    }
}

/// Checks and compiles; false with the parser failed.
bool build(Parser& parser, FilterSyntax& syntax, Function& function) {
    if (!parser.ok()) return false;
    filter::TypeChecker checker(syntax.library());
    const Result<void> checked = checker.check(function);
    pass_warnings(parser, checker);
    if (!checked) {
        parser.fail(checked.error().position, checked.error().text);
        return false;
    }
    const auto code = filter::compile(function, syntax.library());
    if (!code) parser.fail(code.error().position, code.error().text);
    return code.has_value();
}

/// The value of an expression, void with the parser failed.
Value constant_value(Parser& parser, FilterSyntax& syntax, Expression& expression) {
    if (!parser.ok()) return {};
    filter::TypeChecker checker(syntax.library());
    const Result<Value> value = checker.constant(expression);
    pass_warnings(parser, checker);
    if (value) return *value;
    parser.fail(value.error().position, value.error().text);
    return {};
}

/// Locals in front of the brace and the body, in one scope.
Statement* body_with_locals(FilterGrammar& grammar) {
    std::vector<Statement*> list = grammar.locals();
    list.push_back(grammar.block());
    return grammar.sequence(list);
}

}  // namespace

const Filter* FilterSyntax::finish_filter(Parser& parser, Function& function) {
    function.is_filter = true;
    if (!build(parser, *this, function)) return nullptr;
    return &library_.add_filter(*function.code);
}

void FilterSyntax::list_words(std::vector<std::string_view>& words) const {
    for (const attr::AttributeDefinition* each : attributes_.all())
        words.emplace_back(each->name);
}

void FilterSyntax::parse_define(Parser& parser) {
    Symbol* const symbol = parser.define_symbol(SymbolClass::constant);
    parser.expect(TokenKind::assign);
    FilterGrammar grammar(parser, *this, false);
    Expression* const expression = grammar.expression();
    const Value value = constant_value(parser, *this, *expression);
    if (symbol == nullptr || !parser.ok()) return;
    symbol->target = &std::as_const(constants_.emplace_back(value));
}

void FilterSyntax::parse_attribute(Parser& parser) {
    FilterGrammar grammar(parser, *this, false);
    const bool bgp = parser.accept("bgp");
    const std::uint32_t code = bgp ? parser.number_in({1, 255, "Invalid attribute number"}) : 0;
    const filter::Type type = grammar.type();
    if (!parser.ok()) return;
    const Position position = parser.position();
    Symbol* const symbol = parser.define_symbol(SymbolClass::attribute);
    if (symbol == nullptr) return;
    const Result<attr::AttributeId> id =
        bgp ? attributes_.add_alias(symbol->name,
                                    static_cast<attr::AttributeId>(attr::bgp_base + code), type)
            : attributes_.add_custom(symbol->name, type);
    if (!id) {
        parser.fail(position, id.error().text);
        return;
    }
    symbol->slot = *id;
    symbol->type = static_cast<std::uint32_t>(type);
}

Function& FilterSyntax::make_function(std::string_view name, Position position) {
    Function& function = arena_.make<Function>();
    function.name = library_.keep(name);
    function.position = position;
    return function;
}

void FilterSyntax::parse_filter(Parser& parser) {
    const Position position = parser.position();
    Symbol* const symbol = parser.define_symbol(SymbolClass::filter);
    if (symbol == nullptr) return;
    Function& function = make_function(symbol->name, position);
    FilterGrammar grammar(parser, *this, true);
    {
        const ScopeEntry scope(parser);
        function.body = body_with_locals(grammar);
    }
    function.slots = grammar.slots();
    if (const Filter* const made = finish_filter(parser, function)) symbol->target = made;
}

void FilterSyntax::parse_function(Parser& parser) {
    const Position position = parser.position();
    Symbol* const symbol = parser.define_symbol(SymbolClass::function);
    if (symbol == nullptr) return;
    Function& function = make_function(symbol->name, position);
    FilterGrammar grammar(parser, *this, true);
    {
        const ScopeEntry scope(parser);
        function.parameters = grammar.keep_all(grammar.parameters());
        if (parser.accept(TokenKind::arrow)) {
            function.result = grammar.type();
            function.result_declared = true;
        }
        // Known from here on, so that the body can call itself.
        filter::declare(function, library_);
        symbol->target = &std::as_const(function);
        function.body = body_with_locals(grammar);
    }
    function.slots = grammar.slots();
    (void)build(parser, *this, function);
}

Value FilterSyntax::evaluate(Parser& parser, filter::Environment* environment) {
    FilterGrammar grammar(parser, *this, true);
    Expression* const expression = grammar.expression();
    if (!parser.ok()) return {};
    filter::TypeChecker checker(library_);
    const Result<void> checked = checker.check(*expression);
    if (!checked) {
        parser.fail(checked.error().position, checked.error().text);
        return {};
    }
    if (expression->kind == filter::ExpressionKind::literal) return expression->value;
    const auto code = filter::compile(*expression, library_);
    if (!code) {
        parser.fail(code.error().position, code.error().text);
        return {};
    }
    const Result<Value> value = filter::evaluate(**code, arena_, environment);
    if (value) return library_.keep(*value);
    parser.fail(expression->position, value.error().text);
    return {};
}

void FilterSyntax::parse_eval(Parser& parser) {
    (void)evaluate(parser, nullptr);
}

void FilterSyntax::parse_test(Parser& parser) {
    parser.expect(TokenKind::left_paren);
    FilterTest test;
    const auto function = [&parser]() -> const filter::FunctionCode* {
        const Symbol* const symbol = parser.peek_symbol();
        if (symbol != nullptr && symbol->kind == SymbolClass::filter) {
            parser.take();
            return symbol->as<const Filter>()->code();
        }
        const Symbol* const named = parser.expect_symbol(SymbolClass::function);
        if (named == nullptr) return nullptr;
        return named->as<const Function>()->code;
    };
    test.first = function();
    parser.expect(TokenKind::comma);
    if (parser.at(TokenKind::string)) {
        test.text = parser.text();
    } else {
        test.second = function();
        parser.expect(TokenKind::comma);
        test.expect_same = parser.number() != 0;
    }
    parser.expect(TokenKind::right_paren);
    if (parser.ok()) tests_.push_back(std::move(test));
}

const Filter* FilterSyntax::parse_filter_use(Parser& parser) {
    const Position position = parser.position();
    const bool where = parser.accept("where");
    if (!where) {
        parser.expect("filter");
        const Symbol* const symbol = parser.peek_symbol();
        if (symbol != nullptr && symbol->kind == SymbolClass::filter) {
            parser.take();
            return symbol->as<const Filter>();
        }
    }
    Function& function = arena_.make<Function>();
    function.position = position;
    FilterGrammar grammar(parser, *this, true);
    {
        const ScopeEntry scope(parser);
        if (where) {
            Statement* const choice = grammar.make(StatementKind::if_, position);
            choice->value = grammar.expression();
            choice->body = grammar.keep_all(
                std::vector<Statement*>{grammar.make(StatementKind::accept, position),
                                        grammar.make(StatementKind::reject, position)});
            function.body = choice;
        } else {
            function.body = body_with_locals(grammar);
        }
    }
    function.slots = grammar.slots();
    return finish_filter(parser, function);
}

/// Hundreds of thousands of routes often have one of a few blocks: a block that is known already
/// leaves nothing behind.
const Filter* FilterSyntax::parse_route_block(Parser& parser) {
    const alloc::Arena::Mark memory = arena_.mark();
    const filter::Library::Mark content = library_.mark();
    const Filter* const made = make_route_block(parser);
    if (made == nullptr) return nullptr;
    const auto [known, fresh] = route_blocks_.try_emplace(made->hash(), made);
    if (fresh || !known->second->same_as(*made)) return made;
    library_.rewind(content);
    arena_.rewind(memory);
    return known->second;
}

const Filter* FilterSyntax::make_route_block(Parser& parser) {
    Function& function = arena_.make<Function>();
    function.position = parser.position();
    FilterGrammar grammar(parser, *this, true);
    function.body =
        grammar.sequence({grammar.block(), grammar.make(StatementKind::accept, function.position)});
    function.slots = grammar.slots();
    return finish_filter(parser, function);
}

Value FilterSyntax::parse_constant(Parser& parser) {
    FilterGrammar grammar(parser, *this, false);
    Expression* const expression = grammar.term();
    return constant_value(parser, *this, *expression);
}

void FilterSyntax::set_stacks(std::uint32_t values, std::uint32_t calls) {
    library_.set_limits({values, calls});
    route_blocks_.clear();  // those have other limits
}

const Filter* FilterSyntax::accept_all() {
    return &Filter::accept_everything();
}

const Filter* FilterSyntax::reject_all() {
    return &Filter::reject_everything();
}

bool FilterSyntax::same(const Filter& a, const Filter& b) {
    return a.same_as(b);
}

std::unique_ptr<FilterLanguage> make_filter_language(void* context) {
    return std::make_unique<FilterSyntax>(*static_cast<attr::AttributeRegistry*>(context));
}

}  // namespace tern::config
