#pragma once

/// Turns checked trees into bytecode.
/// Runs on the loop that reads a configuration. The code made belongs to the library; its constants
/// are copied there, so that the tree may go. It never evaluates and reports only what has no place
/// in the instruction format (too many constants or too far jumps).

#include "router/filter/ast.h"
#include "router/filter/library.h"

namespace tern::filter {

/// A function or the body of a filter; sets `function.code`.
[[nodiscard]] Result<const FunctionCode*> compile(Function& function, Library& library);

/// Before the body of a recursive function is compiled, calls need its record.
void declare(Function& function, Library& library);

/// Code that returns the value of one expression (constants, `eval`, option values).
[[nodiscard]] Result<const FunctionCode*> compile(const Expression& expression, Library& library);

}  // namespace tern::filter
