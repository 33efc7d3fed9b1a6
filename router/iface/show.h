#pragma once
/// `show interfaces` and `show interfaces summary` over the registry's present state.
/// Called by command handlers in the main loop; asks the registry once and then prints from
/// immutable values. It never holds the registry's domain while printing.

#include "router/cli/output.h"
#include "router/iface/registry.h"

namespace tern::iface {

/// Rows only; the caller ends the reply.
void show_interfaces(const Registry& registry, cli::Output& out);
void show_interface_summary(const Registry& registry, cli::Output& out);

}  // namespace tern::iface
