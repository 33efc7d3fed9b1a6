#include "router/channel/channel.h"

#include <fmt/format.h>

namespace tern::channel {

namespace {

using cli::Field;
using cli::ReplyCode;

constexpr auto code = ReplyCode::protocol_details;

std::string number(std::uint64_t value) {
    return fmt::format("{:>10}", value);
}

/// One row of the statistics; a column that cannot happen for this row shows `---`.
struct Row {
    std::string_view label;
    std::string_view key;
    const ChangeCounters& counters;
    bool rejected, filtered, receive_limit, limit;
};

void show_row(cli::Output& out, const Row& row) {
    const ChangeCounters& c = row.counters;
    const std::string blank = "       ---";
    out.begin_object(row.key);
    out.line(code,
             "      {label:<19} {received_text} {rejected_text} {filtered_text} {ignored_text} "
             "{rx_limit_text} {limit_text} {accepted_text}",
             {Field{"label", row.label, cli::Audience::text_only},
              Field{"received_text", number(c.received), cli::Audience::text_only},
              Field{"rejected_text", row.rejected ? number(c.rejected) : blank,
                    cli::Audience::text_only},
              Field{"filtered_text", row.filtered ? number(c.filtered) : blank,
                    cli::Audience::text_only},
              Field{"ignored_text", number(c.ignored), cli::Audience::text_only},
              Field{"rx_limit_text", row.receive_limit ? number(c.receive_limit) : blank,
                    cli::Audience::text_only},
              Field{"limit_text", row.limit ? number(c.limit) : blank, cli::Audience::text_only},
              Field{"accepted_text", number(c.accepted), cli::Audience::text_only},
              Field{"received", c.received}, Field{"rejected", c.rejected},
              Field{"filtered", c.filtered}, Field{"ignored", c.ignored},
              Field{"receive_limit", c.receive_limit}, Field{"limit", c.limit},
              Field{"accepted", c.accepted}});
    out.end();
}

std::string_view import_state(ChannelState state) {
    switch (state) {
        case ChannelState::down:
            return "DOWN";
        case ChannelState::up:
            return "UP";
        case ChannelState::flushing:
            return "FLUSHING";
    }
    return "";
}

std::string_view filter_name(const filter::Filter* filter) {
    return filter == nullptr ? "REJECT" : filter->name();
}

/// What does not depend on routes.
struct Head {
    std::string_view state;
    std::string_view import_state;
    std::string_view export_state;
    std::string_view table;
    std::uint16_t preference;
};

void show_head(cli::Output& out, const config::ChannelConfig& config, const Head& head) {
    out.line(code, "  Channel {channel}", {Field{"channel", config.name}});
    out.line(code, "    State:          {state}", {Field{"state", head.state}});
    out.line(code, "    Import state:   {import_state}",
             {Field{"import_state", head.import_state}});
    out.line(code, "    Export state:   {export_state}",
             {Field{"export_state", head.export_state}});
    out.line(code, "    Table:          {table}", {Field{"table", head.table}});
    out.line(code, "    Preference:     {preference}",
             {Field{"preference", std::uint32_t{head.preference}}});
    out.line(code, "    Input filter:   {input_filter}",
             {Field{"input_filter", filter_name(config.import_filter)}});
    out.line(code, "    Output filter:  {output_filter}",
             {Field{"output_filter", filter_name(config.export_filter)}});
}

}  // namespace

void Channel::show_limit(cli::Output& out,
                         std::string_view label,
                         std::string_view key,
                         const RouteLimit& limit) const {
    if (!limit.config().value) return;
    out.begin_object(key);
    out.line(code, "    {label:<15} {limit}{hit_text}",
             {Field{"label", label, cli::Audience::text_only},
              Field{"limit", limit.config().value.value_or(0)},
              Field{"hit_text", limit.hit() ? " [HIT]" : "", cli::Audience::text_only},
              Field{"hit", limit.hit()}});
    out.line(code, "      Action:       {action}",
             {Field{"action", action_name(limit.config().action)}});
    out.end();
}

void Channel::show(cli::Output& out) const {
    if (export_ == nullptr) {
        show(out, ExportStats{}, "DOWN");
        return;
    }
    show(out, export_->stats(), export_->feeding() ? "FEEDING" : "READY");
}

void Channel::show(cli::Output& out,
                   const ExportStats& exports,
                   std::string_view export_state) const {
    const ImportStats& imports = import_.stats();
    out.begin("channels");
    show_head(out, *config_,
              {.state = state_ == ChannelState::flushing ? "STOP" : import_state(state_),
               .import_state = import_state(state_),
               .export_state = export_state,
               .table = table_.name(),
               .preference = preference()});
    show_limit(out, "Receive limit:", "receive_limit", import_.receive_limit());
    show_limit(out, "Import limit:", "import_limit", import_.import_limit());
    if (export_ != nullptr) show_limit(out, "Export limit:", "export_limit", export_->limit());
    if (state_ != ChannelState::down) {
        const std::string filtered = config_->keep_filtered || config_->keep_received
                                         ? fmt::format("{} filtered, ", imports.filtered)
                                         : "";
        out.line(code,
                 "    Routes:         {imported} imported, {filtered_text}{exported} exported, "
                 "{preferred} preferred",
                 {Field{"imported", imports.routes},
                  Field{"filtered_text", filtered, cli::Audience::text_only},
                  Field{"filtered", imports.filtered}, Field{"exported", exports.routes},
                  Field{"preferred", host_.source_owner().preferred(type())}});
        out.text(code,
                 "    Route change stats:     received   rejected   filtered    ignored   "
                 "RX limit      limit   accepted");
        show_row(out,
                 {"Import updates:", "import_updates", imports.updates, true, true, true, true});
        show_row(out, {"Import withdraws:", "import_withdraws", imports.withdraws, true, false,
                       false, false});
        show_row(out,
                 {"Export updates:", "export_updates", exports.updates, true, true, false, true});
        show_row(out, {"Export withdraws:", "export_withdraws", exports.withdraws, false, false,
                       false, false});
    }
    out.end();
}

void show_down(cli::Output& out,
               const config::ChannelConfig& config,
               std::uint16_t default_preference) {
    out.begin("channels");
    show_head(out, config,
              {.state = "DOWN",
               .import_state = "DOWN",
               .export_state = "DOWN",
               .table = config.table->name,
               .preference = config.preference.value_or(default_preference)});
    out.end();
}

}  // namespace tern::channel
