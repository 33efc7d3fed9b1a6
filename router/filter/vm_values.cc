#include "router/attr/community_set.h"
#include "router/filter/extended.h"
#include "router/filter/type.h"
#include "router/filter/value_ops.h"
#include "router/filter/vm.h"
#include "router/net/trie.h"

#include <cstring>

#include <fmt/format.h>

/// Handlers for arithmetic, comparison, constructors and texts.

namespace tern::filter::ops {

using attr::Value;
using attr::ValueType;

namespace {

bool wrong_argument(
    Machine& m, unsigned number, std::string_view what, ValueType wanted, const Value& got) {
    return m.fail(fmt::format("Argument {} of '{}' must be {}, got {}", number, what,
                              attr::type_name(wanted), attr::type_name(got.type())));
}

/// Checks two integers and leaves `compute(a, b)` in place of them.
template <class Compute>
bool integers(Machine& m, std::string_view what, Compute&& compute) {
    Value& a = m.top[-2];
    const Value& b = m.top[-1];
    if (!a.is(ValueType::int_)) return wrong_argument(m, 1, what, ValueType::int_, a);
    if (!b.is(ValueType::int_)) return wrong_argument(m, 2, what, ValueType::int_, b);
    a = Value::of_int(compute(a.word(), b.word()));
    --m.top;
    return true;
}

bool replace_two(Machine& m, bool result) {
    --m.top;
    m.top[-1] = Value::of_bool(result);
    return true;
}

template <class Test>
bool ordered(Machine& m, Test&& test) {
    const std::optional<int> order = values_order(m.top[-2], m.top[-1]);
    if (!order) return m.fail("Can't compare values of incompatible types");
    return replace_two(m, test(*order));
}

}  // namespace

bool add(Machine& m, Instruction) {
    return integers(m, "+", [](std::uint32_t a, std::uint32_t b) { return a + b; });
}

bool subtract(Machine& m, Instruction) {
    return integers(m, "-", [](std::uint32_t a, std::uint32_t b) { return a - b; });
}

bool multiply(Machine& m, Instruction) {
    return integers(m, "*", [](std::uint32_t a, std::uint32_t b) { return a * b; });
}

bool divide(Machine& m, Instruction) {
    if (m.top[-1].is(ValueType::int_) && m.top[-1].word() == 0) {
        return m.fail("Mother told me not to divide by 0");
    }
    return integers(m, "/", [](std::uint32_t a, std::uint32_t b) { return a / b; });
}

bool bit_or(Machine& m, Instruction) {
    return integers(m, "|", [](std::uint32_t a, std::uint32_t b) { return a | b; });
}

bool bit_and(Machine& m, Instruction) {
    return integers(m, "&", [](std::uint32_t a, std::uint32_t b) { return a & b; });
}

bool concatenate(Machine& m, Instruction) {
    Value& a = m.top[-2];
    const Value& b = m.top[-1];
    if (!a.is(ValueType::string) && !a.is(ValueType::bytestring)) {
        return wrong_argument(m, 1, "++", ValueType::string, a);
    }
    if (a.type() != b.type()) return wrong_argument(m, 2, "++", a.type(), b);
    const std::size_t size = a.bytes().size() + b.bytes().size();
    auto* const out = static_cast<std::uint8_t*>(m.arena.allocate(size + 1, 1));
    std::copy(a.bytes().begin(), a.bytes().end(), out);
    std::copy(b.bytes().begin(), b.bytes().end(), out + a.bytes().size());
    a = Value::of_bytes(a.type(), {out, size});
    --m.top;
    return true;
}

bool equal(Machine& m, Instruction) {
    return replace_two(m, values_equal(m.top[-2], m.top[-1]));
}

bool not_equal(Machine& m, Instruction) {
    return replace_two(m, !values_equal(m.top[-2], m.top[-1]));
}

bool less(Machine& m, Instruction) {
    return ordered(m, [](int order) { return order < 0; });
}

bool less_equal(Machine& m, Instruction) {
    return ordered(m, [](int order) { return order <= 0; });
}

bool greater(Machine& m, Instruction) {
    return ordered(m, [](int order) { return order > 0; });
}

bool greater_equal(Machine& m, Instruction) {
    return ordered(m, [](int order) { return order >= 0; });
}

bool match(Machine& m, Instruction) {
    const std::optional<bool> result = value_matches(m.top[-2], m.top[-1]);
    if (!result) return m.fail("~ applied on unknown type pair");
    return replace_two(m, *result);
}

bool not_match(Machine& m, Instruction) {
    const std::optional<bool> result = value_matches(m.top[-2], m.top[-1]);
    if (!result) return m.fail("!~ applied on unknown type pair");
    return replace_two(m, !*result);
}

bool match_constant(Machine& m, Instruction i) {
    const std::optional<bool> result = value_matches(m.top[-1], m.code->constants[i.b]);
    if (!result) return m.fail("~ applied on unknown type pair");
    m.top[-1] = Value::of_bool(*result);
    return true;
}

bool net_in_constant(Machine& m, Instruction i) {
    if (m.route == nullptr) return m.fail("No route to access");
    m.push(Value::of_bool(m.code->constants[i.b].prefix_set().contains(m.route->net())));
    return true;
}

bool logical_not(Machine& m, Instruction) {
    if (!m.top[-1].is(ValueType::bool_)) {
        return wrong_argument(m, 1, "!", ValueType::bool_, m.top[-1]);
    }
    m.top[-1] = Value::of_bool(!m.top[-1].as_bool());
    return true;
}

bool make_pair(Machine& m, Instruction) {
    Value& a = m.top[-2];
    const Value& b = m.top[-1];
    if (!a.is(ValueType::int_) || !b.is(ValueType::int_)) {
        return m.fail("Can't operate with value of non-integer type in pair constructor");
    }
    if (a.word() > 0xffff || b.word() > 0xffff) {
        return m.fail("Can't operate with value out of bounds in pair constructor");
    }
    a = Value::of_pair(static_cast<std::uint16_t>(a.word()), static_cast<std::uint16_t>(b.word()));
    --m.top;
    return true;
}

bool make_ec(Machine& m, Instruction i) {
    const auto kind = static_cast<EcKind>(i.a);
    const std::uint32_t unknown = m.code->constants[i.b].word();
    const Result<std::uint64_t> ec = make_extended(kind, unknown, m.top[-2], m.top[-1]);
    if (!ec) return m.fail(ec.error().text);
    --m.top;
    m.top[-1] = Value::of_ec(*ec);
    return true;
}

bool make_lc(Machine& m, Instruction) {
    for (int k = -3; k < 0; ++k) {
        if (!m.top[k].is(ValueType::int_)) {
            return m.fail("Can't operate with value of non-integer type in LC constructor");
        }
    }
    m.top -= 2;
    m.top[-1] = Value::of_lc({m.top[-1].word(), m.top[0].word(), m.top[1].word()});
    return true;
}

bool defined(Machine& m, Instruction) {
    // A list that was never set reads as empty; it has no bytes at all, not even elsewhere.
    const Value& value = m.top[-1];
    const bool unset_list = is_empty_by_default(value.type()) && value.bytes().data() == nullptr;
    m.top[-1] = Value::of_bool(!value.is_void() && !unset_list);
    return true;
}

bool format(Machine& m, Instruction) {
    m.top[-1] = Value::of_string(m.arena.copy(attr::to_text(m.top[-1])));
    return true;
}

bool from_hex(Machine& m, Instruction) {
    Value& value = m.top[-1];
    if (!value.is(ValueType::string))
        return wrong_argument(m, 1, "from_hex", ValueType::string, value);
    const std::string_view text = value.string();
    auto* const out = static_cast<std::uint8_t*>(m.arena.allocate(text.size() / 2 + 1, 1));
    std::size_t digits = 0;
    for (const char c : text) {
        if (digits % 2 == 0 && (c == '.' || c == ':' || c == '-' || c == ' ')) continue;
        const unsigned digit = c >= '0' && c <= '9'   ? static_cast<unsigned>(c - '0')
                               : c >= 'a' && c <= 'f' ? static_cast<unsigned>(c - 'a' + 10)
                               : c >= 'A' && c <= 'F' ? static_cast<unsigned>(c - 'A' + 10)
                                                      : 16U;
        if (digit == 16) return m.fail("Invalid hex string");
        std::uint8_t& byte = out[digits / 2];
        byte = static_cast<std::uint8_t>(digits % 2 == 0 ? digit << 4 : byte | digit);
        ++digits;
    }
    if (digits % 2 != 0) return m.fail("Invalid hex string");
    value = Value::of_bytes(ValueType::bytestring, {out, digits / 2});
    return true;
}

}  // namespace tern::filter::ops
