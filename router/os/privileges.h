#pragma once
/// Becoming an ordinary user while keeping the few capabilities a router needs.
/// Called once by the daemon at startup, before threads exist; order: resolve, drop group, drop
/// user. It never regains what was dropped, and it fails rather than running with more than asked.

#include "router/os/system_error.h"

#include <cstdint>
#include <optional>
#include <string>

namespace tern::os {

/// Numeric or by name. Errors: `Cannot find user 'X'` and `Cannot find group 'X'`.
[[nodiscard]] Result<std::uint32_t> resolve_user(const std::string& name);
[[nodiscard]] Result<std::uint32_t> resolve_group(const std::string& name);

struct Identity {
    std::optional<std::uint32_t> user;
    std::optional<std::uint32_t> group;
};

/// Keeps CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN and CAP_NET_RAW (permitted,
/// effective, inheritable and ambient) when leaving root; supplementary groups are dropped.
SystemResult<void> drop_privileges(const Identity& identity);

}  // namespace tern::os
