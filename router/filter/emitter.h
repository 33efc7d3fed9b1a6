#pragma once

/// Writes the instructions of one function: expressions, statements, jumps, constants, line map.
/// Private to the compiler; lives for one compilation. Errors (a function too large for the
/// instruction format) are remembered and reported by finish(). It never checks types.

#include "router/filter/ast.h"
#include "router/filter/library.h"

namespace tern::filter {

class Emitter {
  public:
    /// `slots`: variables of the function; iterators of loops get slots behind them.
    Emitter(FunctionCode& code, Library& library, std::uint16_t slots)
        : code_(code), library_(library), slots_(slots) {}

    void expression(const Expression& e);
    void statement(const Statement& s);

    std::size_t emit(Opcode op, Position position, unsigned a, std::size_t b);

    std::size_t emit(Opcode op, Position position) { return emit(op, position, 0, 0); }

    [[nodiscard]] Result<const FunctionCode*> finish(Position position);

  private:
    void unary(const Expression& e);
    void binary(const Expression& e);
    void logical(const Expression& e);
    bool match_shortcut(const Expression& e);
    void method(const Expression& e);
    void call(const Expression& e);
    void builtin(const Expression& e);
    void path_mask(const Expression& e);
    void attribute(const Expression& e);
    void field(const Expression& e);

    void assign(const Expression& target, const Expression& value);
    void store(const Expression& target);
    void declare(const Statement& s);
    void if_statement(const Statement& s);
    void case_statement(const Statement& s);
    void for_statement(const Statement& s);
    void unset(const Expression& target);
    void print(const Statement& s, Opcode op);

    [[nodiscard]] std::size_t constant(const attr::Value& value);

    [[nodiscard]] std::size_t here() const { return code_.code.size(); }

    void land(std::size_t jump);

    FunctionCode& code_;
    Library& library_;
    std::uint16_t slots_;
    bool too_large_ = false;
};

}  // namespace tern::filter
