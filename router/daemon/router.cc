#include "router/daemon/router.h"

#include "router/attr/core_attributes.h"
#include "router/config/parse_filter.h"
#include "router/daemon/commands.h"
#include "router/daemon/protocols.h"
#include "router/iface/router_id.h"
#include "router/os/host.h"

namespace tern::daemon {

Router::Router(const RouterParts& parts)
    : parts_(parts),
      pool_(parts.main_domain, "router"),
      environment_(parts.log, interfaces_),
      syntax_(config::make_filter_language, &attribute_registry_),
      thread_groups_(parts.runtime),
      supervisor_(protocol_descriptors(), {&index4_, &index6_}, *this),
      recovery_(parts.runtime.main_loop(), supervisor_, parts.log),
      services_{.runtime = parts.runtime,
                .main_loop = parts.runtime.main_loop(),
                .pool = pool_,
                .log = parts.log,
                .attributes = attributes_,
                .sources = sources_,
                .interfaces = interfaces_,
                .network = parts.network,
                .filter_environment = environment_,
                .thread_groups = thread_groups_,
                .tables = supervisor_,
                .recovery = recovery_,
                .identity = identity_},
      configurator_(parts.runtime.main_loop(), {parts.files, syntax_, *this}),
      started_(parts.runtime.clock().now()) {
    attr::register_core_attributes(attribute_registry_);
    register_protocol_attributes(attribute_registry_);
    for (const engine::ProtocolDescriptor* each : protocol_descriptors())
        syntax_.add(*each->syntax);
    identity_.hostname = os::host_name();
    supervisor_.set_services(services_);
    add_commands(*this);
}

/// Protocols and tables go with the main loop's domain held; the stores wait for readers, which
/// nobody may do while holding anything.
Router::~Router() {
    const locking::TransitLock lock(parts_.main_domain);
    supervisor_.clear();
}

bool Router::busy() const {
    return supervisor_.committing();
}

void Router::undo_begins() {
    parts_.log.log(Severity::info, {}, "Config timeout expired, starting undo");
    parts_.observer.undo_begins();
}

void Router::commit(const config::Plan& plan, const config::Config& next) {
    thread_groups_.apply(next);
    parts_.observer.configured(next);
    identity_.hostname = next.hostname.value_or(os::host_name());
    if (next.router_id) identity_.router_id = *next.router_id;
    supervisor_.commit(plan, next);
}

/// The device protocol has scanned: without a configured router id take one of our addresses. An id
/// once chosen stays until a configuration says otherwise.
void Router::interfaces_known() {
    const config::Config* config = configurator_.running();
    if (config == nullptr || config->router_id) return;
    const bool again = config->router_id_from.has_value();
    if (identity_.router_id.value() != 0 && !again) return;
    const auto chosen =
        iface::choose_router_id(interfaces_, again ? &*config->router_id_from : nullptr);
    if (chosen) {
        identity_.router_id = chosen->id;
        parts_.log.log(Severity::info, {}, "Chosen router ID {} according to interface {}",
                       net::IpAddress::v4(chosen->id.value()).to_string(), chosen->interface);
        return;
    }
    if (identity_.router_id.value() != 0) {
        parts_.log.log(Severity::warning, {}, "Cannot determine router ID, using old one");
    } else if (interfaces_.size() != 0) {
        parts_.observer.no_router_id();
    }
}

void Router::commit_finished() {
    configurator_.commit_finished();
}

void Router::shutdown(bool graceful) {
    if (shutting_down_) return;
    shutting_down_ = true;
    parts_.log.log(Severity::info, {}, "Shutting down{}", graceful ? " for graceful restart" : "");
    configurator_.stop();
    supervisor_.shutdown(graceful);
}

void Router::shutdown_finished() {
    parts_.observer.router_finished();
}

}  // namespace tern::daemon
