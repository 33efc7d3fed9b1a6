#pragma once

/// Writes the option reference (docs/config.md) out of the schema rows.
/// Pure: the same registry gives the same text. A test of the daemon, which knows all protocols,
/// compares the page in docs/ with it; it never reads a configuration.

#include "router/config/syntax.h"

#include <string>

namespace tern::config {

/// Markdown: how to read and write a configuration, then one table each for the outermost level,
/// thread groups, tables, what protocols and channels have in common, and every protocol type.
[[nodiscard]] std::string write_reference(const SyntaxRegistry& syntax);

}  // namespace tern::config
