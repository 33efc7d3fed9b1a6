#pragma once
/// One configured protocol as the engine sees it: state, channels, loop, messages, around the
/// object of the protocol itself. Created and destroyed by the Supervisor in the main loop;
/// everything in between happens in the instance's own loop, with its domain held (the main loop
/// takes it to give orders and to look). The instance never decides when to run; it reports
/// `changed` to the supervisor and obeys.

#include "loops/event.h"
#include "loops/loop.h"
#include "router/channel/channel.h"
#include "router/config/plan.h"
#include "router/engine/protocol.h"
#include "router/engine/services.h"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tern::engine {

/// How the supervisor hears of an instance.
class InstanceObserver {
  public:
    /// Sent from the instance's loop, delivered in the main loop.
    virtual void instance_changed(Instance& instance) = 0;

  protected:
    ~InstanceObserver() = default;
};

class Instance final : public channel::ChannelHost {
  public:
    /// All of the setup outlives the instance; the loop's domain is not yet needed.
    struct Setup {
        const ProtocolDescriptor& descriptor;
        const config::ProtocolConfig& config;
        Services& services;
        ProtocolShared* shared;  ///< of the type; may be null
        loops::Loop& loop;
    };

    Instance(const Setup& setup, InstanceObserver& observer);
    Instance(const Instance&) = delete;
    Instance& operator=(const Instance&) = delete;
    ~Instance();

    // Orders; the caller holds the loop's domain.
    void start();
    void stop(const StopRequest& request);
    /// Takes over a changed configuration; false if that needs a restart after all.
    bool reconfigure(const config::ProtocolStep& step);
    /// Switches to an equal configuration, as the old one goes away.
    void adopt(const config::ProtocolConfig& next);

    struct Reload {
        bool in = true;
        bool out = true;
    };

    /// False if routes cannot be announced again (no route refresh).
    bool reload(const Reload& which);

    // Reports of the protocol, in its loop.
    void up();
    void down();
    /// Something went wrong: go down, and come back if the reason allows it.
    void fail(const StopRequest& request);
    /// Goes down and stays there until the operator enables it.
    void give_up(const StopRequest& request);

    void set_message(std::string message) { message_ = std::move(message); }

    // What the protocol needs.
    [[nodiscard]] const config::ProtocolConfig& config() const { return *config_; }

    [[nodiscard]] Services& services() const { return services_; }

    [[nodiscard]] ProtocolShared* shared() const { return shared_; }

    [[nodiscard]] RouterId router_id() const;
    [[nodiscard]] std::string_view hostname() const;

    [[nodiscard]] std::span<const std::unique_ptr<channel::Channel>> channels() const {
        return channels_;
    }

    [[nodiscard]] channel::Channel* channel(std::string_view name) const;

    /// The owner of the routes of the present run; null before the protocol has set one.
    [[nodiscard]] table::SourceOwner* owner() const { return owner_; }

    /// Takes the owner over, made with `new` by the protocol; only while no route of an earlier one
    /// is left.
    void set_owner(std::unique_ptr<table::SourceOwner> owner);
    /// Opens one channel (BGP opens those that were negotiated); all of them if the protocol leaves
    /// that to `up()`.
    void open_channel(channel::Channel& channel, channel::RouteSink* sink);
    /// Closes all channels and removes their routes without ending the run (a lost BGP session).
    /// `Protocol::channels_closed()` follows.
    void close_channels();

    template <class... A>
    void log(Severity severity, fmt::format_string<A...> format, A&&... arguments) const {
        services_.log.log(severity, name(), format, std::forward<A>(arguments)...);
    }

    template <class... A>
    void trace(config::Trace kind, fmt::format_string<A...> format, A&&... arguments) const {
        if (!config::traces(debug_, kind)) return;
        services_.log.log(Severity::trace, name(), format, std::forward<A>(arguments)...);
    }

    // What shows need; the caller holds the loop's domain.
    [[nodiscard]] ProtocolState state() const { return state_; }

    [[nodiscard]] const ProtocolDescriptor& descriptor() const { return descriptor_; }

    [[nodiscard]] const Protocol* protocol() const { return protocol_.get(); }

    [[nodiscard]] loops::Instant created() const { return created_; }

    [[nodiscard]] loops::Instant last_change() const { return last_change_; }

    [[nodiscard]] std::optional<loops::Instant> last_restart() const { return last_restart_; }

    [[nodiscard]] const std::string& message() const { return message_; }

    [[nodiscard]] config::TraceMask debug() const { return debug_; }

    void set_debug(config::TraceMask mask) { debug_ = mask; }

    /// It went down by itself and is to be started again.
    [[nodiscard]] bool wants_restart() const { return wants_restart_; }

    /// It went down by itself and counts as disabled.
    [[nodiscard]] bool gave_up() const { return gave_up_; }

    // channel::ChannelHost
    [[nodiscard]] std::string_view name() const override { return config_->name; }

    [[nodiscard]] loops::Loop& loop() const override { return loop_; }

    [[nodiscard]] filter::Environment& filter_environment() const override;

    [[nodiscard]] const table::SourceOwner& source_owner() const override { return *owner_; }

    void log_channel(Severity severity, std::string_view text) const override;

    [[nodiscard]] config::TraceMask trace_mask() const override { return debug_; }

    void channel_flushed(channel::Channel& channel) override;
    void limit_stop(channel::LimitKind kind, config::LimitAction action) override;
    bool refresh_import(channel::Channel& channel) override;

  private:
    void apply(ProtocolEvent event);
    void perform(ProtocolAction action);
    void begin();
    void keep_received(channel::Channel& channel);
    void create_channels();
    void flush();
    void finish();
    [[nodiscard]] bool channels_down() const;
    static void on_changed(void* instance, loops::Turn& turn);
    static void on_flushed(void* instance, loops::Turn& turn);
    static void on_limit(void* instance, loops::Turn& turn);

    const ProtocolDescriptor& descriptor_;
    const config::ProtocolConfig* config_;
    Services& services_;
    ProtocolShared* shared_;
    loops::Loop& loop_;
    InstanceObserver& observer_;
    ProtocolState state_ = ProtocolState::down;
    std::unique_ptr<Protocol> protocol_;
    table::SourceOwner* owner_ = nullptr;
    // What channels have received, for those that keep it; made and destroyed in the main loop.
    std::vector<std::unique_ptr<table::Table>> mirrors_;
    std::vector<std::unique_ptr<channel::Channel>> channels_;
    StopRequest stop_request_;
    std::string message_;
    config::TraceMask debug_;
    bool wants_restart_ = false;
    bool gave_up_ = false;
    bool closing_channels_ = false;
    channel::LimitKind limit_kind_ = channel::LimitKind::import_;  // of the limit to stop for
    config::LimitAction limit_action_ = config::LimitAction::disable;
    loops::Instant created_;
    loops::Instant last_change_;
    loops::Instant last_start_;
    std::optional<loops::Instant> last_restart_;
    loops::Event changed_;  // to the main loop
    loops::Event flushed_;  // to the own loop
    loops::Event limit_;    // likewise
};

}  // namespace tern::engine
