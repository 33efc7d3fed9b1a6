#pragma once
/// BGP-4 for the engine: the descriptor that router/daemon/protocols.cc lists.
/// A constant of the program. Everything else of this folder is reached through it.
/// Source: RFC 4271 and the RFCs listed in README.md.

#include "router/engine/protocol.h"

namespace tern::bgp {

[[nodiscard]] const engine::ProtocolDescriptor& descriptor();

}  // namespace tern::bgp
