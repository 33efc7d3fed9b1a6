#pragma once
/// Options of the kernel protocol: which kernel table, how it is scanned, what is learned.
/// Typed values and the schema rows they come from; owned by the Config, read by the instance.
/// Exactly one channel per instance: ipv4 or ipv6.

#include "router/config/protocol_config.h"
#include "router/config/syntax.h"

#include <cstdint>

namespace tern::kernel {

enum class Learn : std::uint8_t { off, on, all };

struct KernelConfig : config::ProtocolConfig {
    bool persist = false;
    loops::Duration scan_time = loops::seconds(60);  ///< zero: at startup only
    Learn learn = Learn::off;
    std::uint32_t kernel_table = 254;
    std::uint32_t metric = 32;  ///< 0: per route (krt_metric), else the kernel's default
    bool graceful_restart = false;
    bool merge_paths = false;
    std::uint32_t merge_limit = 16;
    std::uint32_t rx_buffer = 0;  ///< bytes of the notification socket; 0: the system's
};

inline constexpr std::uint16_t kernel_preference = 10;

/// Lives as long as the program.
[[nodiscard]] const config::ProtocolSyntax& syntax();

}  // namespace tern::kernel
