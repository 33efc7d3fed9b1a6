#include "router/proto/bgp/collision.h"

namespace tern::bgp {

Survivor resolve_collision(const Speaker& local, const Speaker& remote) {
    if (local.router_id != remote.router_id) {
        return local.router_id > remote.router_id ? Survivor::outgoing : Survivor::incoming;
    }
    return local.as > remote.as ? Survivor::outgoing : Survivor::incoming;
}

}  // namespace tern::bgp
