#include "router/iface/vrf.h"

namespace tern::iface {

bool in_vrf(const Interface& interface, config::VrfKind kind, std::string_view name) {
    switch (kind) {
        case config::VrfKind::any:
            return true;
        case config::VrfKind::default_:
            return interface.vrf == 0 && interface.kind != InterfaceKind::vrf;
        case config::VrfKind::named:
            return (interface.vrf != 0 && interface.master_name == name) ||
                   (interface.kind == InterfaceKind::vrf && interface.name == name);
    }
    return false;
}

VrfPlace find_vrf(const Registry& registry, config::VrfKind kind, std::string_view name) {
    switch (kind) {
        case config::VrfKind::any:
            return {};
        case config::VrfKind::default_:
            return {true, InterfaceIndex{0}};
        case config::VrfKind::named:
            break;
    }
    const InterfaceRef device = registry.find(name);
    if (!device || device->kind != InterfaceKind::vrf) return {false, std::nullopt};
    return {true, device->index};
}

}  // namespace tern::iface
