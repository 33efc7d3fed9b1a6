#pragma once
/// Options of the pipe protocol: its two tables and what may go through.
/// Typed values and the schema rows they come from; owned by the Config, read by the instance.
/// The channel's options stand in the protocol's own block: its table is the primary one.

#include "router/config/protocol_config.h"
#include "router/config/syntax.h"

#include <cstdint>

namespace tern::pipe {

struct PipeConfig : config::ProtocolConfig {
    const config::TableConfig* peer_table = nullptr;
    std::uint32_t max_generation = 16;  ///< pipes a route may go through, 1..254
};

/// Lives as long as the program.
[[nodiscard]] const config::ProtocolSyntax& syntax();

}  // namespace tern::pipe
