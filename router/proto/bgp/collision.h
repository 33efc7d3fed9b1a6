#pragma once

/// Which of two connections with the same neighbour survives.
/// Pure: compares the identifiers once both OPENs are known. The caller closes the loser with
/// NOTIFICATION 6/7; an established session is never given up for a new connection, except by
/// graceful restart, which is decided elsewhere.
/// Source: RFC 4271 section 6.8, RFC 6286 section 2.3.

#include "router/base/strong.h"

#include <cstdint>

namespace tern::bgp {

struct Speaker {
    RouterId router_id = {};
    AsNumber as = {};
};

enum class Survivor : std::uint8_t { outgoing, incoming };

/// The connection of the speaker with the higher identifier survives; of equal identifiers (legal
/// between different AS) the one with the higher AS.
[[nodiscard]] Survivor resolve_collision(const Speaker& local, const Speaker& remote);

}  // namespace tern::bgp
