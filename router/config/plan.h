#pragma once

/// What has to happen to get from one configuration to another: a pure function and its result.
/// The engine applies a plan, `configure check` shows it. A plan borrows from both Configs and
/// is used while both live. It starts and stops nothing itself.

#include "router/config/config.h"

#include <string>
#include <string_view>
#include <vector>

namespace tern::config {

enum class Action : std::uint8_t {
    keep,     ///< nothing to do but switch to the new struct
    start,    ///< only in the new configuration
    stop,     ///< only in the old one
    restart,  ///< stop with the old, start with the new
    modify,   ///< reconfigure in place; see the effects
};

[[nodiscard]] std::string_view action_name(Action action);

struct ChannelStep {
    Action action = Action::keep;
    Effect effect = Effect::none;
    const ChannelConfig* old = nullptr;
    const ChannelConfig* now = nullptr;
};

struct ProtocolStep {
    Action action = Action::keep;
    Effect effect = Effect::none;
    const ProtocolConfig* old = nullptr;
    const ProtocolConfig* now = nullptr;
    std::vector<ChannelStep> channels;
    std::string reason;  ///< words of the first option that made it so

    [[nodiscard]] std::string_view name() const { return now ? now->name : old->name; }
};

struct TableStep {
    Action action = Action::keep;
    const TableConfig* old = nullptr;
    const TableConfig* now = nullptr;
};

struct Plan {
    std::vector<TableStep> tables;
    std::vector<ProtocolStep> protocols;  ///< stops first, then in the new file's order
    bool router_id_changed = false;
    bool hostname_changed = false;

    /// Nothing to start, stop, restart or reload.
    [[nodiscard]] bool empty() const;

    /// One line per step that does something: "restart bgp1 (neighbor)".
    [[nodiscard]] std::string render() const;
};

struct PlanOptions {
    bool soft = false;  ///< filters that changed do not reload
};

/// `old` may be null: everything starts.
[[nodiscard]] Plan make_plan(const Config* old, const Config& now, PlanOptions options);

}  // namespace tern::config
