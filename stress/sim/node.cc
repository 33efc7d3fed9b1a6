#include "stress/sim/node.h"

#include "router/attr/as_path.h"
#include "router/attr/core_attributes.h"
#include "router/proto/bgp/attributes.h"

#include <algorithm>

namespace tern::sim {

namespace {

constexpr std::size_t log_lines_max = 100'000;

iface::LinkInfo link_info(const Attachment& attachment, bool carrier) {
    iface::LinkInfo info;
    info.index = attachment.interface_index;
    info.name = attachment.interface;
    info.mtu = 1500;
    info.admin_up = true;
    info.link_up = carrier;
    info.broadcast = true;
    info.multicast = true;
    return info;
}

iface::Address address_of(const Attachment& attachment) {
    iface::Address address;
    address.ip = attachment.link->addresses[attachment.end];
    address.prefix = net::Prefix::ip(address.ip, attachment.link->length);
    address.scope = address.ip.scope();
    return address;
}

}  // namespace

std::string SeenRoute::to_string() const {
    std::string text =
        fmt::format("{} via {} [{}]", prefix.to_string(), next_hop.to_string(), protocol);
    for (const std::uint32_t as : as_path)
        text += fmt::format(" {}", as);
    return text + (best ? " *" : "");
}

Node::Node(const Parts& parts) : parts_(parts), log_(parts.sim.clock()) {
    auto sink = std::make_unique<MemorySink>(log_lines_max, iso_long(SubSecond::microseconds));
    sink_ = sink.get();
    log_.add_sink(std::move(sink), all_severities);
    const locking::TransitLock lock(parts_.domain);
    router_.emplace(daemon::RouterParts{parts_.sim.runtime(), parts_.domain, parts_.host,
                                        files_, log_,
                                        static_cast<daemon::RouterObserver&>(*this)});
    take_interfaces();
}

Node::~Node() {
    router_.reset();
}

void Node::no_router_id() {
    log_.log(Severity::fatal, {}, "Cannot determine router ID");
}

void Node::take_interfaces() {
    const iface::Registry::Update::Preferences none;
    iface::Registry::Update update(router_->interfaces(), none);
    update.begin_scan();
    for (const Attachment& each : parts_.host.attachments()) {
        update.link(link_info(each, true));
        update.address(each.interface_index, address_of(each));
    }
    update.end_scan();
}

void Node::set_carrier(const Link& link, bool up) {
    const iface::Registry::Update::Preferences none;
    iface::Registry::Update update(router_->interfaces(), none);
    for (const Attachment& each : parts_.host.attachments()) {
        if (each.link == &link) update.link(link_info(each, up));
    }
}

std::string Node::configure(const std::string& text) {
    const locking::TransitLock lock(parts_.domain);
    files_.add(name() + ".conf", text);
    auto parsed = router_->configurator().read(name() + ".conf");
    if (!parsed) return parsed.error().render();
    router_->configurator().configure(std::move(*parsed), {});
    return {};
}

bool Node::restart(std::string_view protocol) {
    const locking::TransitLock lock(parts_.domain);
    return router_->supervisor().restart(protocol, {}) == engine::OrderResult::done;
}

bool Node::disable(std::string_view protocol) {
    const locking::TransitLock lock(parts_.domain);
    return router_->supervisor().disable(protocol, {}) == engine::OrderResult::done;
}

bool Node::enable(std::string_view protocol) {
    const locking::TransitLock lock(parts_.domain);
    return router_->supervisor().enable(protocol, {}) == engine::OrderResult::done;
}

void Node::shutdown() {
    const locking::TransitLock lock(parts_.domain);
    router_->shutdown(false);
}

bool Node::settled() {
    const locking::TransitLock lock(parts_.domain);
    return !router_->supervisor().committing();
}

std::string Node::info(std::string_view protocol) {
    const locking::TransitLock lock(parts_.domain);
    std::string result;
    router_->supervisor().with_instance(protocol, [&](engine::Instance& instance) {
        if (instance.protocol() != nullptr) result = instance.protocol()->info();
    });
    result.erase(result.find_last_not_of(' ') + 1);  // the column is padded
    return result;
}

std::string Node::command(std::string_view line) {
    const locking::TransitLock lock(parts_.domain);
    cli::Session session(router_->commands(), *this, {});
    const std::string text = std::string(line) + "\n";
    session.receive({text.data(), text.size()});
    std::string answer;
    for (bool more = true; more;) {
        more = session.run() || session.runnable();
        answer += session.pending_output();
        session.sent(session.pending_output().size());
    }
    return answer;
}

SeenRoute Node::seen(const table::Route& route, const net::Prefix& prefix) {
    SeenRoute result;
    result.prefix = prefix;
    result.protocol = router_->sources().owner(route.source).protocol_name();
    const attr::NextHopListView hops = attr::next_hops(*route.attributes);
    if (hops.unicast() && hops.count() > 0) result.next_hop = hops.front().gateway;
    const attr::AsPathView path(route.attributes->bytes(bgp::id::as_path));
    for (const attr::AsSegment segment : path) {
        for (unsigned i = 0; i < segment.count; ++i)
            result.as_path.push_back(static_cast<std::uint32_t>(segment.at(i).value()));
    }
    return result;
}

std::vector<SeenRoute> Node::routes(std::string_view name) {
    const locking::TransitLock lock(parts_.domain);
    std::vector<SeenRoute> result;
    table::Table* table = router_->supervisor().find(name);
    if (table == nullptr) return result;
    const net::PrefixIndex& index = table->services().index;
    const table::Table::View view(*table);
    for (std::uint32_t id = 0; id < view.id_limit(); ++id) {
        const table::Route* const first = view.routes(net::PrefixId{id});
        for (const table::Route* route = first; route != nullptr; route = route->next) {
            result.push_back(seen(*route, index.prefix(net::PrefixId{id})));
            result.back().best = route == first && route->usable();
        }
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const SeenRoute& a, const SeenRoute& b) { return a.prefix < b.prefix; });
    return result;
}

std::vector<SeenRoute> Node::best_routes(std::string_view name) {
    std::vector<SeenRoute> result = routes(name);
    std::erase_if(result, [](const SeenRoute& route) { return !route.best; });
    return result;
}

}  // namespace tern::sim
