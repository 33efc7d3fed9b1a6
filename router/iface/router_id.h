#pragma once
/// The router id taken from the interfaces when the configuration names none.
/// A pure question to the registry, asked by the daemon once the device protocol has scanned.
/// It never changes an id that was chosen before; that is the asker's decision.

#include "router/base/strong.h"
#include "router/config/protocol_config.h"
#include "router/iface/registry.h"

#include <optional>
#include <string>

namespace tern::iface {

struct ChosenRouterId {
    RouterId id;
    std::string interface;
};

/// The lowest non-secondary IPv4 address of more than link scope on an interface that is up.
/// `from` null: any interface but loopbacks' host addresses, which the scope excludes.
[[nodiscard]] std::optional<ChosenRouterId> choose_router_id(const Registry& registry,
                                                             const config::InterfacePattern* from);

}  // namespace tern::iface
