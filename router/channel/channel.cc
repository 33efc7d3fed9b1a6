#include "router/channel/channel.h"

#include "loops/loop.h"

#include <fmt/format.h>

namespace tern::channel {

std::string_view name(LimitKind kind) {
    switch (kind) {
        case LimitKind::receive:
            return "receive";
        case LimitKind::import_:
            return "import";
        case LimitKind::export_:
            return "export";
    }
    return "";
}

std::string_view action_name(config::LimitAction action) {
    switch (action) {
        case config::LimitAction::warn:
            return "warn";
        case config::LimitAction::block:
            return "block";
        case config::LimitAction::restart:
            return "restart";
        case config::LimitAction::disable:
            return "disable";
    }
    return "";
}

Channel::Channel(ChannelHost& host,
                 const config::ChannelConfig& config,
                 table::Table& table,
                 std::uint16_t default_preference)
    : host_(host),
      config_(&config),
      default_preference_(default_preference),
      table_(table),
      import_(table, host.filter_environment(), *this),
      sweep_(on_sweep, this),
      reload_(on_reload, this) {}

Channel::~Channel() {
    set_refreshing(false);
}

/// While any channel of the table refreshes, exports from it settle for longer.
void Channel::set_refreshing(bool on) {
    if (refreshing_ == on) return;
    refreshing_ = on;
    table_.count_refresh(on);
}

ImportSettings Channel::import_settings() const {
    return {.filter = config_->import_filter,
            .preference = preference(),
            .keep_filtered = config_->keep_filtered,
            .receive_limit = config_->receive_limit,
            .import_limit = config_->import_limit};
}

ExportSettings Channel::export_settings() const {
    return {.filter = config_->export_filter,
            .inside = config_->export_in,
            .limit = config_->export_limit,
            .mode = config_->secondary ? table::ReadMode::all : table::ReadMode::best,
            .secondary = config_->secondary,
            .settle = config_->table->export_settle};
}

std::uint16_t Channel::preference() const {
    return config_->preference.value_or(default_preference_);
}

void Channel::open(RouteSink* sink) {
    import_.configure(import_settings());
    state_ = ChannelState::up;
    if (sink == nullptr) return;
    export_ = std::make_unique<ExportPath>(table_, host_.loop(), host_.filter_environment(), *sink,
                                           static_cast<ExportObserver&>(*this));
    export_->start(export_settings());
}

void Channel::close() {
    if (state_ != ChannelState::up) return;
    export_.reset();
    set_refreshing(false);
    state_ = ChannelState::flushing;
    import_.start_sweep(ImportPath::Sweep::withdraw_all, host_.source_owner());
    sweep_.send(host_.loop());
}

void Channel::on_sweep(void* context, loops::Turn& turn) {
    auto& self = *static_cast<Channel*>(context);
    do {
        if (!self.import_.sweep_step()) continue;
        if (self.state_ != ChannelState::flushing) return;
        self.state_ = ChannelState::down;
        self.host_.channel_flushed(self);
        return;
    } while (!turn.out_of_time());
    self.sweep_.send(self.host_.loop());
}

void Channel::begin_refresh() {
    set_refreshing(true);
    import_.start_sweep(ImportPath::Sweep::mark_stale, host_.source_owner());
    while (!import_.sweep_step()) {
    }
}

void Channel::end_refresh() {
    set_refreshing(false);
    import_.start_sweep(ImportPath::Sweep::withdraw_stale, host_.source_owner());
    sweep_.send(host_.loop());
}

bool Channel::reload_import() {
    if (state_ != ChannelState::up) return false;
    if (received() == nullptr) return host_.refresh_import(*this);
    import_.start_reload();
    reload_.send(host_.loop());
    return true;
}

void Channel::on_reload(void* context, loops::Turn& turn) {
    auto& self = *static_cast<Channel*>(context);
    do {
        if (self.import_.reload_step()) return;
    } while (!turn.out_of_time());
    self.reload_.send(self.host_.loop());
}

void Channel::reload_export() {
    if (export_ != nullptr) export_->refeed();
}

bool Channel::reconfigure(const config::ChannelConfig& next, config::Effect effect) {
    config_ = &next;
    if (state_ != ChannelState::up) return true;
    import_.configure(import_settings());
    if (export_ != nullptr) {
        export_->configure(export_settings());
        if (has(effect, config::Effect::reload_export)) export_->refeed();
    }
    return !has(effect, config::Effect::reload_import) || reload_import();
}

void Channel::limit_crossed(LimitKind kind, const config::Limit& limit, bool stop) {
    host_.log_channel(
        Severity::warning,
        fmt::format("Channel {}.{} hits route {} limit ({}), action: {}", host_.name(), name(),
                    channel::name(kind), limit.value.value_or(0), action_name(limit.action)));
    if (stop) host_.limit_stop(kind, limit.action);
}

void Channel::export_limit_crossed(const config::Limit& limit, bool stop) {
    limit_crossed(LimitKind::export_, limit, stop);
}

void Channel::bogus_route(const net::Prefix& prefix) {
    host_.log_channel(Severity::warning, fmt::format("{}.{}: Ignoring bogus route {}", host_.name(),
                                                     name(), prefix.to_string()));
}

config::TraceMask Channel::trace_mask() const {
    return config_->debug | host_.trace_mask();
}

void Channel::trace_import(std::string_view what, const net::Prefix& prefix) {
    host_.log_channel(Severity::trace,
                      fmt::format("{}.{} > {} {}", host_.name(), name(), what, prefix.to_string()));
}

void Channel::trace_export(std::string_view what, const net::Prefix& prefix) {
    host_.log_channel(Severity::trace,
                      fmt::format("{}.{} < {} {}", host_.name(), name(), what, prefix.to_string()));
}

}  // namespace tern::channel
