#include "router/filter/emitter.h"

#include "router/filter/disassembler.h"
#include "router/filter/method.h"
#include "router/filter/value_ops.h"
#include "router/net/trie.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::filter {

using attr::Value;
using attr::ValueType;

namespace {

Opcode opcode_of(Operator op) {
    switch (op) {
        case Operator::add:
            return Opcode::add;
        case Operator::subtract:
            return Opcode::subtract;
        case Operator::multiply:
            return Opcode::multiply;
        case Operator::divide:
            return Opcode::divide;
        case Operator::bit_or:
            return Opcode::bit_or;
        case Operator::bit_and:
            return Opcode::bit_and;
        case Operator::concatenate:
            return Opcode::concatenate;
        case Operator::equal:
            return Opcode::equal;
        case Operator::not_equal:
            return Opcode::not_equal;
        case Operator::less:
            return Opcode::less;
        case Operator::less_equal:
            return Opcode::less_equal;
        case Operator::greater:
            return Opcode::greater;
        case Operator::greater_equal:
            return Opcode::greater_equal;
        case Operator::match:
            return Opcode::match;
        case Operator::not_match:
            return Opcode::not_match;
        case Operator::logical_and:
            return Opcode::and_else;
        case Operator::logical_or:
            return Opcode::or_else;
        case Operator::logical_not:
            break;
    }
    return Opcode::logical_not;
}

void add_names(std::vector<std::string_view>& to, const std::vector<std::string_view>& names) {
    for (const std::string_view name : names) {
        if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
    }
}

}  // namespace

std::size_t Emitter::emit(Opcode op, Position position, unsigned a, std::size_t b) {
    too_large_ = too_large_ || here() >= UINT16_MAX || a > UINT8_MAX || b > UINT16_MAX;
    if (!too_large_) {
        if (position.line != 0 &&
            (code_.lines.empty() || code_.lines.back().line != position.line)) {
            code_.lines.push_back({static_cast<std::uint16_t>(here()), position.line});
        }
        code_.code.push_back({op, static_cast<std::uint8_t>(a), static_cast<std::uint16_t>(b)});
    }
    return code_.code.size() - 1;
}

std::size_t Emitter::constant(const Value& value) {
    for (std::size_t i = 0; i < code_.constants.size(); ++i) {
        // Sets are compared by address here: deep comparison would be quadratic in their size.
        const Value& have = code_.constants[i];
        const bool object = have.is(ValueType::set) || have.is(ValueType::prefix_set);
        if (!object && same_constant(have, value)) return i;
    }
    code_.constants.push_back(library_.keep(value));
    return code_.constants.size() - 1;
}

void Emitter::land(std::size_t jump) {
    if (!too_large_) code_.code[jump].b = static_cast<std::uint16_t>(here());
}

Result<const FunctionCode*> Emitter::finish(Position position) {
    code_.slots = slots_;
    if (too_large_) return fail_at(position, "Filter or function is too long");
    const StackCheck check = check_stack(code_);
    TERN_ASSERT(
        check.ok, "bad code for ", code_.name, ": ", check.problem, "\n", disassemble(code_));
    code_.max_depth = check.max_depth;
    return &code_;
}

void Emitter::expression(const Expression& e) {
    switch (e.kind) {
        case ExpressionKind::literal:
        case ExpressionKind::set:  // a literal since the checker saw it
            emit(Opcode::push_constant, e.position, 0, constant(e.value));
            return;
        case ExpressionKind::variable:
            emit(Opcode::load, e.position, e.variable->slot, 0);
            return;
        case ExpressionKind::attribute:
            return attribute(e);
        case ExpressionKind::field:
            return field(e);
        case ExpressionKind::unary:
            return unary(e);
        case ExpressionKind::binary:
            return binary(e);
        case ExpressionKind::pair:
        case ExpressionKind::community_lc:
            for (const Expression* operand : e.operands)
                expression(*operand);
            emit(e.kind == ExpressionKind::pair ? Opcode::make_pair : Opcode::make_lc, e.position);
            return;
        case ExpressionKind::community_ec:
            for (const Expression* operand : e.operands)
                expression(*operand);
            emit(Opcode::make_ec, e.position, static_cast<unsigned>(e.ec_kind),
                 constant(Value::of_int(e.ec_unknown)));
            return;
        case ExpressionKind::method:
            return method(e);
        case ExpressionKind::call:
            return call(e);
        case ExpressionKind::builtin:
            return builtin(e);
        case ExpressionKind::path_mask:
            return path_mask(e);
    }
}

void Emitter::attribute(const Expression& e) {
    const auto type = static_cast<unsigned>(e.attribute->type);
    if (e.operands.empty()) {
        emit(Opcode::get_attribute, e.position, type, e.attribute->id);
        return;
    }
    expression(*e.operands[0]);
    code_.effects.reads_net = true;  // another route: nothing is known about it
    emit(Opcode::get_attribute_of, e.position, type, e.attribute->id);
}

