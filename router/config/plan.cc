#include "router/config/plan.h"

#include "router/config/syntax.h"
#include "router/config/values.h"

#include <fmt/format.h>

namespace tern::config {

namespace {

bool same_filter(const Config& config, const filter::Filter* a, const filter::Filter* b) {
    if (a == b) return true;
    if (a == nullptr || b == nullptr) return false;
    return config.language().same(*a, *b);
}

/// Remembers the first option that differs, for the human.
void note_reason(std::string& reason, Rows rows, const Block& a, const Block& b) {
    if (!reason.empty()) return;
    for (const OptionRow& row : rows) {
        if (row.equal == nullptr || row.effect == Effect::none || row.equal(a, b)) continue;
        reason = row.words;
        return;
    }
}

Effect compare_filters(const Config& now_config, const ChannelConfig& a, const ChannelConfig& b) {
    Effect effect = Effect::none;
    if (!same_filter(now_config, a.import_filter, b.import_filter) || a.import_in != b.import_in) {
        effect |= Effect::reload_import;
    }
    if (!same_filter(now_config, a.export_filter, b.export_filter) || a.export_in != b.export_in) {
        effect |= Effect::reload_export;
    }
    return effect;
}

ChannelStep plan_channel(const Config& now_config,
                         const ChannelConfig& a,
                         const ChannelConfig& b,
                         PlanOptions options,
                         std::string& reason) {
    ChannelStep step;
    step.old = &a;
    step.now = &b;
    if (!options.soft) {
        step.effect |= compare_filters(now_config, a, b);
        if (has(step.effect, Effect::reload) && reason.empty()) reason = "filter";
    }
    step.effect |= compare_rows(channel_rows(), a, b);
    step.effect |= compare_rows(b.syntax->rows, a, b);
    note_reason(reason, channel_rows(), a, b);
    note_reason(reason, b.syntax->rows, a, b);
    if (a.preference != b.preference) step.effect |= Effect::reload_import;
    if (has(step.effect, Effect::restart | Effect::restart_channel)) {
        step.action = Action::restart;
    } else if (step.effect != Effect::none) {
        step.action = Action::modify;
    }
    return step;
}

void plan_channels(const Config& now_config, PlanOptions options, ProtocolStep& step) {
    for (const auto& channel : step.old->channels) {
        if (step.now->find_channel(channel->name) == nullptr) {
            step.channels.push_back({Action::stop, Effect::none, channel.get(), nullptr});
        }
    }
    for (const auto& channel : step.now->channels) {
        const ChannelConfig* before = step.old->find_channel(channel->name);
        if (before == nullptr) {
            step.channels.push_back({Action::start, Effect::none, nullptr, channel.get()});
        } else {
            step.channels.push_back(
                plan_channel(now_config, *before, *channel, options, step.reason));
        }
    }
}

bool table_recreated(const std::vector<TableStep>& tables, const TableConfig* table) {
    for (const TableStep& step : tables) {
        if (table != nullptr && step.old != nullptr && step.old->name == table->name) {
            return step.action == Action::restart;
        }
    }
    return false;
}

/// Router id and host name of the whole router restart those that have none of their own.
bool identity_changed(const Plan& plan, const ProtocolConfig& protocol) {
    return (plan.router_id_changed && !protocol.router_id) ||
           (plan.hostname_changed && !protocol.hostname);
}

ProtocolStep plan_protocol(const Plan& plan,
                           const Config& now_config,
                           const ProtocolConfig& a,
                           const ProtocolConfig& b,
                           PlanOptions options) {
    ProtocolStep step;
    step.old = &a;
    step.now = &b;
    if (a.syntax != b.syntax) {
        step.action = Action::restart;
        step.effect = Effect::restart;
        step.reason = "type";
        return step;
    }
    step.effect = compare_rows(b.syntax->rows, a, b) | compare_rows(protocol_rows(), a, b);
    note_reason(step.reason, b.syntax->rows, a, b);
    note_reason(step.reason, protocol_rows(), a, b);
    if (a.vrf != b.vrf) step.effect |= Effect::restart;
    if (b.syntax->compare != nullptr) step.effect |= b.syntax->compare(a, b);
    if (identity_changed(plan, b)) {
        step.effect |= Effect::restart;
        if (step.reason.empty()) step.reason = "router id or hostname";
    }
    plan_channels(now_config, options, step);
    for (const ChannelStep& channel : step.channels) {
        step.effect |= channel.effect;
        if (channel.now != nullptr && table_recreated(plan.tables, channel.now->table)) {
            step.effect |= Effect::restart;
            step.reason = "table";
        }
        if (channel.action != Action::keep) step.effect |= Effect::modify;
    }
    if (has(step.effect, Effect::restart)) {
        step.action = Action::restart;
    } else if (step.effect != Effect::none) {
        step.action = Action::modify;
    }
    return step;
}

bool in_use(const TableConfig& table) {
    return table.used || !table.implicit;
}

void plan_tables(const Config* old, const Config& now, Plan& plan) {
    for (const auto& table : now.tables) {
        if (!in_use(*table)) continue;
        TableStep step;
        step.now = table.get();
        step.old = old != nullptr ? old->find_table(table->name) : nullptr;
        if (step.old != nullptr && !in_use(*step.old)) step.old = nullptr;
        if (step.old == nullptr) {
            step.action = Action::start;
        } else {
            const Effect effect = compare_rows(table_rows(), *step.old, *table);
            if (step.old->type != table->type || has(effect, Effect::restart)) {
                step.action = Action::restart;
            } else if (effect != Effect::none) {
                step.action = Action::modify;
            }
        }
        plan.tables.push_back(step);
    }
    if (old == nullptr) return;
    for (const auto& table : old->tables) {
        const TableConfig* after = now.find_table(table->name);
        if (in_use(*table) && (after == nullptr || !in_use(*after))) {
            plan.tables.push_back({Action::stop, table.get(), nullptr});
        }
    }
}

}  // namespace

std::string_view action_name(Action action) {
    switch (action) {
        case Action::keep:
            return "keep";
        case Action::start:
            return "start";
        case Action::stop:
            return "stop";
        case Action::restart:
            return "restart";
        case Action::modify:
            return "modify";
    }
    return "keep";
}

bool Plan::empty() const {
    for (const TableStep& step : tables) {
        if (step.action != Action::keep) return false;
    }
    for (const ProtocolStep& step : protocols) {
        if (step.action != Action::keep) return false;
    }
    return true;
}

std::string Plan::render() const {
    std::string out;
    for (const TableStep& step : tables) {
        if (step.action == Action::keep) continue;
        out += fmt::format("{} table {}\n", action_name(step.action),
                           step.now != nullptr ? step.now->name : step.old->name);
    }
    for (const ProtocolStep& step : protocols) {
        if (step.action == Action::keep) continue;
        out += fmt::format("{} {}", action_name(step.action), step.name());
        if (!step.reason.empty()) out += fmt::format(" ({})", step.reason);
        if (step.action == Action::modify && has(step.effect, Effect::reload_import)) {
            out += ", reload in";
        }
        if (step.action == Action::modify && has(step.effect, Effect::reload_export)) {
            out += ", reload out";
        }
        out += '\n';
    }
    return out;
}

Plan make_plan(const Config* old, const Config& now, PlanOptions options) {
    Plan plan;
    plan_tables(old, now, plan);
    if (old != nullptr) {
        // Without `router id` in the new configuration the old one is kept.
        plan.router_id_changed = now.router_id.has_value() && old->router_id != now.router_id;
        plan.hostname_changed = old->hostname != now.hostname;
        for (const auto& protocol : old->protocols) {
            if (now.find_protocol(protocol->name) != nullptr) continue;
            ProtocolStep step;
            step.action = Action::stop;
            step.old = protocol.get();
            plan.protocols.push_back(std::move(step));
        }
    }
    for (const auto& protocol : now.protocols) {
        const ProtocolConfig* before =
            old != nullptr ? old->find_protocol(protocol->name) : nullptr;
        if (before == nullptr) {
            ProtocolStep step;
            step.action = Action::start;
            step.now = protocol.get();
            plan.protocols.push_back(std::move(step));
        } else {
            plan.protocols.push_back(plan_protocol(plan, now, *before, *protocol, options));
        }
    }
    return plan;
}

}  // namespace tern::config
