#pragma once
/// Facts about this host that are no network state.
/// Called from the main loop; nothing is cached, so a changed host name is seen at the next call.
/// Never resolves names over the network.

#include <string>

namespace tern::os {

/// The node name; "unknown" if the system does not tell.
[[nodiscard]] std::string host_name();

}  // namespace tern::os