void Emitter::field(const Expression& e) {
    const auto number = static_cast<unsigned>(e.field);
    if (!e.operands.empty()) {
        expression(*e.operands[0]);
        code_.effects.reads_net = true;
        emit(Opcode::get_field_of, e.position, number, 0);
        return;
    }
    (e.field == RouteField::net ? code_.effects.reads_net : code_.effects.reads_route) = true;
    emit(Opcode::get_field, e.position, number, 0);
}

void Emitter::unary(const Expression& e) {
    expression(*e.operands[0]);
    emit(Opcode::logical_not, e.position);
}

void Emitter::logical(const Expression& e) {
    expression(*e.operands[0]);
    const std::size_t jump = emit(opcode_of(e.op), e.position);
    expression(*e.operands[1]);
    if (e.operands[1]->type != Type::bool_) emit(Opcode::check_bool, e.position);
    land(jump);
}

bool Emitter::match_shortcut(const Expression& e) {
    const Expression& left = *e.operands[0];
    const Expression& right = *e.operands[1];
    const bool literal = right.kind == ExpressionKind::literal;
    if (!literal || (e.op != Operator::match && e.op != Operator::not_match)) return false;
    const bool net = left.kind == ExpressionKind::field && left.field == RouteField::net &&
                     left.operands.empty();
    if (net && right.value.is(ValueType::prefix_set)) {
        code_.effects.reads_net = true;
        emit(Opcode::net_in_constant, e.position, 0, constant(right.value));
    } else {
        expression(left);
        emit(Opcode::match_constant, e.position, 0, constant(right.value));
    }
    if (e.op == Operator::not_match) emit(Opcode::logical_not, e.position);
    return true;
}

void Emitter::binary(const Expression& e) {
    if (e.op == Operator::logical_and || e.op == Operator::logical_or) return logical(e);
    if (match_shortcut(e)) return;
    expression(*e.operands[0]);
    expression(*e.operands[1]);
    emit(opcode_of(e.op), e.position);
}

void Emitter::method(const Expression& e) {
    const Expression& object = *e.operands[0];
    if (e.method->name == "len" && object.kind == ExpressionKind::attribute &&
        object.operands.empty() && object.type == Type::as_path) {
        emit(Opcode::path_length, e.position, static_cast<unsigned>(Type::as_path),
             object.attribute->id);
        return;
    }
    for (const Expression* operand : e.operands)
        expression(*operand);
    emit(Opcode::method, e.position, static_cast<unsigned>(e.operands.size()),
         static_cast<std::size_t>(e.method - methods().data()));
}

void Emitter::call(const Expression& e) {
    for (const Expression* operand : e.operands)
        expression(*operand);
    const FunctionCode* const callee = e.function->code;
    auto found = std::find(code_.callees.begin(), code_.callees.end(), callee);
    if (found == code_.callees.end()) {
        code_.callees.push_back(callee);
        found = code_.callees.end() - 1;
        code_.effects.add(callee->effects);
        add_names(code_.roa_tables, callee->roa_tables);
        add_names(code_.aspa_tables, callee->aspa_tables);
    }
    emit(Opcode::call, e.position, static_cast<unsigned>(e.operands.size()),
         static_cast<std::size_t>(found - code_.callees.begin()));
}

void Emitter::builtin(const Expression& e) {
    const bool plain_attribute = e.builtin == Builtin::defined &&
                                 e.operands[0]->kind == ExpressionKind::attribute &&
                                 e.operands[0]->operands.empty();
    if (plain_attribute) {
        const attr::AttributeDefinition& attribute = *e.operands[0]->attribute;
        emit(Opcode::attribute_defined, e.position, static_cast<unsigned>(attribute.type),
             attribute.id);
        return;
    }
    for (const Expression* operand : e.operands)
        expression(*operand);
    switch (e.builtin) {
        case Builtin::defined:
            emit(Opcode::defined, e.position);
            return;
        case Builtin::format:
            emit(Opcode::format, e.position);
            return;
        case Builtin::from_hex:
            emit(Opcode::from_hex, e.position);
            return;
        case Builtin::roa_check:
            code_.effects.checks_roa = true;
            add_names(code_.roa_tables, {library_.keep(e.name)});
            emit(Opcode::roa_check, e.position, 0, constant(Value::of_string(e.name)));
            return;
        case Builtin::aspa_check:
            code_.effects.checks_aspa = true;
            add_names(code_.aspa_tables, {library_.keep(e.name)});
            emit(Opcode::aspa_check, e.position, 0, constant(Value::of_string(e.name)));
            return;
        case Builtin::prepend:  // methods by now
        case Builtin::append:
        case Builtin::add:
        case Builtin::delete_:
        case Builtin::filter:
            break;
    }
    TERN_ASSERT(false, "functional form left by the checker");
}

void Emitter::path_mask(const Expression& e) {
    unsigned holes = 0;
    for (const MaskItem& item : e.mask_items) {
        const auto literal = [](const Expression* part) {
            return part == nullptr || part->kind == ExpressionKind::literal;
        };
        if (literal(item.low) && literal(item.high)) continue;
        for (const Expression* part : {item.low, item.high}) {
            if (part == nullptr) continue;
            expression(*part);
            ++holes;
        }
    }
    emit(Opcode::make_mask, e.position, holes, constant(e.value));
}

}  // namespace tern::filter
