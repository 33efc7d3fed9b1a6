#include "router/daemon/protocols.h"

#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/bgp.h"
#include "router/proto/device/device.h"
#include "router/proto/direct/direct.h"
#include "router/proto/kernel/attributes.h"
#include "router/proto/kernel/kernel.h"
#include "router/proto/pipe/pipe.h"
#include "router/proto/static/static.h"

#include <array>

namespace tern::daemon {

std::span<const engine::ProtocolDescriptor* const> protocol_descriptors() {
    static const std::array descriptors = {
        &bgp::descriptor(),    &device::descriptor(), &direct::descriptor(),
        &kernel::descriptor(), &pipe::descriptor(),   &static_routes::descriptor(),
    };
    return descriptors;
}

void register_protocol_attributes(attr::AttributeRegistry& registry) {
    bgp::define_attributes(registry);
    kernel::register_attributes(registry);
}

}  // namespace tern::daemon
