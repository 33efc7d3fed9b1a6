#include "stress/sim/network.h"

#include "router/base/hash.h"
#include "stress/sim/socket.h"

#include <algorithm>
#include <cerrno>

namespace tern::sim {

namespace {

constexpr std::uint16_t first_free_port = 49152;

net::IpAddress any_of(const net::IpAddress& address) {
    return address.is_v4() ? net::IpAddress::v4(0) : net::IpAddress();
}

}  // namespace

bool Host::owns(const net::IpAddress& address) const {
    return std::any_of(attachments_.begin(), attachments_.end(), [&](const Attachment& each) {
        return each.link->addresses[each.end] == address;
    });
}

const Attachment* Host::way_to(const os::Endpoint& remote) const {
    for (const Attachment& each : attachments_) {
        if (remote.interface_index != 0 && remote.interface_index != each.interface_index) continue;
        if (each.link->addresses[1 - each.end] == remote.address) return &each;
    }
    return nullptr;
}

SimListener* Host::listener_at(const net::IpAddress& address, std::uint16_t port) const {
    SimListener* found = nullptr;
    for (SimListener* each : listeners_) {
        if (!each->hears(address, port)) continue;
        if (!each->is_wildcard()) return each;
        found = each;
    }
    return found;
}

std::uint16_t Host::free_port() const {
    std::uint16_t port = first_free_port;
    for (const auto& [id, flow] : network_.flows_) {
        if (flow->halves[0].host == this) port = std::max(port, flow->halves[0].address.port);
    }
    return port == UINT16_MAX ? first_free_port : static_cast<std::uint16_t>(port + 1);
}

os::SystemResult<std::unique_ptr<os::TcpConnection>> Host::connect(
    loops::Loop& loop, const os::ConnectOptions& options, const os::TcpCallbacks& callbacks) {
    loop.domain().assert_held();
    if (!options.socket.ao_keys.empty()) return os::system_failure("set TCP-AO key", ENOPROTOOPT);
    const Attachment* way = way_to(options.remote);
    if (way == nullptr) return os::system_failure("connect", ENETUNREACH);
    const net::IpAddress near = way->link->addresses[way->end];
    if (!options.local.is_unspecified() && options.local != near) {
        return os::system_failure("bind", EADDRNOTAVAIL);
    }
    Flow& flow = network_.open(*this, *way, options);
    auto connection = std::make_unique<SimConnection>(network_, flow, 0, loop);
    connection->set_callbacks(callbacks);
    return connection;
}

os::SystemResult<std::unique_ptr<os::TcpListener>> Host::listen(loops::Loop& loop,
                                                                const os::ListenOptions& options,
                                                                os::AcceptFunction accept,
                                                                void* context) {
    loop.domain().assert_held();
    if (!options.socket.ao_keys.empty()) return os::system_failure("set TCP-AO key", ENOPROTOOPT);
    const net::IpAddress& address = options.local.address;
    if (!address.is_unspecified() && !options.socket.free_bind && !owns(address)) {
        return os::system_failure("bind", EADDRNOTAVAIL);
    }
    for (const SimListener* each : listeners_) {
        const os::Endpoint other = each->local();
        if (other.port != options.local.port) continue;
        if (other.address == address || other.address == any_of(address) ||
            any_of(other.address) == address) {
            return os::system_failure("bind", EADDRINUSE);
        }
    }
    auto listener = std::make_unique<SimListener>(
        SimListener::Parts{network_, *this, loop, accept, context}, options);
    listeners_.push_back(listener.get());
    return listener;
}

SimNetwork::SimNetwork(loops::SimRuntime& runtime, const NetworkOptions& options)
    : runtime_(runtime), options_(options), random_(options.seed) {
    loop_.emplace(runtime.runtime().add_group({.name = "wires"}), domain_, "wires");
    const locking::TransitLock lock(domain_);
    timer_.emplace(*loop_, on_timer, this);
}

SimNetwork::~SimNetwork() {
    for (const auto& host : hosts_)
        TERN_ASSERT(host->listeners_.empty(), "a listener outlives the network");
    const locking::TransitLock lock(domain_);
    timer_.reset();
}

Host& SimNetwork::add_host(std::string name) {
    hosts_.push_back(std::make_unique<Host>(*this, std::move(name)));
    return *hosts_.back();
}

Link& SimNetwork::add_link(Host& a,
                           const net::IpAddress& address_a,
                           Host& b,
                           const net::IpAddress& address_b,
                           const LinkOptions& options) {
    auto link = std::make_unique<Link>();
    link->hosts = {&a, &b};
    link->addresses = {address_a, address_b};
    link->length = options.length != 0 ? options.length : (address_a.is_v4() ? 24U : 64U);
    link->delay = options.delay;
    link->jitter = options.jitter;
    link->reset_one_in = options.reset_one_in;
    for (unsigned end = 0; end < 2; ++end) {
        std::vector<Attachment>& list = link->hosts[end]->attachments_;
        const auto number = static_cast<std::uint32_t>(list.size());
        Attachment fresh{link.get(), end, number + 2, "eth" + std::to_string(number)};
        for (const Attachment& each : list) {
            if (each.link->addresses[each.end] != link->addresses[end]) continue;
            fresh.interface_index = each.interface_index;
            fresh.interface = each.interface;
        }
        list.push_back(std::move(fresh));
    }
    links_.push_back(std::move(link));
    return *links_.back();
}

void SimNetwork::reset(Link& link) {
    std::vector<Flow*> hit;
    for (const auto& [id, flow] : flows_) {
        if (flow->link == &link) hit.push_back(flow.get());
    }
    for (Flow* flow : hit) {
        for (unsigned side = 0; side < 2; ++side) {
            flow->halves[side].sent.clear();
            fail(*flow, side, ECONNRESET);
        }
        reap(*flow);
    }
}

Flow& SimNetwork::open(Host& caller, const Attachment& way, const os::ConnectOptions& options) {
    auto owned = std::make_unique<Flow>();
    Flow& flow = *owned;
    flow.id = FlowId{next_flow_++};
    flow.link = way.link;
    flow.secret = secret_of(options.socket.md5_keys, options.remote.address);
    Half& near = flow.halves[0];
    near.host = &caller;
    const std::uint16_t port = options.local_port != 0 ? options.local_port : caller.free_port();
    near.address = {way.link->addresses[way.end], port, options.remote.interface_index};
    near.exists = true;
    if (options.socket.ttl != 0) near.ttl = options.socket.ttl;
    near.min_ttl = options.socket.min_ttl;
    Half& far = flow.halves[1];
    far.host = way.link->hosts[1 - way.end];
    far.address = {options.remote.address, options.remote.port, 0};
    flows_.emplace(flow.id, std::move(owned));
    send(flow, 0, {.kind = SegmentKind::call, .data = {}});
    return flow;
}

/// Cuts the bytes into segments, now and then at an odd place.
void SimNetwork::write(Flow& flow, unsigned side, Bytes bytes) {
    flow.halves[side].unacknowledged += bytes.size();
    while (!bytes.empty()) {
        if (flow.link->reset_one_in != 0 && random_.one_in(flow.link->reset_one_in)) {
            send(flow, 1 - side, {.kind = SegmentKind::reset, .data = {}});
            send(flow, side, {.kind = SegmentKind::reset, .data = {}});
            return;
        }
        std::size_t size = std::min(bytes.size(), options_.segment);
        if (size > 1 && random_.one_in(4)) size = 1 + random_.below(size - 1);
        const auto piece = bytes.first(size);
        send(flow, side,
             {.kind = SegmentKind::data, .data = {piece.begin(), piece.end()}});
        bytes = bytes.subspan(size);
    }
}

void SimNetwork::send(Flow& flow, unsigned side, Segment segment) {
    Half& half = flow.halves[side];
    segment.sent = now();
    segment.due = now() + flow.link->delay;
    if (!flow.link->jitter.is_zero()) {
        const auto most = static_cast<std::uint64_t>(flow.link->jitter.microseconds());
        segment.due += loops::microseconds(static_cast<std::int64_t>(random_.below(most + 1)));
    }
    if (!half.sent.empty()) segment.due = std::max(segment.due, half.sent.back().due);
    const loops::Instant due = segment.due;
    half.sent.push_back(std::move(segment));
    schedule(due, {What::arrive, flow.id, side, 0});
}

void SimNetwork::acknowledge(Flow& flow, unsigned side, std::size_t bytes) {
    schedule(now() + flow.link->delay, {What::acknowledge, flow.id, side, bytes});
}

/// A close with unread data is a reset, as it is with the host's TCP (RFC 2525 section 2.17).
void SimNetwork::close(Flow& flow, unsigned side, bool abort) {
    Half& half = flow.halves[side];
    half.socket = nullptr;
    if (half.exists) {
        half.exists = false;
        const bool orderly = half.established && half.unread() == 0 && !abort;
        send(flow, side, {.kind = orderly ? SegmentKind::end : SegmentKind::reset, .data = {}});
    }
    reap(flow);
}

void SimNetwork::fail(Flow& flow, unsigned side, int error) {
    Half& half = flow.halves[side];
    half.unacknowledged = 0;
    if (!half.exists) return;
    half.exists = false;
    half.error = error;
    if (half.socket != nullptr) half.socket->wake();
}

void SimNetwork::schedule(loops::Instant at, const Action& action) {
    actions_.emplace(When{at, orders_++}, action);
    const locking::TransitLock lock(domain_);
    if (timer_->expiry() > at) timer_->at(at);
}

void SimNetwork::on_timer(void* context, loops::Turn&) {
    auto& self = *static_cast<SimNetwork*>(context);
    while (!self.actions_.empty() && self.actions_.begin()->first.at <= self.now()) {
        const Action action = self.actions_.begin()->second;
        self.actions_.erase(self.actions_.begin());
        self.perform(action);
    }
    if (!self.actions_.empty()) self.timer_->at(self.actions_.begin()->first.at);
}

std::vector<std::string> SimNetwork::callers() const {
    std::vector<std::string> names;
    for (const auto& [id, flow] : flows_)
        names.push_back(flow->halves[0].host->name());
    return names;
}

Flow* SimNetwork::find(FlowId id) {
    const auto found = flows_.find(id);
    return found == flows_.end() ? nullptr : found->second.get();
}

void SimNetwork::perform(const Action& action) {
    Flow* flow = find(action.flow);
    if (flow == nullptr) return;
    switch (action.what) {
        case What::arrive:
            arrive(*flow, action.side);
            reap(*flow);
            return;
        case What::acknowledge:
            take_acknowledgement(*flow, action);
            return;
    }
}

/// Whether what `side` sends reaches the other end now.
bool SimNetwork::passes(const Flow& flow, unsigned side) const {
    if (!flow.link->up) return false;
    const Half& from = flow.halves[side];
    const Half& to = flow.halves[1 - side];
    if (from.sent.empty() || from.sent.front().kind != SegmentKind::call) {
        return from.ttl >= to.min_ttl;
    }
    const SimListener* listener = to.host->listener_at(to.address.address, to.address.port);
    if (listener == nullptr) return true;  // it is refused
    return from.ttl >= listener->options().min_ttl && listener->waiting() < options_.backlog &&
           listener->secret_for(from.address.address) == flow.secret;
}

void SimNetwork::arrive(Flow& flow, unsigned side) {
    Half& half = flow.halves[side];
    const auto due = [&] { return !half.sent.empty() && half.sent.front().due <= now(); };
    while (due() && passes(flow, side)) {
        Segment segment = std::move(half.sent.front());
        half.sent.pop_front();
        deliver(flow, side, std::move(segment));
    }
    if (!due()) return;
    if (now() - half.sent.front().sent >= options_.give_up) {
        half.sent.clear();
        fail(flow, side, ETIMEDOUT);
        return;
    }
    if (now() < half.next_attempt) return;  // one attempt for all that waits
    half.next_attempt = now() + options_.retransmit;
    schedule(half.next_attempt, {What::arrive, flow.id, side, 0});
}

void SimNetwork::deliver(Flow& flow, unsigned side, Segment segment) {
    Half& to = flow.halves[1 - side];
    ++traffic_.segments;
    traffic_.bytes += segment.data.size();
    const auto time = static_cast<std::uint64_t>(now().microseconds());
    traffic_.fingerprint =
        mix64(traffic_.fingerprint ^ time, static_cast<std::uint64_t>(flow.id) << 32 |
                                               static_cast<std::uint64_t>(segment.kind) << 24 |
                                               segment.data.size());
    if (segment.kind == SegmentKind::call) {
        call_in(flow);
        return;
    }
    if (!to.exists) {
        if (segment.kind != SegmentKind::reset) {
            send(flow, 1 - side, {.kind = SegmentKind::reset, .data = {}});
        }
        return;
    }
    switch (segment.kind) {
        case SegmentKind::accept:
            to.established = true;
            break;
        case SegmentKind::data:
            to.received.insert(to.received.end(), segment.data.begin(), segment.data.end());
            break;
        case SegmentKind::end:
            to.ended = true;
            break;
        case SegmentKind::reset:
            fail(flow, 1 - side, to.established ? ECONNRESET : ECONNREFUSED);
            break;
        case SegmentKind::call:
            break;
    }
    if (to.socket != nullptr) to.socket->wake();
}

void SimNetwork::call_in(Flow& flow) {
    Half& called = flow.halves[1];
    SimListener* listener = called.host->listener_at(called.address.address, called.address.port);
    if (listener == nullptr) {
        send(flow, 1, {.kind = SegmentKind::reset, .data = {}});
        return;
    }
    called.exists = true;
    called.established = true;
    if (listener->options().ttl != 0) called.ttl = listener->options().ttl;
    called.min_ttl = listener->options().min_ttl;
    send(flow, 1, {.kind = SegmentKind::accept, .data = {}});
    listener->enqueue(flow.id);
}

void SimNetwork::take_acknowledgement(Flow& flow, const Action& action) {
    if (!passes(flow, 1 - action.side)) {
        schedule(now() + options_.retransmit, action);
        return;
    }
    Half& half = flow.halves[action.side];
    half.unacknowledged -= std::min(half.unacknowledged, action.bytes);
    if (half.socket != nullptr) half.socket->wake();
}

void SimNetwork::reap(Flow& flow) {
    for (const Half& half : flow.halves) {
        if (half.socket != nullptr || half.exists || !half.sent.empty()) return;
    }
    flows_.erase(flow.id);
}

}  // namespace tern::sim
