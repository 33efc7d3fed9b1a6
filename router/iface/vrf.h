#pragma once
/// The VRF a protocol is limited to, as a value: any, the default one, or a named VRF device.
/// Resolved against the registry where it is needed, because the device may come and go.
/// Holds no reference; copying and comparing are free of side effects.

#include "router/iface/registry.h"

#include <optional>
#include <string>

namespace tern::iface {

struct VrfSelector {
    enum class Kind : std::uint8_t { any, default_vrf, named };

    Kind kind = Kind::any;
    std::string name;

    friend bool operator==(const VrfSelector&, const VrfSelector&) = default;

    [[nodiscard]] bool contains(const Interface& interface) const;

    /// For Registry::Where: nullopt any, 0 default, else the device; nullopt inside `Resolved` when
    /// the named device does not exist.
    struct Resolved {
        bool exists = true;
        std::optional<InterfaceIndex> vrf;
    };

    [[nodiscard]] Resolved resolve(const Registry& registry) const;
};

}  // namespace tern::iface
