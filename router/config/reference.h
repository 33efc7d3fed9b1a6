#pragma once

/// Writes the option reference (docs/config.md) out of the schema rows.
/// Pure: the same registry gives the same text. Used by a small tool of the build and by a test
/// that finds options without documentation; it never reads a configuration.

#include "router/config/syntax.h"

#include <string>

namespace tern::config {

/// Markdown with one table each for tables, protocols, channels and every protocol type.
[[nodiscard]] std::string write_reference(const SyntaxRegistry& syntax);

}  // namespace tern::config
