#pragma once
/// One router: tables, protocols, configuration, commands, all hanging off this object. The process
/// makes one; a simulation makes many over one runtime and a network of its own. Lives in the main
/// loop of its runtime. What it needs of the outside world (runtime, network, log) is given to it
/// and outlives it. Order of the members is order of construction: what stands lower uses what
/// stands higher.

#include "alloc/pool.h"
#include "loops/runtime.h"
#include "router/attr/attribute_def.h"
#include "router/attr/attribute_store.h"
#include "router/base/log.h"
#include "router/cli/command.h"
#include "router/config/syntax.h"
#include "router/daemon/configurator.h"
#include "router/daemon/filter_environment.h"
#include "router/daemon/show_route_host.h"
#include "router/daemon/thread_groups.h"
#include "router/engine/recovery.h"
#include "router/engine/supervisor.h"
#include "router/iface/registry.h"
#include "router/net/prefix_index.h"
#include "router/os/network.h"
#include "router/table/route_source.h"

namespace tern::daemon {

/// Told about the router's end; called in the main loop.
class RouterObserver {
  public:
    virtual void router_finished() = 0;
    /// A configuration is about to be put in force: what concerns the process (log, control
    /// sockets, watchdog) is the observer's, and so is ending replies that refer to an older one.
    virtual void configured(const config::Config& config) = 0;
    /// A configuration on trial was not confirmed in time.
    virtual void undo_begins() = 0;
    /// No router id is configured and no interface has an address to take one from.
    virtual void no_router_id() = 0;

  protected:
    ~RouterObserver() = default;
};

struct RouterParts {
    loops::Runtime& runtime;
    locking::Domain<level::Control>& main_domain;
    os::Network& network;
    config::SourceReader& files;  ///< where configurations are read from
    Logger& log;
    RouterObserver& observer;
};

class Router final : private engine::SupervisorObserver, private ConfiguratorHost {
  public:
    explicit Router(const RouterParts& parts);
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;
    /// No thread of the runtime runs any more, and the caller holds no domain.
    ~Router();

    /// The syntax of all protocols, for reading configurations.
    [[nodiscard]] const config::SyntaxRegistry& syntax() const { return syntax_; }

    [[nodiscard]] Configurator& configurator() { return configurator_; }

    [[nodiscard]] engine::Supervisor& supervisor() { return supervisor_; }

    [[nodiscard]] const engine::Supervisor& supervisor() const { return supervisor_; }

    [[nodiscard]] cli::CommandTable& commands() { return commands_; }

    [[nodiscard]] iface::Registry& interfaces() { return interfaces_; }

    [[nodiscard]] attr::AttributeRegistry& attribute_registry() { return attribute_registry_; }

    [[nodiscard]] attr::AttributeStore& attributes() { return attributes_; }

    [[nodiscard]] table::SourceRegistry& sources() { return sources_; }

    [[nodiscard]] net::PrefixIndex& index(net::NetType type) {
        return type == net::NetType::ip4 ? index4_ : index6_;
    }

    [[nodiscard]] filter::Environment& filter_environment() { return environment_; }

    /// What all pools of the router are in.
    [[nodiscard]] alloc::Pool& pool() { return pool_; }

    [[nodiscard]] loops::Runtime& runtime() { return parts_.runtime; }

    [[nodiscard]] Logger& log() { return parts_.log; }

    [[nodiscard]] const engine::Identity& identity() const { return identity_; }

    [[nodiscard]] loops::Instant started() const { return started_; }

    /// What `show route` asks.
    [[nodiscard]] table::ShowRouteServices show_route_services() {
        return {show_host_, attribute_registry_, interfaces_, environment_, parts_.runtime.clock()};
    }

    [[nodiscard]] engine::Recovery& recovery() { return recovery_; }

    /// Ends all protocols; the observer hears when that is done. Main loop held, as everywhere
    /// here. `graceful`: forwarding is left as it is, for a daemon to come.
    void shutdown(bool graceful);

    [[nodiscard]] bool shutting_down() const { return shutting_down_; }

  private:
    void commit_finished() override;
    void shutdown_finished() override;
    void interfaces_known() override;
    void commit(const config::Plan& plan, const config::Config& next) override;
    [[nodiscard]] bool busy() const override;
    void undo_begins() override;

    RouterParts parts_;
    alloc::Pool pool_;
    attr::AttributeRegistry attribute_registry_;
    attr::AttributeStore attributes_;
    table::SourceRegistry sources_;
    net::PrefixIndex index4_{net::NetType::ip4};
    net::PrefixIndex index6_{net::NetType::ip6};
    iface::Registry interfaces_;
    FilterEnvironment environment_;
    config::SyntaxRegistry syntax_;
    ThreadGroups thread_groups_;
    engine::Identity identity_;
    engine::Supervisor supervisor_;
    engine::Recovery recovery_;
    engine::Services services_;
    Configurator configurator_;
    RouterShowHost show_host_{*this};
    cli::CommandTable commands_;
    loops::Instant started_;
    bool shutting_down_ = false;
};

}  // namespace tern::daemon
