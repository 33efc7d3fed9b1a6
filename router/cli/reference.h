#pragma once

/// Writes docs/cli.md out of the command table, so that the page cannot disagree with the program.
/// Pure: reads rows, returns text; a test of the daemon compares the page with it.
/// Session commands are rows like all others; headings of the help have no section.

#include "router/cli/command.h"

#include <string>

namespace tern::cli {

[[nodiscard]] std::string command_reference(const CommandTable& table);

}  // namespace tern::cli
