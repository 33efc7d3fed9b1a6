#include "router/os/privileges.h"

#include <array>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tern::os {
namespace {

constexpr std::array<unsigned, 4> kept = {CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_ADMIN,
                                          CAP_NET_RAW};

std::optional<std::uint32_t> as_number(const std::string& text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Sets the thread's three sets to the kept capabilities, limited to what it has now if asked.
bool set_capabilities(bool add_set_ids) {
    std::uint32_t mask = 0;
    for (const unsigned capability : kept)
        mask |= 1U << capability;
    std::uint32_t permitted = mask;
    if (add_set_ids) permitted |= 1U << CAP_SETUID | 1U << CAP_SETGID;
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> data = {};
    data[0] = {permitted, permitted, mask};
    return ::syscall(SYS_capset, &header, data.data()) == 0;
}

}  // namespace

Result<std::uint32_t> resolve_user(const std::string& name) {
    if (const auto number = as_number(name)) return *number;
    const passwd* entry = ::getpwnam(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) return fail(fmt::format("Cannot find user '{}'", name));
    return entry->pw_uid;
}

Result<std::uint32_t> resolve_group(const std::string& name) {
    if (const auto number = as_number(name)) return *number;
    const group* entry = ::getgrnam(name.c_str());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) return fail(fmt::format("Cannot find group '{}'", name));
    return entry->gr_gid;
}

SystemResult<void> drop_privileges(const Identity& identity) {
    if (identity.group) {
        if (::setgroups(0, nullptr) != 0) return system_failure("setgroups", errno);
        if (::setgid(*identity.group) != 0) return system_failure("setgid", errno);
    }
    if (!identity.user) return {};
    if (!set_capabilities(true)) return system_failure("capset", errno);
    if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) return system_failure("prctl", errno);
    if (::setuid(*identity.user) != 0) return system_failure("setuid", errno);
    // Leaving root cleared the effective set; the permitted one was kept.
    if (!set_capabilities(false)) return system_failure("capset", errno);
    for (const unsigned capability : kept) {
        // Ambient capabilities reach programs that are started; older kernels do without.
        if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) != 0 &&
            errno != EINVAL) {
            return system_failure("prctl", errno);
        }
    }
    return {};
}

}  // namespace tern::os
