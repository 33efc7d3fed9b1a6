#pragma once

/// Writes docs/cli.md out of the command table, so that the page cannot disagree with the program.
/// Pure: reads rows, returns text; who writes the file is the caller's affair.
/// Headings and session commands are rows like all others.

#include "router/cli/command.h"

#include <string>

namespace tern::cli {

[[nodiscard]] std::string command_reference(const CommandTable& table);

}  // namespace tern::cli
