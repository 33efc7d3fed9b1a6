#pragma once

/// The instruction set of filters: ONE table that the enum, the dispatch loop, the disassembler and
/// the stack checker are made from. To add an instruction: add a row, a case in vm.cc (the compiler
/// names a forgotten one), an emission in the compiler, a line in a test script.
/// Constants only: no owner, no domain, no state.

#include <array>
#include <cstdint>
#include <string_view>

namespace tern::filter {

/// What the operands of an instruction mean. `a` is 8 bits, `b` 16 bits.
enum class OperandKind : std::uint8_t {
    none,
    constant,        // b: index of a constant
    slot,            // a: frame slot
    slot_jump,       // a: frame slot, b: target
    jump,            // b: target
    attribute,       // a: value type, b: attribute id
    field,           // a: RouteField
    kind_constant,   // a: a small enumeration, b: index of a constant
    count,           // a: number of values taken
    count_constant,  // a: number of values taken, b: index of a constant
    function,        // a: number of arguments, b: index of a callee
    method,          // a: number of values taken, b: index in the method table
    switch_table,    // b: index of a jump table
};

/// Stack effect: values popped (`pops_a`: as many as operand a says) and pushed.
inline constexpr std::uint8_t pops_a = 0xff;

// clang-format off
//      name                 operands        pops     pushes  what it does
#define TERN_FILTER_OPCODES(X)                                                                        \
    X(push_constant,         constant,       0,       1, "push a constant")                            \
    X(push_void,             none,           0,       1, "push an undefined value")                    \
    X(load,                  slot,           0,       1, "push a variable")                            \
    X(store,                 slot,           1,       0, "pop into a variable")                        \
    X(pop,                   none,           1,       0, "drop the top")                               \
    X(add,                   none,           2,       1, "integer sum, modulo 2^32")                   \
    X(subtract,              none,           2,       1, "integer difference, modulo 2^32")            \
    X(multiply,              none,           2,       1, "integer product, modulo 2^32")               \
    X(divide,                none,           2,       1, "integer quotient; error on zero")            \
    X(bit_or,                none,           2,       1, "bitwise or")                                 \
    X(bit_and,               none,           2,       1, "bitwise and")                                \
    X(concatenate,           none,           2,       1, "join strings or bytestrings")                \
    X(equal,                 none,           2,       1, "equality; never fails")                      \
    X(not_equal,             none,           2,       1, "inequality; never fails")                    \
    X(less,                  none,           2,       1, "order; error on different types")            \
    X(less_equal,            none,           2,       1, "order")                                      \
    X(greater,               none,           2,       1, "order")                                      \
    X(greater_equal,         none,           2,       1, "order")                                      \
    X(match,                 none,           2,       1, "the ~ operator")                             \
    X(not_match,             none,           2,       1, "the !~ operator")                            \
    X(match_constant,        constant,       1,       1, "top ~ constant")                             \
    X(net_in_constant,       constant,       0,       1, "net ~ constant prefix set")                  \
    X(logical_not,           none,           1,       1, "boolean not")                                \
    X(jump,                  jump,           0,       0, "go on at b")                                 \
    X(jump_if_false,         jump,           1,       0, "pop a bool, go to b if it is false")         \
    X(and_else,              jump,           1,       0, "false: keep it and go to b; true: drop it")  \
    X(or_else,               jump,           1,       0, "true: keep it and go to b; false: drop it")  \
    X(check_bool,            none,           1,       1, "error unless the top is a bool")             \
    X(make_pair,             none,           2,       1, "pair of two integers")                       \
    X(make_ec,               kind_constant,  2,       1, "extended community of kind a")               \
    X(make_lc,               none,           3,       1, "large community")                            \
    X(make_mask,             count_constant, pops_a,  1, "fill the holes of a path mask")              \
    X(get_attribute,         attribute,      0,       1, "push an attribute or its empty value")       \
    X(get_attribute_of,      attribute,      1,       1, "the same of a route on the stack")           \
    X(set_attribute,         attribute,      1,       0, "pop into an attribute")                      \
    X(unset_attribute,       attribute,      0,       0, "remove an attribute")                        \
    X(attribute_defined,     attribute,      0,       1, "is it there?")                               \
    X(path_length,           attribute,      0,       1, "length of a path attribute, in place")       \
    X(get_field,             field,          0,       1, "push a static attribute")                    \
    X(get_field_of,          field,          1,       1, "the same of a route on the stack")           \
    X(set_field,             field,          1,       0, "pop into a static attribute")                \
    X(unset_field,           field,          0,       0, "remove a field kept as an attribute")        \
    X(call,                  function,       pops_a,  1, "call a function; its value or void")         \
    X(return_value,          none,           1,       0, "leave the function with the top")            \
    X(method,                method,         pops_a,  1, "built-in method on the first value")         \
    X(defined,               none,           1,       1, "is the top anything but void?")              \
    X(format,                none,           1,       1, "text of the top")                            \
    X(from_hex,              none,           1,       1, "string of hex digits to bytestring")         \
    X(roa_check,             constant,       2,       1, "origin validation of a prefix and an ASN")   \
    X(aspa_check,            constant,       2,       1, "path validation of a path, upstream?")       \
    X(switch_on,             switch_table,   1,       0, "go to the branch of the case value")         \
    X(iterate,               slot,           1,       0, "start walking a list")                       \
    X(next,                  slot_jump,      0,       1, "push the next element or go to b")           \
    X(print,                 count,          pops_a,  0, "one line to the log")                        \
    X(print_part,            count,          pops_a,  0, "text without a line end")                    \
    X(assert_,               constant,       1,       0, "bt_assert")                                  \
    X(accept,                none,           0,       0, "the filter accepts")                         \
    X(reject,                none,           0,       0, "the filter rejects")                         \
    X(error,                 none,           0,       0, "the filter rejects as by an error")          \
    X(no_verdict,            none,           0,       0, "a filter ran past its end")
// clang-format on

#define TERN_OPCODE_NAME(name, operands, pops, pushes, text) name,
enum class Opcode : std::uint8_t { TERN_FILTER_OPCODES(TERN_OPCODE_NAME) };
#undef TERN_OPCODE_NAME

struct OpcodeInfo {
    std::string_view name;
    OperandKind operands;
    std::uint8_t pops;
    std::uint8_t pushes;
    std::string_view text;
};

#define TERN_OPCODE_ROW(name, operands, pops, pushes, text) \
    OpcodeInfo{#name, OperandKind::operands, pops, pushes, text},
inline constexpr auto opcode_table =
    std::to_array<OpcodeInfo>({TERN_FILTER_OPCODES(TERN_OPCODE_ROW)});
#undef TERN_OPCODE_ROW

[[nodiscard]] constexpr const OpcodeInfo& info(Opcode op) {
    return opcode_table[static_cast<std::size_t>(op)];
}

}  // namespace tern::filter
