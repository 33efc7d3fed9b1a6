#pragma once
/// The setsockopt calls behind SocketOptions, one function each; used inside this folder only.
/// A file per system implements them. They act on a descriptor the caller owns, from any domain.
/// They never close it and never change options that were not asked for.

#include "router/os/network.h"

namespace tern::os {

/// Everything of `options` that a fresh socket of this family takes before bind and connect.
SystemResult<void> apply_options(int fd, bool v4, const SocketOptions& options);
SystemResult<void> set_sent_ttl(int fd, bool v4, std::uint8_t ttl);
SystemResult<void> set_minimum_ttl(int fd, bool v4, std::uint8_t ttl);
/// An unset address leaves the choice to the kernel without binding to port 0 of it too early.
SystemResult<void> bind_socket(int fd, const net::IpAddress& address, const Endpoint& local);

}  // namespace tern::os
