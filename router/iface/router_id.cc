#include "router/iface/router_id.h"

#include "router/iface/pattern.h"

namespace tern::iface {

std::optional<ChosenRouterId> choose_router_id(const Registry& registry,
                                               const config::InterfacePattern* from) {
    std::optional<ChosenRouterId> best;
    std::uint32_t lowest = 0;
    for (const InterfaceRef& interface : registry.all()) {
        if (!interface->up()) continue;
        for (const Address& address : interface->addresses) {
            if (!address.ip.is_v4() || address.secondary) continue;
            if (address.scope == net::Scope::host || address.scope == net::Scope::link ||
                address.scope == net::Scope::undefined) {
                continue;
            }
            if (from != nullptr && !matches(*from, *interface, &address)) continue;
            const std::uint32_t value = address.ip.v4_value();
            if (value == 0 || (best && value >= lowest)) continue;
            lowest = value;
            best = ChosenRouterId{RouterId(value), interface->name};
        }
    }
    return best;
}

}  // namespace tern::iface
