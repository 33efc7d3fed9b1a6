#pragma once

/// The whole typed configuration of one router, as read from one main file.
/// Owned by whoever asked for it (the daemon keeps the running one and the one to undo to).
/// Complete and immutable once parse_config() has returned it; then readable from any domain.
/// Symbols stay, because commands are parsed in the running configuration's scope.
/// It opens nothing and starts nothing.

#include "router/attr/value.h"
#include "router/base/log.h"
#include "router/base/time_format.h"
#include "router/config/filter_language.h"
#include "router/config/memory_config.h"
#include "router/config/protocol_config.h"
#include "router/config/source.h"
#include "router/config/symbols.h"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::config {

class SyntaxRegistry;

enum class LogKind : std::uint8_t { file, fixed, syslog, stderr_, udp };

struct LogTarget {
    LogKind kind = LogKind::file;
    std::string path;         ///< file and fixed
    std::uint64_t limit = 0;  ///< file: rotate at this size, 0 never; fixed: the size
    std::string backup;       ///< file with a limit
    std::string name;         ///< syslog ident, may be empty
    std::string host;         ///< udp: host name or address as written
    std::optional<net::IpAddress> address;
    std::uint16_t port = 514;
    SeverityMask classes = 0;
    Position position = {};
};

struct DebugConfig {
    TraceMask protocols = 0;  ///< defaults for what is defined later
    TraceMask channels = 0;
    std::uint32_t commands = 0;
};

struct WatchdogConfig {
    loops::Duration warning = loops::seconds(5);
    loops::Duration timeout;  ///< zero: never abort
};

struct TimeFormats {
    TimeFormat route = iso_short(SubSecond::milliseconds);
    TimeFormat protocol = iso_short(SubSecond::milliseconds);
    TimeFormat base = iso_long(SubSecond::milliseconds);
    TimeFormat log = iso_long(SubSecond::milliseconds);
};

struct CliSocketConfig {
    std::string path;
    bool restricted = false;
    bool v2_attributes = false;
    Position position = {};
};

class Config {
  public:
    Config(const SyntaxRegistry& syntax, std::string file);
    ~Config();

    Config(const Config&) = delete;
    Config& operator=(const Config&) = delete;

    std::string file;
    std::optional<RouterId> router_id;
    std::optional<InterfacePattern> router_id_from;
    std::optional<std::string> hostname;
    loops::Duration graceful_restart_wait = loops::seconds(240);
    std::vector<LogTarget> logs;
    DebugConfig debug;
    WatchdogConfig watchdog;
    MemoryConfig memory;
    TimeFormats time_formats;
    std::uint32_t filter_values = 128;
    std::uint32_t filter_calls = 128;
    std::vector<std::unique_ptr<ThreadGroupConfig>> thread_groups;
    std::vector<CliSocketConfig> cli_sockets;
    std::vector<std::unique_ptr<TableConfig>> tables;  ///< in order of definition
    std::vector<std::unique_ptr<MplsDomainConfig>> mpls_domains;
    std::vector<std::unique_ptr<ProtocolConfig>> protocols;  ///< no templates
    std::vector<std::unique_ptr<ProtocolConfig>> templates;
    std::vector<Diagnostic> warnings;
    /// Values of the constants that the system defines.
    std::deque<attr::Value> system_constants;

    [[nodiscard]] TableConfig* find_table(std::string_view name) const;
    [[nodiscard]] ProtocolConfig* find_protocol(std::string_view name) const;
    [[nodiscard]] const ThreadGroupConfig* default_thread_group() const;

    /// master4, master6, or the first table of the type; null if there is none.
    [[nodiscard]] TableConfig* default_table(net::NetType type) const;

    [[nodiscard]] Scope& scope() { return scope_; }

    [[nodiscard]] const Scope& scope() const { return scope_; }

    /// Around the configuration's own: constants of the system, which it may hide.
    [[nodiscard]] Scope& system_scope() { return system_scope_; }

    [[nodiscard]] const Scope& system_scope() const { return system_scope_; }

    [[nodiscard]] FilterLanguage& language() const { return *language_; }

    [[nodiscard]] const SyntaxRegistry& syntax() const { return *syntax_; }

  private:
    const SyntaxRegistry* syntax_;
    std::unique_ptr<FilterLanguage> language_;
    Scope system_scope_{nullptr};
    Scope scope_;
};

}  // namespace tern::config
