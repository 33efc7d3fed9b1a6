#pragma once
/// The pipe protocol: carries the routes of one table into another, in both directions.
/// Runs in a loop of its own. All routes of a prefix travel, with their attributes, and stand in
/// the other table under an owner that speaks for the original one. A route never goes back
/// through the pipe it came from. No state per route: a prefix that changed is compared with what
/// the other table has of us.

#include "loops/event.h"
#include "router/engine/instance.h"
#include "router/engine/protocol.h"
#include "router/proto/pipe/config.h"
#include "router/proto/pipe/direction.h"

#include <memory>
#include <optional>
#include <string>

namespace tern::pipe {

class Pipe final : public engine::Protocol, private DirectionObserver {
  public:
    explicit Pipe(engine::Instance& instance);
    ~Pipe() override;

    void start() override;
    void shutdown(const engine::StopRequest& request) override;
    bool reconfigure(const config::ProtocolConfig& next, config::Effect effect) override;
    bool refresh_import(channel::Channel& channel) override;
    void refresh_export(channel::Channel& channel) override;
    void channel_changed(channel::Channel& channel, config::Effect effect) override;
    [[nodiscard]] std::string info() const override;
    void show_details(cli::Output& out) const override;

    [[nodiscard]] bool opens_channels() const override { return true; }

    [[nodiscard]] bool shows_channels() const override { return true; }

  private:
    static void on_sweep(void* pipe, loops::Turn& turn);
    void limit_crossed(channel::LimitKind kind, const config::Limit& limit, bool stop) override;
    [[nodiscard]] config::TraceMask trace_mask() const override;
    void trace_route(channel::LimitKind direction,
                     std::string_view what,
                     const net::Prefix& prefix) override;
    void overpiped(const net::Prefix& prefix) override;
    [[nodiscard]] channel::ExportSettings settings(channel::LimitKind kind) const;
    [[nodiscard]] DirectionRules rules() const;

    [[nodiscard]] const config::ChannelConfig& channel_config() const {
        return *config_->channels.front();
    }

    const PipeConfig* config_;
    std::optional<Direction> import_;  // peer table to primary table
    std::optional<Direction> export_;
    LogLimit overpiped_limit_{5, 20};
    loops::Event sweep_;
};

/// How the engine makes it.
[[nodiscard]] const engine::ProtocolDescriptor& descriptor();

}  // namespace tern::pipe
