#pragma once

/// The commands that concern only the session that gives them: `restrict`, `timeformat`, `format`
/// and the `json` prefix's description. The daemon adds them to its table beside its own.
/// They need nothing of the router.

#include "router/base/result.h"
#include "router/base/time_format.h"
#include "router/cli/command.h"

#include <string_view>

namespace tern::cli {

void add_session_commands(CommandTable& table);

/// `"FMT" [LIMIT "FMT2"]` or `iso short|long [ms|us]`.
[[nodiscard]] Result<TimeFormat> parse_time_format(std::string_view text);

}  // namespace tern::cli
