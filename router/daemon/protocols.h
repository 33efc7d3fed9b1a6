#pragma once
/// THE list of protocol types of this router.
/// Adding a protocol means a line in protocols.cc (and one in CMakeLists.txt).
/// Descriptors are constants of the process.

#include "router/attr/attribute_def.h"
#include "router/engine/protocol.h"

#include <span>

namespace tern::daemon {

[[nodiscard]] std::span<const engine::ProtocolDescriptor* const> protocol_descriptors();
/// Attributes that protocols define, for filters and `show route all`.
void register_protocol_attributes(attr::AttributeRegistry& registry);

}  // namespace tern::daemon
