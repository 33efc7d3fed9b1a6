#pragma once
/// `show protocols [all]`: one row per instance, in the order of the configuration.
/// Runs in the main loop; takes each instance's domain in turn.
/// Text is BIRD's layout; JSON comes from the same fields.

#include "router/base/time_format.h"
#include "router/cli/output.h"
#include "router/engine/supervisor.h"

#include <string_view>

namespace tern::engine {

struct ShowProtocols {
    bool all = false;
    /// Shell pattern over names; empty: every protocol.
    std::string_view pattern;
    const TimeFormat& format;
    const loops::Clock& clock;
};

/// Writes the rows; returns how many protocols matched. The reply is not finished.
std::size_t show_protocols(cli::Output& out,
                           const Supervisor& supervisor,
                           const ShowProtocols& what);

/// Whether a name fits a pattern with `*` and `?`.
[[nodiscard]] bool name_matches(std::string_view name, std::string_view pattern);

}  // namespace tern::engine
