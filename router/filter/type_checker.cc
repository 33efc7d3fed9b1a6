#include "router/filter/type_checker.h"

#include "router/filter/compiler.h"
#include "router/filter/method.h"
#include "router/filter/value_ops.h"

#include <fmt/format.h>

namespace tern::filter {

using attr::Value;

namespace {

bool is_constant(const Expression& e) {
    return e.kind == ExpressionKind::literal;
}

/// The first thing in an expression that has no value before a filter runs, or null.
const Expression* changing_part(const Expression& e) {
    const bool changes = e.kind == ExpressionKind::variable ||
                         e.kind == ExpressionKind::attribute || e.kind == ExpressionKind::field;
    if (changes) return &e;
    for (const Expression* operand : e.operands) {
        if (const Expression* const found = changing_part(*operand)) return found;
    }
    for (const MaskItem& item : e.mask_items) {
        for (const Expression* const bound : {item.low, item.high}) {
            const Expression* const found = bound == nullptr ? nullptr : changing_part(*bound);
            if (found != nullptr) return found;
        }
    }
    return nullptr;
}

bool all_constant(std::span<Expression* const> list) {
    for (const Expression* e : list) {
        if (!is_constant(*e)) return false;
    }
    return true;
}

std::string_view operator_text(Operator op) {
    switch (op) {
        case Operator::add:
            return "+";
        case Operator::subtract:
            return "-";
        case Operator::multiply:
            return "*";
        case Operator::divide:
            return "/";
        case Operator::bit_or:
            return "|";
        case Operator::bit_and:
            return "&";
        case Operator::concatenate:
            return "++";
        case Operator::equal:
            return "=";
        case Operator::not_equal:
            return "!=";
        case Operator::less:
            return "<";
        case Operator::less_equal:
            return "<=";
        case Operator::greater:
            return ">";
        case Operator::greater_equal:
            return ">=";
        case Operator::match:
            return "~";
        case Operator::not_match:
            return "!~";
        case Operator::logical_and:
            return "&&";
        case Operator::logical_or:
            return "||";
        case Operator::logical_not:
            break;
    }
    return "!";
}

void make_literal(Expression& e, const Value& value) {
    e.kind = ExpressionKind::literal;
    e.value = value;
    e.type = value.type();
    e.operands = {};
}

}  // namespace

bool promote(Value& value, Type wanted, Library& library) {
    if (value.is(wanted)) return true;
    if (wanted == Type::quad && value.is(Type::ip) && value.ip().is_v4()) {
        value = Value::of_word(Type::quad, value.ip().v4_value());
        return true;
    }
    const bool empty_set =
        value.is(Type::set) && static_cast<const FilterSet&>(value.set()).empty();
    if (wanted == Type::prefix_set && empty_set) {
        value = Value::of_prefix_set(library.add(net::PrefixSet()));
        return true;
    }
    return false;
}

Result<void> TypeChecker::check(Expression& e) {
    return expression(e);
}

Result<Value> TypeChecker::constant(Expression& e) {
    if (Checked checked = expression(e); !checked) return tl::unexpected(checked.error());
    if (e.kind == ExpressionKind::literal) return e.value;
    if (const Expression* const changing = changing_part(e)) {
        return fail_at(changing->position, "Constant expression expected");
    }
    const Result<const FunctionCode*> code = compile(e, library_);
    if (!code) return tl::unexpected(code.error());
    Result<Value> value = evaluate(**code, library_.arena(), nullptr);
    if (!value) return fail_at(e.position, value.error().text);
    return library_.keep(*value);
}

/// Evaluates an operation on literals now, so that it costs nothing later.
Result<void> TypeChecker::fold(Expression& e) {
    const Type type = e.type;
    const Result<const FunctionCode*> code = compile(e, library_);
    if (!code) return tl::unexpected(code.error());
    const Result<Value> value = evaluate(**code, library_.arena(), nullptr);
    if (!value) {
        return fail_at(e.position, fmt::format("filter preevaluation, line {}: {}", e.position.line,
                                               value.error().text));
    }
    make_literal(e, *value);
    if (value->is_void()) e.type = type;
    return {};
}

Result<void> TypeChecker::expressions(std::span<Expression*> list) {
    for (Expression* e : list) {
        if (Checked checked = expression(*e); !checked) return checked;
    }
    return {};
}

Result<void> TypeChecker::argument(Expression& e,
                                   Type wanted,
                                   unsigned number,
                                   std::string_view what) {
    if (e.type == wanted || e.type == Type::void_) return {};
    if (is_constant(e) && promote(e.value, wanted, library_)) {
        e.type = wanted;
        return {};
    }
    return fail_at(e.position, fmt::format("Argument {} of '{}' must be {}, got {}", number, what,
                                           attr::type_name(wanted), attr::type_name(e.type)));
}

Result<void> TypeChecker::expression(Expression& e) {
    switch (e.kind) {
        case ExpressionKind::literal:
            e.type = e.value.type();
            return {};
        case ExpressionKind::variable:
            e.type = e.variable->type;
            return {};
        case ExpressionKind::attribute:
            e.type = e.attribute->type;
            return expressions(e.operands);
        case ExpressionKind::field:
            e.type = info(e.field).type;
            return expressions(e.operands);
        case ExpressionKind::unary:
            return unary(e);
        case ExpressionKind::binary:
            return binary(e);
        case ExpressionKind::pair:
        case ExpressionKind::community_ec:
        case ExpressionKind::community_lc:
            return constructor(e);
        case ExpressionKind::method:
            return method(e);
        case ExpressionKind::call:
            return call(e);
        case ExpressionKind::builtin:
            return builtin(e);
        case ExpressionKind::set: {
            const Result<Value> value = set_value(e.set_items, e.position);
            if (!value) return tl::unexpected(value.error());
            make_literal(e, *value);
            return {};
        }
        case ExpressionKind::path_mask:
            return path_mask(e);
    }
    return {};
}

Result<void> TypeChecker::unary(Expression& e) {
    e.type = Type::bool_;
    if (Checked checked = boolean(*e.operands[0], "!"); !checked) return checked;
    return is_constant(*e.operands[0]) ? fold(e) : Checked{};
}

Result<void> TypeChecker::boolean(Expression& e, std::string_view what) {
    if (Checked checked = expression(e); !checked) return checked;
    return argument(e, Type::bool_, 1, what);
}

Result<void> TypeChecker::comparison(Expression& e) {
    Expression& a = *e.operands[0];
    Expression& b = *e.operands[1];
    e.type = Type::bool_;
    const bool known = a.type != Type::void_ && b.type != Type::void_;
    if (!known || a.type == b.type) {
        const bool order = e.op == Operator::less || e.op == Operator::less_equal ||
                           e.op == Operator::greater || e.op == Operator::greater_equal;
        if (order && known && !is_ordered(a.type)) {
            return fail_at(e.position, "Can't compare values of incompatible types");
        }
        return {};
    }
    // A literal adapts to the other side; what stays different is unequal.
    if (is_constant(b) && promote(b.value, a.type, library_)) b.type = a.type;
    if (is_constant(a) && promote(a.value, b.type, library_)) a.type = b.type;
    if (e.op == Operator::equal || e.op == Operator::not_equal || a.type == b.type) return {};
    const bool quad_and_ip = (a.type == Type::quad && b.type == Type::ip) ||
                             (a.type == Type::ip && b.type == Type::quad);
    if (quad_and_ip) return {};
    return fail_at(e.position, fmt::format("Arguments 1 and 2 of '{}' must be of the same type",
                                           operator_text(e.op)));
}

Result<void> TypeChecker::binary(Expression& e) {
    if (Checked checked = expressions(e.operands); !checked) return checked;
    Expression& a = *e.operands[0];
    Expression& b = *e.operands[1];
    Type wanted = Type::int_;
    switch (e.op) {
        case Operator::equal:
        case Operator::not_equal:
        case Operator::less:
        case Operator::less_equal:
        case Operator::greater:
        case Operator::greater_equal:
            if (Checked checked = comparison(e); !checked) return checked;
            return all_constant(e.operands) ? fold(e) : Checked{};
        case Operator::match:
        case Operator::not_match:
            e.type = Type::bool_;
            return all_constant(e.operands) ? fold(e) : Checked{};
        case Operator::logical_and:
        case Operator::logical_or:
            wanted = Type::bool_;
            break;
        case Operator::concatenate:
            wanted = a.type == Type::bytestring ? Type::bytestring : Type::string;
            break;
        default:
            break;
    }
    e.type = wanted;
    if (Checked checked = argument(a, wanted, 1, operator_text(e.op)); !checked) return checked;
    if (Checked checked = argument(b, wanted, 2, operator_text(e.op)); !checked) return checked;
    return all_constant(e.operands) ? fold(e) : Checked{};
}

Result<void> TypeChecker::constructor(Expression& e) {
    if (Checked checked = expressions(e.operands); !checked) return checked;
    e.type = e.kind == ExpressionKind::pair           ? Type::pair
             : e.kind == ExpressionKind::community_ec ? Type::ec
                                                      : Type::lc;
    return all_constant(e.operands) ? fold(e) : Checked{};
}

Result<void> TypeChecker::method(Expression& e) {
    if (Checked checked = expressions(e.operands); !checked) return checked;
    const Type object = e.operands[0]->type;
    if (object == Type::void_) {
        return fail_at(e.position,
                       "Can't infer type to properly call a method, please assign the value to a "
                       "variable");
    }
    e.method = find_method(object, e.name);
    if (e.method == nullptr) {
        return fail_at(e.position, fmt::format("Method '{}' not found for type {}", e.name,
                                               attr::type_name(object)));
    }
    const std::size_t got = e.operands.size() - 1;
    if (got != e.method->arity()) {
        return fail_at(e.position, fmt::format("Method '{}' expects {} arguments, got {} arguments",
                                               e.name, e.method->arity(), got));
    }
    e.type = e.method->result;
    if (got == 1) {
        const Type type = e.operands[1]->type;
        if (type != Type::void_ && !e.method->accepts_type(type)) {
            return fail_at(
                e.operands[1]->position,
                fmt::format("Argument 1 of '{}' must be {}, got {}", e.name,
                            attr::type_name(e.method->accepts[0]), attr::type_name(type)));
        }
        const bool list = object == Type::community_list;
        if (list && type == Type::ip) {
            warnings_.push_back({e.position, fmt::format("{}(clist, ip) is deprecated, please use "
                                                         "pair or quad instead",
                                                         e.name)});
        }
    }
    return all_constant(e.operands) ? fold(e) : Checked{};
}

Result<void> TypeChecker::call(Expression& e) {
    const Function& callee = *e.function;
    if (e.operands.size() != callee.parameters.size()) {
        return fail_at(e.position,
                       fmt::format("Function '{}' expects {} arguments, got {} arguments",
                                   callee.name, callee.parameters.size(), e.operands.size()));
    }
    for (std::size_t i = 0; i < e.operands.size(); ++i) {
        Expression& given = *e.operands[i];
        if (Checked checked = expression(given); !checked) return checked;
        const Type wanted = callee.parameters[i]->type;
        if (given.type == Type::void_ || given.type == wanted) continue;
        if (is_constant(given) && promote(given.value, wanted, library_)) {
            given.type = wanted;
            continue;
        }
        return fail_at(given.position,
                       fmt::format("Argument {} of '{}' must be {}, got {}", i + 1, callee.name,
                                   attr::type_name(wanted), attr::type_name(given.type)));
    }
    e.type = callee.result;
    return {};
}

Result<void> TypeChecker::builtin(Expression& e) {
    constexpr std::string_view method_names[] = {"prepend", "append", "add", "delete", "filter"};
    if (e.builtin >= Builtin::prepend) {
        e.name = method_names[static_cast<int>(e.builtin) - static_cast<int>(Builtin::prepend)];
        e.kind = ExpressionKind::method;
        return method(e);
    }
    if (Checked checked = expressions(e.operands); !checked) return checked;
    switch (e.builtin) {
        case Builtin::format:
            e.type = Type::string;
            break;
        case Builtin::from_hex:
            e.type = Type::bytestring;
            if (Checked c = argument(*e.operands[0], Type::string, 1, "from_hex"); !c) return c;
            break;
        case Builtin::roa_check:
            e.type = Type::enum_roa;
            if (Checked c = argument(*e.operands[0], Type::prefix, 1, "roa_check"); !c) return c;
            return argument(*e.operands[1], Type::int_, 2, "roa_check");
        case Builtin::aspa_check:
            e.type = Type::enum_aspa;
            if (Checked c = argument(*e.operands[0], Type::as_path, 1, "aspa_check"); !c) return c;
            return argument(*e.operands[1], Type::bool_, 2, "aspa_check");
        default:
            e.type = Type::bool_;
            break;
    }
    return all_constant(e.operands) ? fold(e) : Checked{};
}

}  // namespace tern::filter
