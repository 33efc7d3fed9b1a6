#pragma once

/// Text of compiled filters, for `dump filter` and for tests.
/// Pure; works on immutable code from any domain. The format is for humans and not kept stable.
/// It never runs anything.

#include "router/filter/bytecode.h"

#include <string>

namespace tern::filter {

/// One instruction a line: number, source line where it changes, name, operands.
[[nodiscard]] std::string disassemble(const FunctionCode& code);

}  // namespace tern::filter
