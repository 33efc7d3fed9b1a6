#include "router/engine/instance.h"

#include "loops/loop.h"

namespace tern::engine {

namespace {

StopReason reason_of(channel::LimitKind kind) {
    switch (kind) {
        case channel::LimitKind::receive:
            return StopReason::receive_limit;
        case channel::LimitKind::import_:
            return StopReason::import_limit;
        case channel::LimitKind::export_:
            return StopReason::export_limit;
    }
    return StopReason::failure;
}

}  // namespace

Instance::Instance(const Setup& setup, InstanceObserver& observer)
    : descriptor_(setup.descriptor),
      config_(&setup.config),
      services_(setup.services),
      shared_(setup.shared),
      loop_(setup.loop),
      observer_(observer),
      debug_(setup.config.debug),
      created_(setup.loop.now()),
      last_change_(created_),
      changed_(on_changed, this),
      flushed_(on_flushed, this),
      limit_(on_limit, this) {}

Instance::~Instance() = default;

void Instance::start() {
    wants_restart_ = false;
    gave_up_ = false;
    apply(ProtocolEvent::enable);
}

void Instance::stop(const StopRequest& request) {
    wants_restart_ = false;
    gave_up_ = false;
    stop_request_ = request;
    apply(ProtocolEvent::shutdown);
}

void Instance::up() {
    apply(ProtocolEvent::is_up);
}

void Instance::down() {
    apply(ProtocolEvent::has_stopped);
}

void Instance::fail(const StopRequest& request) {
    stop_request_ = request;
    if (!request.message.empty()) message_ = request.message;
    wants_restart_ = true;
    apply(ProtocolEvent::shutdown);
}

void Instance::give_up(const StopRequest& request) {
    gave_up_ = true;
    fail(request);
    wants_restart_ = false;
}

/// Not at once: a limit is crossed in the middle of an import or export, whose protocol and paths
/// must not vanish under it.
void Instance::limit_stop(channel::LimitKind kind, config::LimitAction action) {
    if (limit_.queued()) return;
    limit_kind_ = kind;
    limit_action_ = action;
    limit_.send(loop_);
}

/// A crossed limit with the action restart comes back, unless it did so a moment ago.
void Instance::on_limit(void* context, loops::Turn&) {
    auto& self = *static_cast<Instance*>(context);
    if (self.state_ != ProtocolState::up && self.state_ != ProtocolState::start) return;
    const StopRequest request{reason_of(self.limit_kind_), "Route limit exceeded"};
    const loops::Instant now = self.loop_.now();
    bool restart = self.limit_action_ == config::LimitAction::restart;
    if (restart && now - self.last_start_ < self.config_->restart_time) {
        self.log(Severity::error, "too frequent restarts, disabling");
        restart = false;
    }
    if (restart) self.last_restart_ = now;
    restart ? self.fail(request) : self.give_up(request);
}

void Instance::apply(ProtocolEvent event) {
    const Transition& next = transition(state_, event);
    if (next.to != state_) {
        trace(config::Trace::states, "State changed to {}", engine::name(next.to));
        state_ = next.to;
        last_change_ = loop_.now();
        changed_.send(services_.main_loop);
    }
    perform(next.action);
}

void Instance::perform(ProtocolAction action) {
    switch (action) {
        case ProtocolAction::none:
            return;
        case ProtocolAction::start:
            begin();
            return;
        case ProtocolAction::announce:
            if (protocol_->opens_channels()) return;
            for (const auto& each : channels_)
                open_channel(*each, protocol_->sink(*each));
            return;
        case ProtocolAction::shutdown:
            protocol_->shutdown(stop_request_);
            return;
        case ProtocolAction::flush:
            flush();
            return;
        case ProtocolAction::finish:
            finish();
            return;
    }
}

void Instance::begin() {
    last_start_ = loop_.now();
    create_channels();
    protocol_ = descriptor_.create(*this);
    protocol_->start();
}

/// The main loop starts instances, so this is the place for tables too: their pool is its own. What
/// the last run kept has been swept.
void Instance::create_channels() {
    mirrors_.clear();
    for (const auto& config : config_->channels) {
        table::Table* table = services_.tables.find(config->table->name);
        TERN_ASSERT(table != nullptr,
                    "a channel's table does not exist: ", std::string_view(config->table->name));
        channels_.push_back(std::make_unique<channel::Channel>(*this, *config, *table,
                                                               config_->syntax->preference));
        if (config->keep_received) keep_received(*channels_.back());
    }
}

void Instance::keep_received(channel::Channel& channel) {
    table::TableSettings settings;
    settings.name = fmt::format("{}.{}", name(), channel.name());
    settings.type = channel.type();
    settings.mirror = true;
    mirrors_.push_back(
        std::make_unique<table::Table>(std::move(settings), channel.table().services()));
    channel.keep_received(*mirrors_.back());
}

channel::Channel* Instance::channel(std::string_view name) const {
    for (const auto& each : channels_) {
        if (each->name() == name) return each.get();
    }
    return nullptr;
}

void Instance::set_owner(std::unique_ptr<table::SourceOwner> owner) {
    if (owner_ != nullptr) services_.sources.release_owner(owner_);
    owner_ = owner.release();
}

void Instance::open_channel(channel::Channel& channel, channel::RouteSink* sink) {
    channel.open(sink);
}

bool Instance::channels_down() const {
    for (const auto& each : channels_) {
        if (each->state() != channel::ChannelState::down) return false;
    }
    return true;
}

void Instance::close_channels() {
    closing_channels_ = true;
    for (const auto& each : channels_)
        each->close();
    if (channels_down()) flushed_.send(loop_);
}

void Instance::flush() {
    closing_channels_ = false;
    for (const auto& each : channels_)
        each->close();
    if (channels_down()) flushed_.send(loop_);
}

void Instance::channel_flushed(channel::Channel&) {
    if (channels_down()) flushed_.send(loop_);
}

/// All channels are down: the end of a session, or of the whole run.
void Instance::on_flushed(void* context, loops::Turn&) {
    auto& self = *static_cast<Instance*>(context);
    if (self.state_ == ProtocolState::flush) {
        self.apply(ProtocolEvent::flushed);
    } else if (self.closing_channels_ && self.channels_down()) {
        self.closing_channels_ = false;
        if (self.protocol_ != nullptr) self.protocol_->channels_closed();
    }
}

void Instance::finish() {
    protocol_->cleanup();
    protocol_.reset();
    channels_.clear();
    if (owner_ != nullptr) services_.sources.release_owner(owner_);
    owner_ = nullptr;
}

void Instance::on_changed(void* context, loops::Turn&) {
    auto& self = *static_cast<Instance*>(context);
    self.observer_.instance_changed(self);
}

bool Instance::reconfigure(const config::ProtocolStep& step) {
    const config::ProtocolConfig& next = *step.now;
    debug_ = next.debug;
    if (protocol_ == nullptr) {
        config_ = &next;
        return true;
    }
    for (const config::ChannelStep& change : step.channels) {
        // Another set of channels or another table: the whole instance starts anew.
        const bool stays =
            change.action == config::Action::keep || change.action == config::Action::modify;
        if (!stays) return false;
    }
    if (!protocol_->reconfigure(next, step.effect)) return false;
    config_ = &next;
    for (const config::ChannelStep& change : step.channels) {
        channel::Channel* found = channel(change.now->name);
        if (found == nullptr || !found->reconfigure(*change.now, change.effect)) return false;
        protocol_->channel_changed(*found, change.effect);
    }
    return true;
}

void Instance::adopt(const config::ProtocolConfig& next) {
    if (protocol_ != nullptr) protocol_->reconfigure(next, config::Effect::none);
    config_ = &next;
    for (const auto& each : channels_) {
        each->reconfigure(*next.find_channel(each->name()), config::Effect::none);
    }
}

bool Instance::reload(const Reload& which) {
    bool all = true;
    for (const auto& each : channels_) {
        if (each->state() != channel::ChannelState::up) continue;
        if (which.in) all = each->reload_import() && all;
        if (which.out) protocol_->refresh_export(*each);
    }
    return all;
}

RouterId Instance::router_id() const {
    return config_->router_id.value_or(services_.identity.router_id);
}

std::string_view Instance::hostname() const {
    return config_->hostname ? std::string_view(*config_->hostname) : services_.identity.hostname;
}

filter::Environment& Instance::filter_environment() const {
    return services_.filter_environment;
}

void Instance::log_channel(Severity severity, std::string_view text) const {
    services_.log.submit(severity, {}, {}, text);
}

bool Instance::refresh_import(channel::Channel& channel) {
    return protocol_ != nullptr && protocol_->refresh_import(channel);
}

}  // namespace tern::engine
