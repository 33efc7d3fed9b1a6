#pragma once

/// Every fixed bound of the router with its reason, so that none hides in the code.
/// Bounds that users may change are options with defaults and live beside their owner instead.
/// Constants only: no owner, no domain.

#include <cstddef>
#include <cstdint>

namespace tern::limits {

/// Longest configuration string; BIRD's lexer buffer has this size.
inline constexpr std::size_t config_string = 4096;
/// Nesting of `include`; deeper is a loop in practice.
inline constexpr unsigned include_depth = 8;
/// Smallest size limit of a log file, below it rotation would run all the time.
inline constexpr std::uint64_t log_file_limit_min = 16384;
/// One log message; the rest is cut, since a syslog datagram would be anyway.
inline constexpr std::size_t log_message = 2048;
/// RFC 8654: the largest BGP message, hence the longest attribute on the wire.
inline constexpr std::size_t bgp_extended_message = 65535;
/// RFC 4271: the largest BGP message without the capability.
inline constexpr std::size_t bgp_message = 4096;
/// Depth of an MPLS label stack on a next hop, as in the Linux kernel's and BIRD's interface.
inline constexpr unsigned mpls_label_stack = 8;
/// Next hop weights are stored minus one in a byte.
inline constexpr unsigned next_hop_weight = 256;
/// Gateways of one multipath route; the kernel refuses more in one message.
inline constexpr unsigned next_hops = 256;
/// Prefix ids of one net type: three times the IPv4 and IPv6 tables of the far future.
inline constexpr std::uint32_t prefixes = std::uint32_t{1} << 28;
/// Members of one AS_SET or AS_SEQUENCE segment: its count is one octet (RFC 4271).
inline constexpr unsigned as_path_segment = 255;

}  // namespace tern::limits
