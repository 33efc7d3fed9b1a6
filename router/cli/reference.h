#pragma once

/// Writes docs/cli.md out of the command table, so that the page cannot disagree with the program.
/// Pure. Called by the daemon's `--reference` output and by the test that compares the page.

#include "router/cli/command.h"

#include <string>

namespace tern::cli {

[[nodiscard]] std::string command_reference(const CommandTable& table);

}  // namespace tern::cli
