#include "router/proto/kernel/kernel.h"

#include "router/attr/core_attributes.h"
#include "router/engine/recovery.h"
#include "router/iface/registry.h"

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>
#include <linux/rtnetlink.h>

namespace tern::kernel {
namespace {

/// Gives interfaces and static routes the time to appear.
constexpr loops::Duration first_scan_delay = loops::seconds(1);

class KernelRoutes final : public table::RouteClass {
  public:
    [[nodiscard]] unsigned order() const override { return 10; }

    /// Of several routes of the kernel the one with the lower metric.
    [[nodiscard]] bool better(const table::RouteValue& a,
                              const table::SourceOwner&,
                              const table::RouteValue& b,
                              const table::SourceOwner&) const override {
        return a.attributes->word_or(metric, 0) < b.attributes->word_or(metric, 0);
    }

    [[nodiscard]] std::string info(const table::RouteValue& route,
                                   const table::SourceOwner&) const override {
        return fmt::format("({})", route.preference);
    }

  private:
    static constexpr attr::AttributeId metric = attr::kernel_base + 1;
};

class KernelOwner final : public table::SourceOwner {
  public:
    using SourceOwner::SourceOwner;

    [[nodiscard]] std::uint32_t source_kind() const override {
        return static_cast<std::uint32_t>(attr::RouteOrigin::inherit);
    }
};

const table::RouteClass& route_class() {
    static const KernelRoutes routes;
    return routes;
}

Place place_of(const KernelConfig& config) {
    return {config.channels.front()->type == net::NetType::ip4, config.kernel_table, config.metric};
}

}  // namespace

Kernel::Kernel(engine::Instance& instance)
    : Protocol(instance),
      config_(static_cast<const KernelConfig*>(&instance.config())),
      place_(place_of(*config_)),
      sync_(config_->metric),
      scan_timer_(instance.loop(), loops::callback<&Kernel::on_scan_timer>(*this)),
      soon_timer_(instance.loop(), loops::callback<&Kernel::on_scan_timer>(*this)),
      scan_event_(loops::callback<&Kernel::step_scan>(*this)),
      interfaces_event_(loops::callback<&Kernel::on_interfaces>(*this)),
      recovered_(loops::callback<&Kernel::on_recovered>(*this)) {}

Kernel::~Kernel() {
    instance().services().recovery.forget(recovered_);
    while (!learned_.empty())
        forget(learned_.begin());
}

void Kernel::start() {
    instance().set_owner(std::make_unique<KernelOwner>(route_class(), instance().config().name));
    if (!open_sockets()) {
        instance().fail({engine::StopReason::failure, "Cannot open netlink sockets"});
        return;
    }
    instance().up();
    instance().open_channel(channel(), this);
    if (config_->merge_paths) {
        // All routes of a prefix are needed to find those that may be joined.
        channel::ExportPath* path = channel().exporter();
        channel::ExportSettings settings = channel().export_settings();
        settings.mode = table::ReadMode::all;
        path->stop();
        path->start(settings);
    }
    interfaces_.emplace(instance().services().interfaces, interfaces_event_, instance().loop());
    soon_timer_.in(first_scan_delay);
    if (deferring()) instance().services().recovery.tell(recovered_);
    if (!config_->scan_time.is_zero()) scan_timer_.every(config_->scan_time);
}

bool Kernel::open_sockets() {
    auto requests = os::NetlinkSocket::open(0);
    auto scans = os::NetlinkSocket::open(0);
    if (!requests || !scans) {
        const os::SystemError& error = requests ? scans.error() : requests.error();
        instance().log(Severity::error, "{}", error.text);
        return false;
    }
    requests_.emplace(std::move(*requests));
    scans_.emplace(std::move(*scans));
    batch_ = std::make_unique<os::RouteBatch>(*requests_);
    // Without learning, notifications would only be echoes of what we write.
    if (config_->learn == Learn::off) return true;
    os::NetlinkMonitor::Callbacks callbacks;
    callbacks.message = on_message;
    callbacks.batch_end = on_batch_end;
    callbacks.overrun = on_overrun;
    callbacks.context = this;
    auto monitor = os::NetlinkMonitor::open(
        instance().loop(), place_.v4 ? RTMGRP_IPV4_ROUTE : RTMGRP_IPV6_ROUTE, callbacks);
    if (!monitor) {
        instance().log(Severity::error, "{}", monitor.error().text);
        return false;
    }
    monitor_ = std::move(*monitor);
    if (config_->rx_buffer == 0) return true;
    if (auto done = monitor_->socket().set_receive_buffer(config_->rx_buffer); !done) {
        instance().log(Severity::warning, "{}", done.error().text);
    }
    return true;
}

void Kernel::shutdown(const engine::StopRequest& request) {
    const bool keeps = config_->persist || request.reason == engine::StopReason::graceful_restart;
    instance().services().recovery.forget(recovered_);
    recovered_.cancel();
    scan_timer_.stop();
    soon_timer_.stop();
    scan_event_.cancel();
    interfaces_.reset();
    interfaces_event_.cancel();
    monitor_.reset();
    scanning_ = false;
    if (batch_ && !keeps) {
        const net::PrefixIndex& index = channel().table().services().index;
        for (const net::PrefixId id : sync_.all()) {
            const net::Prefix prefix = index.prefix(id);
            if (const auto metric = sync_.withdraw(id)) remove(id, prefix, *metric);
        }
        flush_writes();
    }
    while (!learned_.empty())
        forget(learned_.begin());
    batch_.reset();
    requests_.reset();
    scans_.reset();
    instance().down();
}

bool Kernel::reconfigure(const config::ProtocolConfig& next, config::Effect) {
    config_ = static_cast<const KernelConfig*>(&next);
    if (!monitor_ || config_->rx_buffer == 0) return true;
    if (auto done = monitor_->socket().set_receive_buffer(config_->rx_buffer); !done) {
        instance().log(Severity::warning, "{}", done.error().text);
    }
    return true;
}

// --- exports ------------------------------------------------------------------------------------

channel::Preexport Kernel::preexport(const table::RouteValue& route,
                                     const table::SourceOwner& owner) {
    if (&owner == instance().owner()) return channel::Preexport::refuse;
    if (!capable(attr::next_hops(*route.attributes))) return channel::Preexport::refuse;
    return channel::Preexport::filter;
}

void Kernel::export_batch(std::span<const channel::ExportedRoute> routes) {
    if (!batch_) return;
    while (!routes.empty()) {
        std::size_t count = 1;
        while (!routes[count - 1].last && count < routes.size())
            ++count;
        export_prefix(routes.first(count));
        routes = routes.subspan(count);
    }
    flush_writes();
}

/// Next hops come from the table's route: what the export filter makes of them has no effect.
void Kernel::collect_hops(std::span<const channel::ExportedRoute> routes) {
    hops_.clear();
    const channel::ExportedRoute& best = routes.front();
    const table::SourceRegistry& sources = instance().services().sources;
    const table::SourceOwner& best_owner = sources.owner(best.route.source);
    const auto add = [this](const attr::NextHop& hop) { hops_.push_back(hop); };
    for (const channel::ExportedRoute& each : routes) {
        const attr::NextHopListView view = attr::next_hops(*each.route.attributes);
        if (&each != &best) {
            const table::SourceOwner& owner = sources.owner(each.route.source);
            if (!view.unicast() || &owner.route_class() != &best_owner.route_class() ||
                each.route.preference != best.route.preference ||
                !owner.route_class().mergeable(best.route, best_owner, each.route, owner)) {
                continue;
            }
        }
        view.for_each(add);
    }
    if (routes.size() < 2) return;
    attr::NextHopListBuilder builder;
    const Bytes merged = builder.multipath(std::move(hops_), config_->merge_limit);
    hops_ = attr::NextHopListView(merged).to_vector();
}

void Kernel::export_prefix(std::span<const channel::ExportedRoute> routes) {
    const channel::ExportedRoute& best = routes.front();
    if (best.attributes == nullptr) {
        if (const auto metric = sync_.withdraw(best.id)) remove(best.id, best.prefix, *metric);
        return;
    }
    Wanted wanted;
    wanted.prefix = best.prefix;
    wanted.destination = attr::next_hops(*best.route.attributes).destination();
    wanted.set = best.attributes;
    hops_.clear();
    if (wanted.destination == attr::Destination::unicast) {
        collect_hops(config_->merge_paths ? routes : routes.first(1));
    }
    wanted.hops = hops_;
    write(wanted, best);
}

void Kernel::write(const Wanted& wanted, const channel::ExportedRoute& best) {
    Installed route;
    route.fingerprint = fingerprint(wanted.destination, wanted.hops);
    route.metric = metric_of(wanted, place_);
    route.extra = extra_of(*wanted.set);
    // The kernel replaces IPv6 routes in one step only if they go to a gateway.
    const bool gateway = !wanted.hops.empty() && !wanted.hops.front().gateway.is_zero();
    const Order order = sync_.want(best.id, wanted.prefix, route, place_.v4 || gateway);
    if (order.action == Action::nothing) return;
    if (order.action == Action::remove_and_add) {
        remove(best.id, wanted.prefix, order.old_metric);
    }
    const bool replace = order.action == Action::replace;
    fill_route(wanted, place_, message_);
    pending_.push_back({best.id, best.route.source, route, false, !replace});
    batch_->add(message_,
                static_cast<std::uint16_t>(NLM_F_CREATE | (replace ? NLM_F_REPLACE : NLM_F_EXCL)),
                pending_.size() - 1);
}

void Kernel::remove(net::PrefixId id, const net::Prefix& prefix, std::uint32_t metric) {
    fill_removal(prefix, metric, place_, message_);
    pending_.push_back({id, {}, {}, true, false});
    batch_->add(message_, 0, pending_.size() - 1);
}

void Kernel::flush_writes() {
    if (!batch_) return;
    batch_->flush();
    std::vector<os::RouteBatch::Failure> failures = batch_->take_failures();
    std::sort(failures.begin(), failures.end(),
              [](const auto& a, const auto& b) { return a.number < b.number; });
    std::size_t next = 0;
    const bool any_refused = sync_.refusals() != 0;
    for (std::size_t i = 0; i < pending_.size(); ++i) {
        const Pending& change = pending_[i];
        const bool failed = next < failures.size() && failures[next].number == i;
        if (!failed) {
            if (any_refused && !change.removal && sync_.accepted(change.prefix)) {
                mark(change, false);
            }
            continue;
        }
        const int error = failures[next++].error;
        // What was to be removed is not there: an interface that went down took it along.
        if (change.removal && error == ESRCH) continue;
        const std::string& text = batch_->kernel_text();
        instance().services().log.log_limited(
            refusals_limit_, Severity::error, instance().name(), "Netlink: {}{}{}",
            os::system_error(change.removal ? "remove route" : "write route", error).text,
            text.empty() ? "" : ": ", text);
        if (change.removal) continue;
        sync_.refused(change.prefix, change.route, change.added);
        mark(change, true);
    }
    pending_.clear();
}

/// Shown as `!` in `show route`.
void Kernel::mark(const Pending& change, bool refused) {
    table::Table::Writer writer(channel().table());
    writer.set_flag(change.prefix, change.source, table::route_not_synced, refused);
}

void Kernel::end_of_feed() {
    for (const Stray& stray : sync_.end_resync()) {
        remove({}, stray.prefix, stray.metric);
    }
    flush_writes();
}

const engine::ProtocolDescriptor& descriptor() {
    static const engine::ProtocolDescriptor result = {
        .placement = engine::LoopPlacement::main,
        .start_phase = 1,
        .syntax = &syntax(),
        .main_channel = true,
        .create = engine::create<Kernel>,
    };
    return result;
}

}  // namespace tern::kernel
