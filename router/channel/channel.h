#pragma once
/// The connection of one protocol instance to one table: import path, export path, state, limits.
/// Owned by the protocol's instance and used in its loop, with that loop's domain held. A protocol
/// whose exports are shared (BGP) gives no sink and exports through its groups instead. The channel
/// never decides for its protocol: what goes beyond it (restart after a limit, refresh) it asks of
/// its host.

#include "loops/event.h"
#include "router/base/log.h"
#include "router/channel/export_path.h"
#include "router/channel/import_path.h"
#include "router/cli/output.h"

#include <memory>
#include <string>
#include <string_view>

namespace tern::channel {

class Channel;

/// What a channel needs of the instance it belongs to; called in the instance's loop.
class ChannelHost {
  public:
    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] virtual loops::Loop& loop() const = 0;
    [[nodiscard]] virtual filter::Environment& filter_environment() const = 0;
    /// The owner of all routes that the channel imports now.
    [[nodiscard]] virtual const table::SourceOwner& source_owner() const = 0;
    virtual void log_channel(Severity severity, std::string_view text) const = 0;
    /// What is traced of all its channels, beside what each of them says.
    [[nodiscard]] virtual config::TraceMask trace_mask() const = 0;
    /// After `close()`: the last route is out of the table.
    virtual void channel_flushed(Channel& channel) = 0;
    /// A limit with an action beyond blocking was crossed.
    virtual void limit_stop(LimitKind kind, config::LimitAction action) = 0;
    /// Announce everything of this channel again; false if the protocol cannot.
    virtual bool refresh_import(Channel& channel) = 0;

  protected:
    ~ChannelHost() = default;
};

enum class ChannelState : std::uint8_t { down, up, flushing };

class Channel final : private ImportObserver, private ExportObserver {
  public:
    Channel(ChannelHost& host,
            const config::ChannelConfig& config,
            table::Table& table,
            std::uint16_t default_preference);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();

    /// Opens the import path and, with a sink, starts the export feed.
    void open(RouteSink* sink);
    /// Stops exporting and removes all imported routes; the host hears `channel_flushed`.
    void close();

    [[nodiscard]] ChannelState state() const { return state_; }

    [[nodiscard]] ImportPath& import() { return import_; }

    /// Keeps routes as they were received (`import table`) in this table of its own, which the host
    /// keeps until the last route is out. Before `open`.
    void keep_received(table::Table& mirror) { import_.keep_received(mirror); }

    /// Null if they are not kept.
    [[nodiscard]] table::Table* received() const { return import_.received(); }

    [[nodiscard]] ExportPath* exporter() { return export_.get(); }

    [[nodiscard]] table::Table& table() const { return table_; }

    [[nodiscard]] const config::ChannelConfig& config() const { return *config_; }

    [[nodiscard]] std::string_view name() const { return config_->name; }

    /// Of imported routes, before the filter.
    [[nodiscard]] std::uint16_t preference() const;

    [[nodiscard]] net::NetType type() const { return table_.type(); }

    [[nodiscard]] filter::Environment& filter_environment() const {
        return host_.filter_environment();
    }

    /// Settings for an export path made elsewhere (groups).
    [[nodiscard]] ExportSettings export_settings() const;

    /// Takes over a changed configuration with the same table; `effect` is the plan's. False if the
    /// protocol would have to announce everything again and cannot.
    bool reconfigure(const config::ChannelConfig& next, config::Effect effect);
    /// False if the protocol cannot announce again.
    bool reload_import();
    void reload_export();

    /// Refresh cycle (RFC 7313, kernel scan): routes not announced between begin and end are
    /// withdrawn.
    void begin_refresh();
    void end_refresh();

    /// The channel's block of `show protocols all`. Export counters come from `exports`.
    void show(cli::Output& out, const ExportStats& exports, std::string_view export_state) const;
    void show(cli::Output& out) const;

    /// For the protocol that owns this channel; nothing here looks at it.
    void* context = nullptr;

  private:
    [[nodiscard]] ImportSettings import_settings() const;
    void show_limit(cli::Output& out,
                    std::string_view label,
                    std::string_view key,
                    const RouteLimit& limit) const;
    static void on_sweep(void* channel, loops::Turn& turn);
    static void on_reload(void* channel, loops::Turn& turn);
    void limit_crossed(LimitKind kind, const config::Limit& limit, bool stop) override;
    void bogus_route(const net::Prefix& prefix) override;
    void export_limit_crossed(const config::Limit& limit, bool stop) override;
    [[nodiscard]] config::TraceMask trace_mask() const override;
    void trace_import(std::string_view what, const net::Prefix& prefix) override;
    void trace_export(std::string_view what, const net::Prefix& prefix) override;
    void set_refreshing(bool on);

    ChannelHost& host_;
    const config::ChannelConfig* config_;
    std::uint16_t default_preference_;
    table::Table& table_;
    ChannelState state_ = ChannelState::down;
    ImportPath import_;
    std::unique_ptr<ExportPath> export_;
    loops::Event sweep_;
    loops::Event reload_;
    bool refreshing_ = false;
};

/// The channel's block of `show protocols all` when the protocol does not run.
void show_down(cli::Output& out,
               const config::ChannelConfig& config,
               std::uint16_t default_preference);

}  // namespace tern::channel
