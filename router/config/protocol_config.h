#pragma once

/// Typed configuration of tables, channels and protocols: what all protocols have in common.
/// A protocol derives its own structs from ProtocolConfig and ChannelConfig (see README.md). All of
/// it is owned by one Config, written while parsing, then only read, from any domain, for as long
/// as the running router holds that Config. Nothing here is running state.

#include "loops/time.h"
#include "router/base/result.h"
#include "router/base/strong.h"
#include "router/config/schema.h"
#include "router/net/net_type.h"
#include "router/net/prefix.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tern::filter {
class Filter;
}

namespace tern::config {

struct ProtocolSyntax;
struct ChannelSyntax;

/// Trace classes of protocols, channels and tables.
enum class Trace : std::uint8_t {
    states = 1,
    routes = 2,
    filters = 4,
    interfaces = 8,
    events = 16,
    packets = 32,
};
using TraceMask = std::uint8_t;
inline constexpr TraceMask trace_all = 63;

[[nodiscard]] constexpr bool traces(TraceMask mask, Trace trace) {
    return (mask & static_cast<TraceMask>(trace)) != 0;
}

struct Settle {
    loops::Duration minimum;
    loops::Duration maximum;
    friend bool operator==(const Settle&, const Settle&) = default;
};

struct ThreadGroupConfig : Block {
    std::string name;
    Position position = {};
    bool express = false;  ///< low latency class
    bool is_default = false;
    std::uint32_t threads = 1;
    std::optional<loops::Duration> time_max;  ///< none of these: what the runtime thinks best
    std::optional<loops::Duration> time_min;
    std::optional<loops::Duration> latency_max;
    std::optional<loops::Duration> wakeup;
};

struct MplsRangeConfig : Block {
    std::string name;
    std::optional<std::uint32_t> start;
    std::optional<std::uint32_t> length;

    friend bool operator==(const MplsRangeConfig& a, const MplsRangeConfig& b) {
        return a.name == b.name && a.start == b.start && a.length == b.length;
    }
};

struct MplsDomainConfig : Block {
    std::string name;
    Position position = {};
    std::vector<std::unique_ptr<MplsRangeConfig>> ranges;
};

struct TableConfig : Block {
    std::string name;
    Position position = {};
    net::NetType type = net::NetType::ip4;
    bool implicit = false;  ///< master4 or master6 that nobody has defined
    bool used = false;      ///< defined, or something refers to it
    bool sorted = false;
    bool trie = false;
    std::uint32_t gc_threshold = 1000;
    std::optional<loops::Duration> gc_period;  ///< none: adaptive
    Settle export_settle{loops::milliseconds(1), loops::milliseconds(100)};
    Settle refresh_settle{loops::milliseconds(100), loops::seconds(3)};
};

enum class LimitAction : std::uint8_t { warn, block, restart, disable };

/// A route-count limit; off without a value.
struct Limit {
    std::optional<std::uint32_t> value;
    LimitAction action = LimitAction::disable;
    friend bool operator==(const Limit&, const Limit&) = default;
};

struct ChannelConfig : Block {
    const ChannelSyntax* syntax = nullptr;
    std::string name;  ///< "ipv4", "ipv4-mc"
    Position position = {};
    net::NetType type = net::NetType::ip4;
    TableConfig* table = nullptr;  ///< never null once the configuration is complete
    const filter::Filter* import_filter = nullptr;
    const filter::Filter* export_filter = nullptr;
    bool import_set = false;  ///< written in the configuration: EBGP insists
    bool export_set = false;
    std::optional<net::Prefix> import_in;  ///< pipe only
    std::optional<net::Prefix> export_in;
    std::optional<std::uint16_t> preference;  ///< none: the protocol's own
    bool keep_filtered = false;
    bool secondary = false;      ///< exports the best route that passes the filter
    bool keep_received = false;  ///< `import table`: routes as they were before the filter
    Limit receive_limit;
    Limit import_limit;
    Limit export_limit;
    bool rpki_reload = true;
    TraceMask debug = 0;
    /// The channel stands in the protocol's own block and takes any table (pipe).
    bool type_from_table = false;
    /// The protocol block this channel was opened in; another one there is an error.
    const void* opened_in = nullptr;
};

enum class VrfKind : std::uint8_t { any, default_, named };

struct ProtocolConfig : Block {
    ProtocolConfig() = default;
    /// Copies everything but the channels, which the syntax copies one by one.
    ProtocolConfig(const ProtocolConfig& other);
    ProtocolConfig& operator=(const ProtocolConfig&) = delete;

    const ProtocolSyntax* syntax = nullptr;
    std::string name;
    Position position = {};
    bool is_template = false;
    std::string from;  ///< name of the template or protocol copied, or empty
    bool disabled = false;
    loops::Duration restart_time = loops::seconds(5);
    TraceMask debug = 0;
    std::optional<RouterId> router_id;    ///< none: the global one
    std::optional<std::string> hostname;  ///< none: the global one
    std::string description;
    VrfKind vrf_kind = VrfKind::any;
    std::string vrf;
    const ThreadGroupConfig* thread_group = nullptr;  ///< null: the default group
    std::vector<std::unique_ptr<ChannelConfig>> channels;

    [[nodiscard]] ChannelConfig* find_channel(std::string_view channel_name) const;
};

/// One part of an `interface` list.
struct InterfaceClause {
    bool negative = false;
    std::optional<std::string> mask;    ///< shell pattern with * ? and \x
    std::optional<net::Prefix> prefix;  ///< a bare address is a prefix of full length
    friend bool operator==(const InterfaceClause&, const InterfaceClause&) = default;
};

/// `"eth*", -"eth1", 10.0.0.0/8`: the first clause that matches decides.
struct InterfacePattern {
    std::vector<InterfaceClause> clauses;
    friend bool operator==(const InterfacePattern&, const InterfacePattern&) = default;
};

}  // namespace tern::config
