#pragma once
/// Which interfaces belong to the VRF a protocol is limited to: any, the default one, a named one.
/// Resolved against the registry where it is needed, because the device may come and go.
/// Free functions over the configuration's values; nothing is held or cached.

#include "router/config/protocol_config.h"
#include "router/iface/registry.h"

#include <optional>
#include <string_view>

namespace tern::iface {

/// `name` counts for VrfKind::named only. The VRF device itself belongs to its VRF.
[[nodiscard]] bool in_vrf(const Interface& interface, config::VrfKind kind, std::string_view name);

/// The VRF as Registry::Where takes it.
struct VrfPlace {
    bool exists = true;  ///< false: the named device is not there (yet)
    std::optional<InterfaceIndex> vrf;
};

[[nodiscard]] VrfPlace find_vrf(const Registry& registry,
                                config::VrfKind kind,
                                std::string_view name);

}  // namespace tern::iface
