#pragma once

/// The tree between the parser and the compiler: expressions, statements, functions.
/// Nodes live in an arena of the configuration being read and die with it; they own nothing, and a
/// finished filter keeps no pointer into them. The parser has resolved every name when a node is
/// made (variables, functions, constants, attributes); types are filled in by the type checker.
/// Plain data for the configuration's loop; nothing here evaluates or allocates.

#include "router/attr/attribute_def.h"
#include "router/attr/value.h"
#include "router/base/result.h"
#include "router/filter/extended.h"
#include "router/filter/route_field.h"
#include "router/filter/sets.h"
#include "router/filter/type.h"

#include <span>
#include <string_view>

namespace tern::filter {

struct FunctionCode;

/// A local variable or a parameter. Its slot is the place in the frame of its function.
struct Variable {
    std::string_view name;
    Type type = Type::void_;
    std::uint8_t slot = 0;
    bool loop = false;
    Position position;
};

enum class Operator : std::uint8_t {
    add,
    subtract,
    multiply,
    divide,
    bit_or,
    bit_and,
    concatenate,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    match,
    not_match,
    logical_and,
    logical_or,
    logical_not,
};

/// Functions of the language itself. The parser spells out short forms: roa_check(T) has
/// the operands net and bgp_path.last, aspa_check_upstream(T) has bgp_path and true.
enum class Builtin : std::uint8_t {
    defined,
    format,
    from_hex,
    roa_check,
    aspa_check,
    // Functional forms; the checker turns them into the method of that name.
    prepend,
    append,
    add,
    delete_,
    filter,
};

enum class ExpressionKind : std::uint8_t {
    literal,       // value
    variable,      // variable
    attribute,     // attribute, of `operands[0]` if given (r.bgp_path), else of the current route
    field,         // field, likewise
    unary,         // op, operands[0]
    binary,        // op, operands[0..1]
    pair,          // operands[0..1]
    community_ec,  // ec_kind, operands[0..1]
    community_lc,  // operands[0..2]
    method,        // name, operands[0] is the object, then arguments; `method` by the checker
    call,          // function, operands
    builtin,       // builtin, operands; table for roa/aspa
    set,           // set_items
    path_mask,     // mask_items
};

struct Expression;
struct Method;

/// One item of `[ ... ]`. Each bound is a list of components: one for plain values, two for pairs,
/// two for extended communities (key, value), three for large ones. A null component is `*`.
struct SetItem {
    enum class Shape : std::uint8_t { value, prefix, pair, ec, lc };
    enum class Length : std::uint8_t { exact, longer, shorter, range };

    struct Component {
        const Expression* low = nullptr;   // null: any
        const Expression* high = nullptr;  // null: equal to low
    };

    Shape shape = Shape::value;
    Length length = Length::exact;  // prefixes: P, P+, P-, P{low,high}
    EcKind ec_kind = EcKind::route_target;
    bool explicit_end = false;  // (a,b)..(c,d): `end` holds the upper bound
    std::uint32_t ec_unknown = 0;
    std::uint32_t length_low = 0;
    std::uint32_t length_high = 0;
    Component parts[3] = {};
    const Expression* end[3] = {};
    Position position;
};

/// One position of `[= ... =]`.
struct MaskItem {
    enum class Kind : std::uint8_t { asn, range, any, one };
    Kind kind = Kind::any;
    bool repeat = false;         // `+` behind it
    Expression* low = nullptr;   // asn (also a set: literal, constant or variable), range
    Expression* high = nullptr;  // range
    Position position;
};

struct Function;

struct Expression {
    ExpressionKind kind = ExpressionKind::literal;
    Operator op = Operator::add;
    Builtin builtin = Builtin::defined;
    RouteField field = RouteField::net;
    EcKind ec_kind = EcKind::route_target;
    Type type = Type::void_;  // by the checker
    std::uint16_t depth = 0;  // of the tree below
    Position position;
    attr::Value value;
    const Variable* variable = nullptr;
    const attr::AttributeDefinition* attribute = nullptr;
    const Function* function = nullptr;
    const Method* method = nullptr;  // by the checker
    std::string_view name;           // method or table
    std::uint32_t ec_unknown = 0;
    std::span<Expression*> operands;
    std::span<SetItem> set_items;
    std::span<MaskItem> mask_items;
};

enum class StatementKind : std::uint8_t {
    block,       // body
    assign,      // target, value
    mutate,      // value is a method call; its result goes back to the object, `target`
    declare,     // variable, value or null
    expression,  // value, result dropped
    if_,         // value, body[0], body[1] if else
    case_,       // value, branches
    for_,        // variable, value, body[0]
    return_,     // value or null
    unset,       // target
    accept,
    reject,
    error,  // values are printed first
    print,  // values, then a line end
    printn,
    assert_,  // bt_assert: value
};

struct Statement;

struct CaseBranch {
    std::span<SetItem> items;           // empty for `else:`
    std::span<const SetInterval> keys;  // the items' values, by the checker
    bool otherwise = false;
    Statement* body = nullptr;
    Position position;
};

struct Statement {
    StatementKind kind = StatementKind::block;
    Position position;
    Position end;  // for assert_: the end of the text, for messages
    Expression* target = nullptr;
    Expression* value = nullptr;
    const Variable* variable = nullptr;
    std::span<Expression*> values;
    std::span<Statement*> body;
    std::span<CaseBranch> branches;
    Type branch_type = Type::void_;  // by the checker
    std::string_view text;           // assert_: the source text
};

/// A function, or the body of a filter.
struct Function {
    std::string_view name;
    Position position;
    std::span<Variable*> parameters;
    std::uint16_t slots = 0;  // frame size: parameters and locals
    Type result = Type::void_;
    bool result_declared = false;
    bool is_filter = false;
    Statement* body = nullptr;
    /// Made by the compiler as soon as the body is complete; null before (a call in its own body
    /// goes through this record, so recursion needs no patching).
    FunctionCode* code = nullptr;
};

}  // namespace tern::filter
