#pragma once
/// What a protocol must provide. One object is one configured instance; the engine owns it through
/// its `Instance`, creates it in state start and destroys it after its cleanup. Every hook is
/// called in the instance's loop with its domain held, and reports back through `Instance` (up,
/// down, restart). A protocol never calls another one: what it shares it shares through tables, the
/// interface store and the small interfaces of this folder.

#include "router/channel/channel.h"
#include "router/cli/output.h"
#include "router/config/syntax.h"
#include "router/engine/lifecycle.h"
#include "router/table/route_source.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tern::channel {
class Channel;
class RouteSink;
}  // namespace tern::channel

namespace tern::engine {

class Instance;
struct Services;

/// Why a protocol is asked to stop; decides what it tells its peers (BGP: the Cease subcode).
enum class StopReason : std::uint8_t {
    disabled,       ///< command `disable`
    restarted,      ///< command `restart`
    removed,        ///< gone from the configuration, or disabled there
    reconfigured,   ///< changed in a way that needs a restart
    receive_limit,  ///< a limit with the action restart or disable
    import_limit,
    export_limit,
    router_down,       ///< the daemon shuts down
    graceful_restart,  ///< likewise, but another one will go on where this one stops
    failure,           ///< the protocol itself asked for it
};

struct StopRequest {
    StopReason reason = StopReason::disabled;
    std::string message;  ///< the operator's words, if any
};

class Protocol {
  public:
    explicit Protocol(Instance& instance) : instance_(instance) {}

    Protocol(const Protocol&) = delete;
    Protocol& operator=(const Protocol&) = delete;
    virtual ~Protocol() = default;

    /// State start: open sockets, subscribe, arm timers. Calls `Instance::up()` when it can route;
    /// simple protocols do so at once, which opens all their channels.
    virtual void start() = 0;
    /// State stop: end everything that runs; then call `Instance::down()`, at once or later.
    virtual void shutdown(const StopRequest& request) = 0;
    /// Applies a changed configuration without a restart; false if that is not possible. The old
    /// configuration stays valid until the call returns, the new one as long as it is in force.
    virtual bool reconfigure(const config::ProtocolConfig& next, config::Effect effect) = 0;

    /// Runs once after the last route is gone and before the object goes.
    virtual void cleanup() {}

    /// Import side of a reload: announce everything of this channel again (by route refresh or from
    /// own state). False if the protocol cannot: the engine then restarts it.
    virtual bool refresh_import(channel::Channel& channel) = 0;

    /// Export side of a reload: everything is sent again.
    virtual void refresh_export(channel::Channel& channel) { channel.reload_export(); }

    /// The channel has taken over a changed configuration.
    virtual void channel_changed(channel::Channel&, config::Effect) {}

    /// A channel that the engine opens exports to this sink; null if it only imports.
    virtual channel::RouteSink* sink(channel::Channel&) { return nullptr; }

    /// After `Instance::close_channels()`: the routes of the lost session are gone.
    virtual void channels_closed() {}

    /// Whether a route may reach the channel's export filter at all (`show route
    /// export|preexport`).
    [[nodiscard]] virtual bool may_export(const channel::Channel&,
                                          const table::RouteValue&,
                                          const table::SourceOwner&) const {
        return true;
    }

    /// Whether the channel has announced the prefix (`show route export`, `exported`); nothing if
    /// that is not known.
    [[nodiscard]] virtual std::optional<bool> has_exported(channel::Channel& channel,
                                                           net::PrefixId prefix) const {
        const channel::ExportPath* path = channel.exporter();
        if (path == nullptr) return std::nullopt;
        return path->running() && path->reader()->announced(prefix);
    }

    /// Column Info of `show protocols`.
    [[nodiscard]] virtual std::string info() const { return {}; }

    /// Opens its channels itself, one by one; otherwise `up()` opens all.
    [[nodiscard]] virtual bool opens_channels() const { return false; }

    /// The protocol's part of `show protocols all`, code 1006, before its channels.
    virtual void show_details(cli::Output&) const {}

    /// Its details include the channels, in a form of its own (pipe, BGP).
    [[nodiscard]] virtual bool shows_channels() const { return false; }

  protected:
    [[nodiscard]] Instance& instance() const { return instance_; }

  private:
    Instance& instance_;
};

/// What all instances of one type share in a router (BGP: listeners and export groups). Made before
/// the first instance, destroyed after the last one, in the main loop.
class ProtocolShared {
  public:
    ProtocolShared() = default;
    ProtocolShared(const ProtocolShared&) = delete;
    ProtocolShared& operator=(const ProtocolShared&) = delete;
    virtual ~ProtocolShared() = default;
};

/// Where an instance's loop runs.
enum class LoopPlacement : std::uint8_t {
    main,    ///< with the engine itself (device, kernel, static, direct)
    worker,  ///< own loop in the protocol's thread group (bgp, pipe)
};

/// Makes the object of one type of protocol.
template <class Type>
std::unique_ptr<Protocol> create(Instance& instance) {
    return std::make_unique<Type>(instance);
}

/// One protocol type: everything the router knows about it. The list is router/daemon/protocols.cc.
struct ProtocolDescriptor {
    LoopPlacement placement = LoopPlacement::worker;
    /// Order of start: device before kernel and pipe before static before the rest.
    unsigned start_phase = 3;
    const config::ProtocolSyntax* syntax = nullptr;  ///< names and options
    /// Its one channel is the main one: `show protocols` names its table.
    bool main_channel = false;
    /// Its channels give routes to it, not only to tables.
    bool exports = true;
    std::unique_ptr<Protocol> (*create)(Instance& instance) = nullptr;
    /// Null if instances share nothing.
    std::unique_ptr<ProtocolShared> (*make_shared)(Services& services) = nullptr;
};

}  // namespace tern::engine
