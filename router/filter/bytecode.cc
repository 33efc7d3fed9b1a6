#include "router/filter/bytecode.h"

#include "router/base/hash.h"
#include "router/filter/method.h"
#include "router/filter/value_ops.h"

#include <algorithm>

#include <fmt/format.h>

namespace tern::filter {
namespace {

/// Pairs of functions compared so far; a pair met again is taken as equal, which is what makes
/// recursive functions comparable.
using ComparedPairs = std::vector<std::pair<const FunctionCode*, const FunctionCode*>>;

bool same_code(const FunctionCode& a, const FunctionCode& b) {
    return a.code == b.code && a.switches == b.switches && a.parameters == b.parameters &&
           a.slots == b.slots && a.is_filter == b.is_filter &&
           a.callees.size() == b.callees.size() &&
           std::equal(a.constants.begin(), a.constants.end(), b.constants.begin(),
                      b.constants.end(), same_constant);
}

bool same_reachable(const FunctionCode& a, const FunctionCode& b, ComparedPairs& compared) {
    if (&a == &b) return true;
    const std::pair<const FunctionCode*, const FunctionCode*> pair{&a, &b};
    if (std::find(compared.begin(), compared.end(), pair) != compared.end()) return true;
    compared.push_back(pair);
    if (!same_code(a, b)) return false;
    for (std::size_t i = 0; i < a.callees.size(); ++i) {
        if (!same_reachable(*a.callees[i], *b.callees[i], compared)) return false;
    }
    return true;
}

/// Walks the instructions from each entry with the depth found there.
class StackChecker {
  public:
    explicit StackChecker(const FunctionCode& code)
        : code_(code), depth_(code.code.size(), unseen) {}

    StackCheck run() {
        visit(0, 0);
        while (!pending_.empty() && check_.problem.empty()) {
            const std::size_t at = pending_.back();
            pending_.pop_back();
            step(at);
        }
        check_.ok = check_.problem.empty();
        return check_;
    }

  private:
    static constexpr int unseen = -1;

    void problem(std::size_t at, std::string_view text) {
        if (check_.problem.empty()) check_.problem = fmt::format("instruction {}: {}", at, text);
    }

    void visit(std::size_t at, int depth) {
        if (at >= code_.code.size()) return problem(at, "runs off the end");
        check_.max_depth = std::max(check_.max_depth, static_cast<std::uint16_t>(depth));
        if (depth_[at] == unseen) {
            depth_[at] = depth;
            pending_.push_back(at);
        } else if (depth_[at] != depth) {
            problem(at, "stack depth differs between paths");
        }
    }

    bool operands_fit(const Instruction& i) const {
        switch (info(i.op).operands) {
            case OperandKind::constant:
            case OperandKind::kind_constant:
            case OperandKind::count_constant:
                return i.b < code_.constants.size();
            case OperandKind::slot:
            case OperandKind::slot_jump:
                return i.a < code_.slots;
            case OperandKind::function:
                return i.b < code_.callees.size() && code_.callees[i.b]->parameters == i.a;
            case OperandKind::method:
                return i.b < methods().size() && methods()[i.b].arity() + 1U == i.a;
            case OperandKind::switch_table:
                return i.b < code_.switches.size();
            case OperandKind::none:
            case OperandKind::jump:
            case OperandKind::attribute:
            case OperandKind::field:
            case OperandKind::count:
                return true;
        }
        return false;
    }

    void step(std::size_t at) {
        const Instruction& i = code_.code[at];
        if (!operands_fit(i)) return problem(at, "operand out of range");
        const StackEffect effect = stack_effect(i);
        const int before = depth_[at];
        if (before < effect.pops) return problem(at, "stack underflow");
        const int after = before - effect.pops + effect.pushes;
        switch (i.op) {
            case Opcode::accept:
            case Opcode::reject:
            case Opcode::error:
            case Opcode::no_verdict:
            case Opcode::return_value:
                return;
            case Opcode::jump:
                return visit(i.b, after);
            case Opcode::jump_if_false:
                visit(i.b, after);
                return visit(at + 1, after);
            case Opcode::and_else:
            case Opcode::or_else:  // the jump keeps the value, going on drops it
                visit(i.b, before);
                return visit(at + 1, after);
            case Opcode::next:  // nothing is pushed at the end of the list
                visit(i.b, before);
                return visit(at + 1, after);
            case Opcode::switch_on:
                for (const SwitchTable::Range& r : code_.switches[i.b].ranges)
                    visit(r.target, after);
                return visit(code_.switches[i.b].otherwise, after);
            default:
                return visit(at + 1, after);
        }
    }

    const FunctionCode& code_;
    std::vector<int> depth_;
    std::vector<std::size_t> pending_;
    StackCheck check_;
};

}  // namespace

void Effects::add(const Effects& other) {
    reads_net = reads_net || other.reads_net;
    reads_route = reads_route || other.reads_route;
    writes = writes || other.writes;
    prints = prints || other.prints;
    checks_roa = checks_roa || other.checks_roa;
    checks_aspa = checks_aspa || other.checks_aspa;
}

std::uint32_t FunctionCode::line_of(std::size_t instruction) const {
    const auto after =
        std::upper_bound(lines.begin(), lines.end(), instruction,
                         [](std::size_t at, const Line& line) { return at < line.start; });
    return after == lines.begin() ? 0 : std::prev(after)->line;
}

bool same_program(const FunctionCode& a, const FunctionCode& b) {
    ComparedPairs compared;
    return same_reachable(a, b, compared);
}

std::uint64_t program_hash(const FunctionCode& code) {
    std::uint64_t sum = mix64(code.code.size(), code.callees.size());
    for (const Instruction& i : code.code) {
        const auto op = static_cast<std::uint8_t>(i.op);
        sum = mix64(sum, std::uint64_t{i.b} << 16 | std::uint64_t{i.a} << 8 | op);
    }
    for (const attr::Value& constant : code.constants)
        sum = mix64(sum, hash_constant(constant));
    return sum;
}

StackEffect stack_effect(const Instruction& instruction) {
    const OpcodeInfo& row = info(instruction.op);
    const std::uint16_t pops = row.pops == pops_a ? instruction.a : row.pops;
    return {pops, row.pushes};
}

StackCheck check_stack(const FunctionCode& code) {
    return StackChecker(code).run();
}

}  // namespace tern::filter
