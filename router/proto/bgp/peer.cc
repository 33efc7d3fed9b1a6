#include "router/proto/bgp/peer.h"

#include "loops/loop.h"
#include "router/iface/vrf.h"
#include "router/proto/bgp/collision.h"
#include "router/proto/bgp/wire/route_refresh.h"

#include <algorithm>

namespace tern::bgp {

namespace {

/// Cease subcode of a stop (RFC 4486).
std::uint8_t cease_of(engine::StopReason reason) {
    switch (reason) {
        case engine::StopReason::disabled:
        case engine::StopReason::router_down:
        case engine::StopReason::graceful_restart:
            return wire::cease::administrative_shutdown;
        case engine::StopReason::restarted:
        case engine::StopReason::export_limit:
            return wire::cease::administrative_reset;
        case engine::StopReason::removed:
            return wire::cease::deconfigured;
        case engine::StopReason::reconfigured:
            return wire::cease::configuration_change;
        case engine::StopReason::receive_limit:
        case engine::StopReason::import_limit:
            return wire::cease::maximum_prefixes;
        case engine::StopReason::failure:
            break;
    }
    return wire::cease::administrative_reset;
}

}  // namespace

Peer::Session::Session(Peer& peer,
                       channel::Channel& its_channel,
                       const BgpChannelConfig& its_config)
    : channel(its_channel),
      config(&its_config),
      member(peer.loop(),
             {loops::callback<&Peer::on_data>(peer), loops::callback<&Peer::on_may_merge>(peer),
              loops::callback<&Peer::on_holds_up>(peer),
              loops::callback<&Peer::on_over_limit>(peer)}) {}

Peer::Peer(engine::Instance& instance)
    : Protocol(instance),
      policy_(make_policy(static_cast<const BgpConfig&>(instance.config()))),
      neighbors_(instance.services().interfaces, instance.loop()),
      connect_timer_(instance.loop(), loops::callback<&Peer::on_connect_timer>(*this)),
      reap_(loops::callback<&Peer::on_reap>(*this)),
      transmit_(loops::callback<&Peer::on_data>(*this)) {}

Peer::~Peer() = default;

void Peer::start() {
    memory_ = shared().memory_of(std::string(instance().name()));
    open_listener();
    wait_for_neighbor();
}

void Peer::open_listener() {
    const BgpConfig& c = config();
    os::ListenRequest request;
    const bool v4 = c.remote_address.is_v4();
    request.local = {c.strict_bind ? c.local_address : net::IpAddress(), c.local_port};
    if (request.local.address.is_zero() && v4) request.local.address = net::IpAddress::v4(0);
    request.interface = c.vrf_kind == config::VrfKind::named ? c.vrf : std::string();
    request.free_bind = c.free_bind;
    request.peers = net::Prefix::host(c.remote_address);
    if (c.authentication == Authentication::md5) request.md5_secret = c.password;
    if (const auto found = instance().services().interfaces.find(c.interface);
        found && c.remote_address.is_link_local()) {
        request.interface_index = found->index;
    }
    const auto listening = shared().listen(std::string(instance().name()), *this, request);
    if (listening) return;
    memory_.error_class = ErrorClass::local;
    memory_.error = "No listening socket";
    instance().log(Severity::error, "Cannot listen: {}", listening.error().text);
}

/// A direct session waits until the neighbour is on a link of ours.
void Peer::wait_for_neighbor() {
    if (config().is_multihop()) {
        schedule_connect();
    } else {
        watch_neighbor(config());
    }
}

void Peer::watch_neighbor(const BgpConfig& c) {
    iface::NeighborKey key;
    key.address = c.remote_address;
    key.interface = c.interface;
    key.on_link = c.onlink;
    key.check_link = c.check_link.value_or(false);
    const iface::VrfPlace place =
        iface::find_vrf(instance().services().interfaces, c.vrf_kind, c.vrf);
    if (place.exists) key.vrf = place.vrf;
    neighbor_ = neighbors_.watch(
        key, [](iface::NeighborWatch&, void* self) { static_cast<Peer*>(self)->on_neighbor(); },
        this);
    on_neighbor();
}

void Peer::on_neighbor() {
    const bool present =
        neighbor_ != nullptr && neighbor_->state() == iface::NeighborState::present;
    if (present) {
        const bool idle = session_ == nullptr && outgoing_ == nullptr && incoming_ == nullptr;
        if (idle && !connect_timer_.active()) schedule_connect();
        return;
    }
    connect_timer_.stop();
    waiting_ = false;
    if (session_ == nullptr && outgoing_ == nullptr && incoming_ == nullptr) return;
    memory_.error_class = ErrorClass::local;
    memory_.error = "Neighbor lost";
    shared().remember(std::string(instance().name()), memory_);
    instance().fail({engine::StopReason::failure, {}});
}

/// First what is left of the pause behind an error, in which the neighbour may not connect either.
void Peer::schedule_connect() {
    if (stopping_) return;
    const loops::Instant until = memory_.error_at + memory_.error_wait;
    waiting_ = !memory_.error_wait.is_zero() && until > loop().now();
    if (waiting_) {
        connect_timer_.at(until);
    } else if (!config().passive) {
        connect_after(loops::seconds(config().connect_delay_time));
    }
}

void Peer::connect_after(loops::Duration pause) {
    connect_pause_ = pause;
    connect_timer_.in(pause);
}

void Peer::on_connect_timer() {
    waiting_ ? schedule_connect() : connect();
}

os::SocketOptions Peer::socket_options() const {
    const BgpConfig& c = config();
    os::SocketOptions options;
    if (c.vrf_kind == config::VrfKind::named) options.interface = c.vrf;
    if (!c.interface.empty()) options.interface = c.interface;
    constexpr std::uint8_t gtsm_ttl = 255;
    const std::uint8_t hops = c.multihop.value_or(0) == 0 ? std::uint8_t{1} : *c.multihop;
    options.ttl = c.ttl_security ? gtsm_ttl : hops;
    if (c.ttl_security) options.min_ttl = static_cast<std::uint8_t>(gtsm_ttl + 1 - hops);
    constexpr std::uint8_t internetwork_control = 0xc0;
    options.traffic_class = internetwork_control;
    options.free_bind = c.free_bind;
    if (c.authentication == Authentication::md5) {
        options.md5_keys.push_back({net::Prefix::host(c.remote_address), c.password});
    }
    return options;
}

void Peer::connect() {
    if (stopping_ || session_ != nullptr || outgoing_ != nullptr) return;
    const BgpConfig& c = config();
    os::ConnectOptions options;
    options.remote = {c.remote_address, c.remote_port};
    if (c.remote_address.is_link_local() && neighbor_ != nullptr && neighbor_->interface()) {
        options.remote.interface_index = neighbor_->interface()->index;
    }
    options.local = c.local_address;
    options.socket = socket_options();
    outgoing_ = std::make_unique<Connection>(static_cast<ConnectionOwner&>(*this), loop(),
                                             Connection::Direction::outgoing);
    instance().trace(config::Trace::events, "Connecting to {}", c.remote_address.to_string());
    outgoing_->connect(instance().services().network, options);
}

void Peer::accept(std::unique_ptr<os::TcpConnection> tcp) {
    const bool absent = neighbor_ != nullptr && neighbor_->state() != iface::NeighborState::present;
    // One that never said OPEN is not worth more than the neighbour's next attempt.
    const bool silent = incoming_ != nullptr && incoming_->state() == State::open_sent;
    const bool taken = session_ != nullptr || (incoming_ != nullptr && !silent);
    if (stopping_ || waiting_ || absent || taken ||
        instance().state() != engine::ProtocolState::start) {
        instance().trace(config::Trace::events, "Incoming connection rejected");
        return;  // closed without a word: the neighbour need not take it for an error
    }
    if (silent) incoming_->stop({wire::ErrorCode::cease, wire::cease::collision});
    instance().trace(config::Trace::events, "Incoming connection accepted");
    const os::SocketOptions options = socket_options();
    (void)tcp->set_ttl(options.ttl, options.min_ttl);
    incoming_ = std::make_unique<Connection>(static_cast<ConnectionOwner&>(*this), loop(),
                                             Connection::Direction::incoming);
    incoming_->adopt(std::move(tcp));
}

Connection* Peer::other(const Connection& connection) const {
    return connection.direction() == Connection::Direction::outgoing ? incoming_.get()
                                                                     : outgoing_.get();
}

wire::OpenMessage Peer::make_open(Connection&) {
    return bgp::make_open(config(), identity(), !memory_.without_capabilities);
}

/// RFC 4271 section 6.8: two connections whose OPENs have met.
bool Peer::open_accepted(Connection& connection) {
    Connection* rival = other(connection);
    if (rival == nullptr) return true;
    if (rival->state() != State::open_confirm && rival->state() != State::established) return true;
    if (rival->state() == State::established) return false;
    const Speaker local{instance().router_id(), config().local_as};
    const Speaker remote{connection.parameters().remote_id, connection.parameters().remote_as};
    const bool outgoing_stays = resolve_collision(local, remote) == Survivor::outgoing;
    const bool this_is_outgoing = connection.direction() == Connection::Direction::outgoing;
    if (outgoing_stays != this_is_outgoing) return false;
    rival->lose_collision();
    return true;
}

void Peer::established(Connection& connection) {
    session_ = &connection;
    connect_timer_.stop();
    if (Connection* rival = other(connection)) rival->lose_collision();
    instance().trace(config::Trace::states, "BGP session established");
    memory_.error_class = ErrorClass::none;
    memory_.error.clear();
    shared().remember(std::string(instance().name()), memory_);
    open_session(connection);
    instance().up();
}

SessionAddresses Peer::addresses_of(const Connection& connection) const {
    SessionAddresses addresses;
    addresses.local = connection.tcp()->local().address;
    addresses.remote = config().remote_address;
    if (config().is_multihop()) return addresses;
    iface::Registry::Where where;
    if (neighbor_ != nullptr && neighbor_->interface()) where.index = neighbor_->interface()->index;
    const iface::InterfaceRef link = instance().services().interfaces.find(where.index);
    if (!link) return addresses;
    addresses.interface = InterfaceId(link->index);
    if (const iface::Address* own = link->link_local()) addresses.local_link_local = own->ip;
    return addresses;
}

/// Our address of the channel's family: the session's own if it fits, else the link's preferred
/// one.
wire::NextHop Peer::own_next_hop(const BgpChannelConfig& channel, const SessionFacts& facts) const {
    wire::NextHop own;
    const bool v4 = channel.family.afi == wire::afi_ipv4;
    if (facts.local_address.is_v4() == v4 && !facts.local_address.is_link_local()) {
        own.address = facts.local_address;
    }
    const auto link = instance().services().interfaces.find(facts.interface.value());
    if (own.address.is_zero() && link) {
        if (const iface::Address* preferred = link->preferred(v4)) own.address = preferred->ip;
    }
    if (own.address.is_zero() && channel.extended_next_hop) own.address = facts.local_address;
    const bool external_link = !facts.interior() && facts.interface.value() != 0;
    if (!v4 && external_link) own.link_local = facts.local_link_local;
    return own;
}

void Peer::open_session(Connection& connection) {
    const SessionParameters& parameters = connection.parameters();
    const SessionFacts facts =
        make_facts(config(), identity(), parameters, addresses_of(connection));
    auto owner = std::make_unique<BgpOwner>(std::string(instance().name()), facts);
    BgpOwner& borrowed = *owner;
    instance().set_owner(std::move(owner));
    import_ = std::make_unique<Import>(instance(), config(), parameters, borrowed);
    for (std::size_t i = 0; i < config().channels.size(); ++i) {
        const BgpChannelConfig& channel_config = *config().bgp_channel(i);
        channel::Channel* channel = instance().channel(channel_config.name);
        if (channel == nullptr || parameters.find(channel_config.family) == nullptr) continue;
        sessions_.push_back(std::make_unique<Session>(*this, *channel, channel_config));
    }
    for (const auto& each : sessions_) {
        import_->add_channel(each->channel, *each->config);
        instance().open_channel(each->channel, nullptr);
        each->member.address = facts.remote_address;
        each->member.owner = &borrowed;
        each->profile = profile_for(*each, config());
        shared().groups().join(each->member, each->profile);
    }
}

ExportProfile Peer::profile_for(const Session& session, const BgpConfig& from) const {
    const auto& owner = static_cast<const BgpOwner&>(*instance().owner());
    const BgpChannelConfig& channel = *session.config;
    ExportProfile profile = make_profile(from, channel, session_->parameters(), owner.facts(),
                                         own_next_hop(channel, owner.facts()));
    profile.table = &session.channel.table();
    profile.settings = {.filter = channel.export_filter,
                        .inside = channel.export_in,
                        .limit = channel.export_limit,
                        .mode = channel.secondary ? table::ReadMode::all : table::ReadMode::best,
                        .secondary = channel.secondary,
                        .settle = channel.table->export_settle};
    return profile;
}

void Peer::close_session() {
    unfinished_ = nullptr;
    writing_ = nullptr;
    for (const auto& each : sessions_)
        shared().groups().leave(each->member);
    sessions_.clear();
    if (import_ != nullptr) {
        // A limit may have been crossed in the middle of an UPDATE: the call returns first.
        import_->close();
        ended_import_ = std::move(import_);
        reap_.send(loop());
    }
    session_ = nullptr;
}

/// Whether it makes sense to pause: an operator's decision on the other side does not repeat.
bool Peer::backs_off(const ConnectionEnd& end) const {
    if (end.kind != ErrorClass::sent && end.kind != ErrorClass::received) return false;
    if (end.code != static_cast<std::uint8_t>(wire::ErrorCode::cease)) return true;
    return end.subcode == wire::cease::maximum_prefixes || end.subcode == wire::cease::rejected ||
           end.subcode == wire::cease::out_of_resources;
}

bool Peer::gives_up(const ConnectionEnd& end) const {
    if (config().disable_after_error && backs_off(end)) return true;
    return end.kind == ErrorClass::received &&
           end.code == static_cast<std::uint8_t>(wire::ErrorCode::cease) && end.subcode < 32 &&
           (config().disable_after_cease >> end.subcode & 1) != 0;
}

/// Protocol errors make the neighbour wait before it is tried again, longer each time.
void Peer::remember(const ConnectionEnd& end) {
    if (end.kind == ErrorClass::none) return;
    const loops::Instant now = loop().now();
    memory_.error_class = end.kind;
    memory_.error = end.text;
    if (end.kind == ErrorClass::received && !config().capabilities &&
        !memory_.without_capabilities && wire::is_capability_error(end.code, end.subcode)) {
        memory_.without_capabilities = true;  // RFC 5492 section 3: once more without
    } else if (backs_off(end)) {
        const bool forgotten = memory_.error_wait.is_zero() ||
                               now - memory_.error_at >= loops::seconds(config().error_forget_time);
        const loops::Duration longest = loops::seconds(config().error_wait_max);
        memory_.error_wait = forgotten ? loops::seconds(config().error_wait_min)
                                       : std::min(memory_.error_wait * 2, longest);
        memory_.error_at = now;
    }
    shared().remember(std::string(instance().name()), memory_);
}

void Peer::ended(Connection& connection, const ConnectionEnd& end) {
    std::unique_ptr<Connection>& slot =
        connection.direction() == Connection::Direction::outgoing ? outgoing_ : incoming_;
    ended_.push_back(std::move(slot));
    reap_.send(loop());
    if (end.kind != ErrorClass::none) {
        instance().trace(config::Trace::events, "Connection ended: {}", end.text);
    }
    const bool was_session = session_ == &connection;
    const Connection* rival = best_connection();
    if (!was_session && rival != nullptr && rival->state() >= State::open_sent) return;
    remember(end);
    if (was_session) close_session();
    if (stopping_) return;
    if (gives_up(end)) {
        instance().give_up({engine::StopReason::failure, {}});
    } else if (was_session) {
        instance().fail({engine::StopReason::failure, {}});
    } else {
        retry(connection, end);
    }
}

void Peer::retry(const Connection& ended, const ConnectionEnd& end) {
    if (outgoing_ != nullptr || incoming_ != nullptr) return;
    const bool refused =
        end.kind == ErrorClass::socket && ended.direction() == Connection::Direction::outgoing;
    if (!refused) {
        if (backs_off(end) || !connect_timer_.active()) schedule_connect();
        return;
    }
    // RFC 4271 section 10: 0.75 to 1 of the time, at random.
    const loops::Duration whole = loops::seconds(config().connect_retry_time);
    const auto off = static_cast<std::int64_t>(loop().random() % 1024);
    connect_after(whole - whole / 4 * off / 1024);
}

void Peer::on_reap() {
    ended_.clear();
    ended_import_.reset();
}

/// What the next life is to know of this end, as far as it was not an error on the wire.
void Peer::note_stop(engine::StopReason reason) {
    switch (reason) {
        case engine::StopReason::receive_limit:
        case engine::StopReason::import_limit:
        case engine::StopReason::export_limit:
            memory_.error_class = ErrorClass::automatic;
            memory_.error = "Route limit exceeded";
            break;
        case engine::StopReason::failure:
            return;
        case engine::StopReason::disabled:
        case engine::StopReason::restarted:
        case engine::StopReason::removed:
        case engine::StopReason::reconfigured:
        case engine::StopReason::router_down:
        case engine::StopReason::graceful_restart:
            memory_ = {};
            break;
    }
    shared().remember(std::string(instance().name()), memory_);
}

void Peer::shutdown(const engine::StopRequest& request) {
    stopping_ = true;
    waiting_ = false;
    connect_timer_.stop();
    note_stop(request.reason);
    shared().forget(std::string(instance().name()));
    wire::Notification cease{wire::ErrorCode::cease, cease_of(request.reason)};
    if (cease.subcode == wire::cease::administrative_shutdown ||
        cease.subcode == wire::cease::administrative_reset) {
        cease.data = wire::shutdown_data(request.message);
    }
    for (Connection* each : {outgoing_.get(), incoming_.get()}) {
        if (each != nullptr) each->stop(cease);
    }
    close_session();
    instance().down();
}

void Peer::cleanup() {
    shared().forget(std::string(instance().name()));
    neighbor_.reset();
    on_reap();
}

bool Peer::reconfigure(const config::ProtocolConfig& next, config::Effect effect) {
    if (has(effect, config::Effect::restart) || has(effect, config::Effect::restart_channel)) {
        return false;
    }
    const auto& now = static_cast<const BgpConfig&>(next);
    for (const auto& each : sessions_) {
        if (now.find_channel(each->channel.name()) == nullptr) return false;
    }
    policy_ = make_policy(now);
    if (import_ != nullptr) import_->adopt(now);
    for (const auto& each : sessions_)
        adopt(*each, now);
    if (neighbor_ != nullptr && now.check_link != config().check_link) watch_neighbor(now);
    return true;
}

/// Filters belong to a configuration: even an equal one has to be taken over before the old goes.
void Peer::adopt(Session& session, const BgpConfig& now) {
    session.config = static_cast<const BgpChannelConfig*>(now.find_channel(session.channel.name()));
    const ExportProfile next = profile_for(session, now);
    if (next.same_as(session.profile)) {
        ExportGroups::adopt(session.member, next);
    } else {
        shared().groups().change(session.member, next);
    }
    session.profile = next;
}

void Peer::update(Connection& connection, Bytes body) {
    if (import_ == nullptr) return;
    if (const auto error = import_->update(body, loop().now())) {
        import_->flush();
        connection.fail_update(*error);
    }
}

void Peer::input_done() {
    if (import_ != nullptr) import_->flush();
}

void Peer::refresh(Connection& connection, Bytes body) {
    const auto message = wire::decode_route_refresh(body, connection.parameters().enhanced_refresh);
    if (!message) {
        connection.fail_update(message.error());
        return;
    }
    if (import_ == nullptr || !message->known()) return;
    import_->flush();
    for (const auto& each : sessions_) {
        if (each->config->family != message->family) continue;
        switch (message->kind) {
            case wire::RefreshKind::request:
                shared().groups().refresh(each->member);
                break;
            case wire::RefreshKind::begin:
                each->channel.begin_refresh();
                break;
            case wire::RefreshKind::end:
                each->channel.end_refresh();
                break;
        }
    }
}

bool Peer::refresh_import(channel::Channel& channel) {
    if (session_ == nullptr || !session_->parameters().route_refresh) return false;
    for (const auto& each : sessions_) {
        if (&each->channel != &channel) continue;
        const auto message =
            wire::encode_route_refresh({each->config->family, wire::RefreshKind::request});
        session_->send({message.begin(), message.end()});
        return true;
    }
    return false;
}

void Peer::refresh_export(channel::Channel& channel) {
    for (const auto& each : sessions_) {
        if (&each->channel == &channel) shared().groups().refresh(each->member);
    }
}

void Peer::on_data() {
    if (session_ != nullptr) session_->transmit();
}

void Peer::on_may_merge() {
    for (const auto& each : sessions_)
        shared().groups().try_merge(each->member);
}

/// This neighbour is too slow for others; which channels it is, their groups know.
void Peer::on_holds_up() {
    for (const auto& each : sessions_)
        shared().groups().part_if_slow(each->member);
}

void Peer::on_over_limit() {
    for (const auto& each : sessions_) {
        const config::Limit& limit = each->channel.config().export_limit;
        if (!limit.value) continue;
        instance().log(Severity::warning, "Channel {}.{} hits route export limit ({}), action: {}",
                       instance().name(), each->channel.name(), *limit.value,
                       channel::action_name(limit.action));
        const bool stop = limit.action == config::LimitAction::restart ||
                          limit.action == config::LimitAction::disable;
        if (stop) instance().limit_stop(channel::LimitKind::export_, limit.action);
        return;
    }
}

/// The rest of a half-written segment comes before anything else; then each family in turn.
void Peer::collect(std::vector<Bytes>& pieces, std::size_t max) {
    const auto from = [&](Session& session) {
        if (session.member.group == nullptr) return false;
        const loops::LoopEntry entry(session.member.group->loop());
        session.member.group->collect(session.member, pieces, max);
        if (!pieces.empty()) writing_ = &session;
        return !pieces.empty();
    };
    if (unfinished_ != nullptr && from(*unfinished_)) return;
    for (const auto& each : sessions_) {
        if (from(*each)) return;
    }
}

void Peer::consumed(std::size_t bytes, bool inside) {
    Session& session = *writing_;
    unfinished_ = inside ? &session : nullptr;
    const loops::LoopEntry entry(session.member.group->loop());
    session.member.group->consumed(session.member, bytes);
}

std::uint32_t Peer::startup_hold_time() const {
    return config().startup_hold_time;
}

void Peer::log_message(std::string_view direction, std::string_view text) {
    instance().log(Severity::remote, "{}: {}", direction, text);
}

}  // namespace tern::bgp
