#include "router/filter/vm.h"

#include "router/filter/filter_set.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace tern::filter {
namespace {

using Handler = bool (*)(Machine&, Instruction);

#define TERN_OPCODE_ENTRY(name, operands, pops, pushes, text) ops::name,
constexpr auto handlers = std::to_array<Handler>({TERN_FILTER_OPCODES(TERN_OPCODE_ENTRY)});
#undef TERN_OPCODE_ENTRY

}  // namespace

Verdict Machine::run(const FunctionCode& start) {
    if (start.slots + start.max_depth > static_cast<std::size_t>(limit_ - top)) {
        code = &start;
        pc = start.code.data() + 1;
        (void)fail("Filter execution stack overflow");
        return verdict_;
    }
    code = &start;
    base = top;
    for (unsigned i = 0; i < start.slots; ++i)
        push(attr::Value());
    pc = start.code.data();
    bool going = true;
    while (going) {
        const Instruction instruction = *pc++;
        going = handlers[static_cast<std::size_t>(instruction.op)](*this, instruction);
    }
    return verdict_;
}

bool Machine::enter(const FunctionCode& callee) {
    if (depth_ + 1 >= calls_max_) return fail("Filter execution stack overflow");
    attr::Value* const new_base = top - callee.parameters;
    if (callee.slots + callee.max_depth > static_cast<std::size_t>(limit_ - new_base)) {
        return fail("Value stack overflow");
    }
    if (depth_ == near_frames && frames_ == near_) {
        frames_ = arena.make_array<Frame>(calls_max_).data();
        std::copy(near_, near_ + near_frames, frames_);
    }
    frames_[depth_++] = {code, pc, static_cast<std::uint32_t>(new_base - base)};
    for (unsigned i = callee.parameters; i < callee.slots; ++i)
        push(attr::Value());
    base = new_base;
    code = &callee;
    pc = callee.code.data();
    return true;
}

bool Machine::leave(const attr::Value& value) {
    if (depth_ == 0) {
        result = value;
        return stop(Verdict::accept);
    }
    const Frame& frame = frames_[--depth_];
    const attr::Value copy = value;  // it may lie where it goes
    top = base;
    push(copy);
    base -= frame.base;
    code = frame.code;
    pc = frame.pc;
    return true;
}

namespace ops {

bool push_constant(Machine& m, Instruction i) {
    m.push(m.code->constants[i.b]);
    return true;
}

bool push_void(Machine& m, Instruction) {
    m.push(attr::Value());
    return true;
}

bool load(Machine& m, Instruction i) {
    m.push(m.slot(i.a));
    return true;
}

bool store(Machine& m, Instruction i) {
    m.slot(i.a) = *--m.top;
    return true;
}

bool pop(Machine& m, Instruction) {
    --m.top;
    return true;
}

bool jump(Machine& m, Instruction i) {
    m.jump(i.b);
    return true;
}

bool jump_if_false(Machine& m, Instruction i) {
    const attr::Value& condition = *--m.top;
    if (!condition.is(attr::ValueType::bool_)) {
        return m.fail(fmt::format("Argument 1 of 'if' must be bool, got {}",
                                  attr::type_name(condition.type())));
    }
    if (!condition.as_bool()) m.jump(i.b);
    return true;
}

namespace {

bool short_circuit(Machine& m, Instruction i, bool jump_on) {
    const attr::Value& left = m.top[-1];
    if (!left.is(attr::ValueType::bool_)) {
        return m.fail(fmt::format("Argument 1 of '{}' must be bool, got {}", jump_on ? "||" : "&&",
                                  attr::type_name(left.type())));
    }
    if (left.as_bool() == jump_on) {
        m.jump(i.b);
    } else {
        --m.top;
    }
    return true;
}

}  // namespace

bool and_else(Machine& m, Instruction i) {
    return short_circuit(m, i, false);
}

bool or_else(Machine& m, Instruction i) {
    return short_circuit(m, i, true);
}

bool check_bool(Machine& m, Instruction) {
    if (m.top[-1].is(attr::ValueType::bool_)) return true;
    return m.fail(
        fmt::format("Argument 2 of '&&' must be bool, got {}", attr::type_name(m.top[-1].type())));
}

bool call(Machine& m, Instruction i) {
    return m.enter(*m.code->callees[i.b]);
}

bool return_value(Machine& m, Instruction) {
    return m.leave(m.top[-1]);
}

bool switch_on(Machine& m, Instruction i) {
    const SwitchTable& table = m.code->switches[i.b];
    attr::Value value = *--m.top;
    if (value.is(attr::ValueType::ip) && table.type == attr::ValueType::quad &&
        value.ip().is_v4()) {
        value = attr::Value::of_word(attr::ValueType::quad, value.ip().v4_value());
    }
    const std::optional<SetKey> key = set_key(value);
    m.jump(table.otherwise);
    if (!key || value.type() != table.type) return true;
    const auto after =
        std::upper_bound(table.ranges.begin(), table.ranges.end(), *key,
                         [](SetKey k, const SwitchTable::Range& r) { return k < r.keys.low; });
    if (after != table.ranges.begin() && *key <= std::prev(after)->keys.high) {
        m.jump(std::prev(after)->target);
    }
    return true;
}

namespace {

bool print_values(Machine& m, Instruction i, bool complete) {
    std::string text;
    m.top -= i.a;
    for (unsigned k = 0; k < i.a; ++k)
        attr::append_text(text, m.top[k]);
    if (m.environment != nullptr) m.environment->print(text, complete);
    return true;
}

}  // namespace

bool print(Machine& m, Instruction i) {
    return print_values(m, i, true);
}

bool print_part(Machine& m, Instruction i) {
    return print_values(m, i, false);
}

bool assert_(Machine& m, Instruction i) {
    const attr::Value& value = *--m.top;
    const bool holds = value.is(attr::ValueType::bool_) && value.as_bool();
    if (!holds && m.environment != nullptr) {
        m.environment->assertion_failed(m.code->constants[i.b].string(), m.line());
    }
    return true;
}

bool accept(Machine& m, Instruction) {
    return m.stop(Verdict::accept);
}

bool reject(Machine& m, Instruction) {
    return m.stop(Verdict::reject);
}

bool error(Machine& m, Instruction) {
    return m.stop(Verdict::error);
}

bool no_verdict(Machine& m, Instruction) {
    return m.fail(
        fmt::format("Filter {} did not return accept nor reject. Make up your mind", m.code->name));
}

}  // namespace ops
}  // namespace tern::filter
