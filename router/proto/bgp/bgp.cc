#include "router/proto/bgp/bgp.h"

#include "router/proto/bgp/config.h"
#include "router/proto/bgp/peer.h"
#include "router/proto/bgp/shared.h"

namespace tern::bgp {

const engine::ProtocolDescriptor& descriptor() {
    static const engine::ProtocolDescriptor the_descriptor{
        .placement = engine::LoopPlacement::worker,
        .start_phase = 3,
        .syntax = &bgp_syntax(),
        .create = engine::create<Peer>,
        .make_shared = [](engine::Services& services) -> std::unique_ptr<engine::ProtocolShared> {
            return std::make_unique<BgpShared>(services);
        }};
    return the_descriptor;
}

}  // namespace tern::bgp
