#include "router/filter/emitter.h"

#include <algorithm>

/// The half of the emitter that turns statements into jumps.

namespace tern::filter {

using attr::Value;

void Emitter::statement(const Statement& s) {
    switch (s.kind) {
        case StatementKind::block:
            for (const Statement* inner : s.body)
                statement(*inner);
            return;
        case StatementKind::assign:
        case StatementKind::mutate:
            return assign(*s.target, *s.value);
        case StatementKind::declare:
            return declare(s);
        case StatementKind::expression:
            expression(*s.value);
            emit(Opcode::pop, s.position);
            return;
        case StatementKind::if_:
            return if_statement(s);
        case StatementKind::case_:
            return case_statement(s);
        case StatementKind::for_:
            return for_statement(s);
        case StatementKind::return_:
            if (s.value != nullptr) {
                expression(*s.value);
            } else {
                emit(Opcode::push_void, s.position);
            }
            emit(Opcode::return_value, s.position);
            return;
        case StatementKind::unset:
            return unset(*s.target);
        case StatementKind::accept:
            return print(s, Opcode::accept);
        case StatementKind::reject:
            return print(s, Opcode::reject);
        case StatementKind::error:
            return print(s, Opcode::error);
        case StatementKind::print:
            return print(s, Opcode::print);
        case StatementKind::printn:
            return print(s, Opcode::print_part);
        case StatementKind::assert_:
            expression(*s.value);
            emit(Opcode::assert_, s.position, 0, constant(Value::of_string(s.text)));
            return;
    }
}

void Emitter::print(const Statement& s, Opcode op) {
    const bool verdict = op != Opcode::print && op != Opcode::print_part;
    for (const Expression* value : s.values)
        expression(*value);
    if (!verdict || !s.values.empty()) {
        code_.effects.prints = true;
        emit(verdict ? Opcode::print : op, s.position, static_cast<unsigned>(s.values.size()), 0);
    }
    if (verdict) emit(op, s.position);
}

void Emitter::assign(const Expression& target, const Expression& value) {
    expression(value);
    store(target);
}

void Emitter::store(const Expression& target) {
    switch (target.kind) {
        case ExpressionKind::variable:
            emit(Opcode::store, target.position, target.variable->slot, 0);
            return;
        case ExpressionKind::attribute:
            code_.effects.writes = true;
            emit(Opcode::set_attribute, target.position,
                 static_cast<unsigned>(target.attribute->type), target.attribute->id);
            return;
        case ExpressionKind::field:
            code_.effects.writes = true;
            // Setting a gateway asks for the neighbour on the route's present interface.
            code_.effects.reads_route = true;
            emit(Opcode::set_field, target.position, static_cast<unsigned>(target.field), 0);
            return;
        default:
            TERN_ASSERT(false, "the checker lets nothing else be assigned");
    }
}

void Emitter::declare(const Statement& s) {
    if (s.value != nullptr) {
        expression(*s.value);
    } else {
        // Also on the second way through a loop: a fresh variable has no value.
        const Type type = s.variable->type;
        const Value empty = is_empty_by_default(type) ? Value::of_bytes(type, {}) : Value();
        emit(Opcode::push_constant, s.position, 0, constant(empty));
    }
    emit(Opcode::store, s.position, s.variable->slot, 0);
}

void Emitter::if_statement(const Statement& s) {
    expression(*s.value);
    const std::size_t to_else = emit(Opcode::jump_if_false, s.position);
    statement(*s.body[0]);
    if (s.body.size() < 2) return land(to_else);
    const std::size_t to_end = emit(Opcode::jump, s.position);
    land(to_else);
    statement(*s.body[1]);
    land(to_end);
}

void Emitter::case_statement(const Statement& s) {
    const std::size_t number = code_.switches.size();
    code_.switches.emplace_back();
    code_.switches[number].type = s.branch_type;
    expression(*s.value);
    emit(Opcode::switch_on, s.position, 0, number);
    std::vector<std::size_t> ends;
    SwitchTable table{s.branch_type, 0, {}};
    bool otherwise = false;
    for (const CaseBranch& branch : s.branches) {
        const auto target = static_cast<std::uint16_t>(here());
        for (const SetInterval& keys : branch.keys)
            table.ranges.push_back({keys, target});
        if (branch.otherwise) {
            table.otherwise = target;
            otherwise = true;
        }
        statement(*branch.body);
        ends.push_back(emit(Opcode::jump, branch.position));
    }
    if (!otherwise) table.otherwise = static_cast<std::uint16_t>(here());
    for (const std::size_t jump : ends)
        land(jump);
    std::sort(table.ranges.begin(), table.ranges.end(),
              [](const SwitchTable::Range& a, const SwitchTable::Range& b) {
                  return a.keys.low < b.keys.low;
              });
    code_.switches[number] = std::move(table);
}

void Emitter::for_statement(const Statement& s) {
    const unsigned iterator = slots_++;  // each loop has its own, loops may nest
    expression(*s.value);
    emit(Opcode::iterate, s.position, iterator, 0);
    const std::size_t start = here();
    const std::size_t next = emit(Opcode::next, s.position, iterator, 0);
    emit(Opcode::store, s.position, s.variable->slot, 0);
    statement(*s.body[0]);
    emit(Opcode::jump, s.position, 0, start);
    land(next);
}

void Emitter::unset(const Expression& target) {
    code_.effects.writes = true;
    if (target.kind == ExpressionKind::field) {
        emit(Opcode::unset_field, target.position, static_cast<unsigned>(target.field), 0);
    } else {
        emit(Opcode::unset_attribute, target.position, 0, target.attribute->id);
    }
}

}  // namespace tern::filter
