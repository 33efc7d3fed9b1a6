#pragma once

/// Compiled functions: instructions, constants, jump tables, a line map, and what they depend on.
/// A FunctionCode is immutable once compiled and belongs to the Library of one configuration; any
/// domain may run it. Two programs are compared by structure, so that a reconfiguration which
/// leaves a filter as it was reloads nothing; lines and names do not count in that.

#include "router/attr/value.h"
#include "router/filter/opcodes.h"
#include "router/filter/sets.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tern::filter {

struct Instruction {
    Opcode op;
    std::uint8_t a = 0;
    std::uint16_t b = 0;

    friend bool operator==(const Instruction&, const Instruction&) = default;
};

static_assert(sizeof(Instruction) == 4);

/// Where `case` goes: sorted, disjoint intervals of one element type.
struct SwitchTable {
    struct Range {
        SetInterval keys;
        std::uint16_t target;

        friend bool operator==(const Range&, const Range&) = default;
    };

    attr::ValueType type = attr::ValueType::int_;
    std::uint16_t otherwise = 0;
    std::vector<Range> ranges;

    friend bool operator==(const SwitchTable&, const SwitchTable&) = default;
};

/// What running the code can read and do, callees included. Decides how often callers must run it.
struct Effects {
    bool reads_net = false;    ///< the prefix, or anything that differs between prefixes
    bool reads_route = false;  ///< source protocol, preference, next hop: the route's own facts
    bool writes = false;       ///< changes attributes or static attributes
    bool prints = false;       ///< leaves traces in the log, so each run counts
    bool checks_roa = false;   ///< results change when ROA tables do
    bool checks_aspa = false;

    void add(const Effects& other);
};

struct FunctionCode {
    struct Line {
        std::uint16_t start;  // first instruction of the line
        std::uint32_t line;
    };

    std::string name;
    std::vector<Instruction> code;
    std::vector<attr::Value> constants;
    std::vector<const FunctionCode*> callees;
    std::vector<SwitchTable> switches;
    std::vector<Line> lines;
    std::uint16_t parameters = 0;
    std::uint16_t slots = 0;      ///< frame size, parameters included
    std::uint16_t max_depth = 0;  ///< values above the frame at most; the VM reserves them on entry
    bool is_filter = false;
    Effects effects;
    std::vector<std::string_view> roa_tables;   ///< by name, callees included
    std::vector<std::string_view> aspa_tables;  ///< likewise

    /// Source line of an instruction, 0 if unknown.
    [[nodiscard]] std::uint32_t line_of(std::size_t instruction) const;
};

/// Structural equality, callees followed; recursion is no problem.
[[nodiscard]] bool same_program(const FunctionCode& a, const FunctionCode& b);

/// Equal for the same programs. Callees count by their number alone.
[[nodiscard]] std::uint64_t program_hash(const FunctionCode& code);

/// Values an instruction takes and leaves, operands considered.
struct StackEffect {
    std::uint16_t pops;
    std::uint16_t pushes;
};

[[nodiscard]] StackEffect stack_effect(const Instruction& instruction);

/// Follows all paths: depth never negative, equal where paths meet, operands in range, no path runs
/// off the end. Returns the greatest depth, or an empty optional with `problem` set.
struct StackCheck {
    bool ok = false;
    std::uint16_t max_depth = 0;
    std::string problem;
};

[[nodiscard]] StackCheck check_stack(const FunctionCode& code);

}  // namespace tern::filter
