#include "router/proto/pipe/pipe.h"

#include "router/filter/filter.h"

#include <fmt/format.h>

namespace tern::pipe {
namespace {

/// The pipe's own owner: none of its routes stand under it, those have owners of their sources.
class NoRoutes final : public table::RouteClass {
  public:
    [[nodiscard]] unsigned order() const override { return 100; }

    [[nodiscard]] std::string info(const table::RouteValue&,
                                   const table::SourceOwner&) const override {
        return {};
    }
};

class PipeOwner final : public table::SourceOwner {
  public:
    using SourceOwner::SourceOwner;

    [[nodiscard]] std::uint32_t source_kind() const override { return 0; }
};

const table::RouteClass& route_class() {
    static const NoRoutes none;
    return none;
}

std::string_view state_name(const Direction& direction) {
    return direction.feeding() ? "FEEDING" : "READY";
}

std::string_view filter_name(const filter::Filter* filter) {
    return filter == nullptr ? "REJECT" : filter->name();
}

void show_counters(cli::Output& out, std::string_view key, const Direction& direction) {
    using cli::Field;
    const bool import = key == "import";
    const channel::ExportStats& path = direction.stats();
    const Direction::Arrivals& in = direction.arrivals();
    out.begin_object(key);
    out.line(cli::ReplyCode::protocol_details,
             "    {label} updates:     {updates_received:>10} {updates_rejected:>10} "
             "{updates_filtered:>10} {updates_ignored:>10} {updates_accepted:>10}",
             {Field{"label", import ? "Import" : "Export", cli::Audience::text_only},
              Field{"updates_received", path.updates.received},
              Field{"updates_rejected", path.updates.rejected},
              Field{"updates_filtered", path.updates.filtered},
              Field{"updates_ignored", in.updates_ignored},
              Field{"updates_accepted", in.updates_accepted}});
    out.line(
        cli::ReplyCode::protocol_details,
        "    {label} withdraws:   {withdraws_received:>10} {withdraws_rejected:>10}        --- "
        "{withdraws_ignored:>10} {withdraws_accepted:>10}",
        {Field{"label", import ? "Import" : "Export", cli::Audience::text_only},
         Field{"withdraws_received", path.withdraws.received},
         Field{"withdraws_rejected", path.withdraws.rejected},
         Field{"withdraws_ignored", path.withdraws.ignored},
         Field{"withdraws_accepted", in.withdraws_accepted}});
    out.end();
}

}  // namespace

Pipe::Pipe(engine::Instance& instance)
    : Protocol(instance),
      config_(static_cast<const PipeConfig*>(&instance.config())),
      sweep_(on_sweep, this) {}

Pipe::~Pipe() = default;

channel::ExportSettings Pipe::settings(channel::LimitKind kind) const {
    const config::ChannelConfig& channel = channel_config();
    const bool import = kind == channel::LimitKind::import_;
    return {.filter = import ? channel.import_filter : channel.export_filter,
            .inside = import ? channel.import_in : channel.export_in,
            .limit = import ? channel.import_limit : channel.export_limit,
            .mode = table::ReadMode::all,
            .settle = import ? config_->peer_table->export_settle : channel.table->export_settle};
}

DirectionRules Pipe::rules() const {
    return {.max_generation = config_->max_generation, .preference = channel_config().preference};
}

void Pipe::start() {
    engine::Services& services = instance().services();
    instance().set_owner(std::make_unique<PipeOwner>(route_class(), instance().config().name));
    channel::Channel& channel = *instance().channels().front();
    table::Table& primary = channel.table();
    table::Table* const peer = services.tables.find(config_->peer_table->name);
    TERN_ASSERT(peer != nullptr, "the peer table of a pipe does not exist");
    auto& observer = static_cast<DirectionObserver&>(*this);
    loops::Loop& loop = instance().loop();
    filter::Environment& environment = services.filter_environment;
    export_.emplace(
        Direction::Setup{primary, *peer, loop, environment, channel::LimitKind::export_}, this,
        observer);
    import_.emplace(
        Direction::Setup{*peer, primary, loop, environment, channel::LimitKind::import_}, this,
        observer);
    instance().up();
    instance().open_channel(channel, nullptr);
    export_->start(settings(channel::LimitKind::export_), rules());
    import_->start(settings(channel::LimitKind::import_), rules());
}

void Pipe::shutdown(const engine::StopRequest&) {
    export_->stop();
    import_->stop();
    sweep_.send(instance().loop());
}

/// Our routes leave both tables before the instance is told that nothing of it is left.
void Pipe::on_sweep(void* context, loops::Turn& turn) {
    auto& self = *static_cast<Pipe*>(context);
    for (std::optional<Direction>* direction : {&self.export_, &self.import_}) {
        while (direction->has_value()) {
            if ((*direction)->sweep_step()) direction->reset();
            if (!turn.out_of_time()) continue;
            self.sweep_.send(self.instance().loop());
            return;
        }
    }
    self.instance().down();
}

bool Pipe::reconfigure(const config::ProtocolConfig& next, config::Effect effect) {
    config_ = static_cast<const PipeConfig*>(&next);
    if (!import_ || !export_) return true;
    export_->configure(settings(channel::LimitKind::export_), rules());
    import_->configure(settings(channel::LimitKind::import_), rules());
    if (has(effect, config::Effect::reload_import)) import_->refeed();
    if (has(effect, config::Effect::reload_export)) export_->refeed();
    return true;
}

void Pipe::channel_changed(channel::Channel&, config::Effect effect) {
    if (has(effect, config::Effect::reload_import) && import_) import_->refeed();
    if (has(effect, config::Effect::reload_export) && export_) export_->refeed();
}

/// Both directions reload together.
bool Pipe::refresh_import(channel::Channel&) {
    if (import_) import_->refeed();
    if (export_) export_->refeed();
    return true;
}

void Pipe::refresh_export(channel::Channel& channel) {
    static_cast<void>(refresh_import(channel));
}

config::TraceMask Pipe::trace_mask() const {
    return instance().debug() | channel_config().debug;
}

void Pipe::trace_route(channel::LimitKind direction,
                       std::string_view what,
                       const net::Prefix& prefix) {
    const char arrow = direction == channel::LimitKind::import_ ? '>' : '<';
    instance().log(Severity::trace, "{} {} {}", arrow, what, prefix.to_string());
}

void Pipe::limit_crossed(channel::LimitKind kind, const config::Limit& limit, bool stop) {
    instance().log_channel(
        Severity::warning,
        fmt::format("Channel {}.main hits route {} limit ({}), action: {}", instance().name(),
                    channel::name(kind), limit.value.value_or(0),
                    channel::action_name(limit.action)));
    if (stop) instance().limit_stop(kind, limit.action);
}

void Pipe::overpiped(const net::Prefix& prefix) {
    instance().services().log.log_limited(overpiped_limit_, Severity::error, instance().name(),
                                          "Route overpiped ({} pipes) for {}",
                                          config_->max_generation, prefix.to_string());
}

std::string Pipe::info() const {
    return fmt::format("{} <=> {}", channel_config().table->name, config_->peer_table->name);
}

void Pipe::show_details(cli::Output& out) const {
    using cli::Field;
    constexpr auto code = cli::ReplyCode::protocol_details;
    if (!import_ || !export_) return;
    const config::ChannelConfig& channel = channel_config();
    out.begin("channels");
    out.line(code, "  Channel {name}", {Field{"name", "main"}});
    out.line(code, "    Table:          {table}", {Field{"table", channel.table->name}});
    out.line(code, "    Peer table:     {peer_table}",
             {Field{"peer_table", config_->peer_table->name}});
    out.line(code, "    Import state:   {import_state}",
             {Field{"import_state", state_name(*import_)}});
    out.line(code, "    Export state:   {export_state}",
             {Field{"export_state", state_name(*export_)}});
    out.line(code, "    Import filter:  {import_filter}",
             {Field{"import_filter", filter_name(channel.import_filter)}});
    out.line(code, "    Export filter:  {export_filter}",
             {Field{"export_filter", filter_name(channel.export_filter)}});
    out.line(code, "  Routes:         {imported} imported, {exported} exported",
             {Field{"imported", import_->arrivals().routes},
              Field{"exported", export_->arrivals().routes}});
    out.text(code,
             "  Route change stats:     received   rejected   filtered    ignored   accepted");
    show_counters(out, "import", *import_);
    show_counters(out, "export", *export_);
    out.end();
}

const engine::ProtocolDescriptor& descriptor() {
    static const engine::ProtocolDescriptor result = {
        .placement = engine::LoopPlacement::worker,
        .start_phase = 1,
        .syntax = &syntax(),
        .create = engine::create<Pipe>,
    };
    return result;
}

}  // namespace tern::pipe
