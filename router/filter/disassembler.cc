#include "router/filter/disassembler.h"

#include "router/filter/method.h"
#include "router/filter/route_field.h"

#include <fmt/format.h>

namespace tern::filter {
namespace {

std::string operands_text(const FunctionCode& code, const Instruction& i) {
    const auto constant = [&code, &i] { return attr::to_text(code.constants[i.b]); };
    switch (info(i.op).operands) {
        case OperandKind::none:
            return {};
        case OperandKind::constant:
            return constant();
        case OperandKind::slot:
            return fmt::format("v{}", i.a);
        case OperandKind::slot_jump:
            return fmt::format("v{} else {}", i.a, i.b);
        case OperandKind::jump:
            return fmt::format("{}", i.b);
        case OperandKind::attribute:
            return fmt::format("{:#x} {}", i.b, attr::type_name(static_cast<attr::ValueType>(i.a)));
        case OperandKind::field:
            return std::string(info(static_cast<RouteField>(i.a)).name);
        case OperandKind::kind_constant:
        case OperandKind::count_constant:
            return fmt::format("{} {}", i.a, constant());
        case OperandKind::count:
            return fmt::format("{}", i.a);
        case OperandKind::function:
            return fmt::format("{}", code.callees[i.b]->name);
        case OperandKind::method:
            return fmt::format("{}.{}", attr::type_name(methods()[i.b].object),
                               methods()[i.b].name);
        case OperandKind::switch_table: {
            std::string text;
            for (const SwitchTable::Range& r : code.switches[i.b].ranges) {
                fmt::format_to(std::back_inserter(text), "{:x}..{:x}->{} ", r.keys.low.low,
                               r.keys.high.low, r.target);
            }
            return text + fmt::format("else->{}", code.switches[i.b].otherwise);
        }
    }
    return {};
}

}  // namespace

std::string disassemble(const FunctionCode& code) {
    std::string out;
    std::uint32_t line = 0;
    for (std::size_t at = 0; at < code.code.size(); ++at) {
        const std::uint32_t here = code.line_of(at);
        const std::string mark = here == line ? std::string() : fmt::format("line {}", here);
        line = here;
        std::string text =
            fmt::format("{:>4} {:<9} {:<16} {}", at, mark, info(code.code[at].op).name,
                        operands_text(code, code.code[at]));
        while (text.ends_with(' '))
            text.pop_back();
        out += text;
        out += '\n';
    }
    return out;
}

}  // namespace tern::filter
