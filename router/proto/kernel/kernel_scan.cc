// The reading half of the kernel protocol: scans, notifications and learned routes.
#include "alloc/arena.h"
#include "router/engine/recovery.h"
#include "router/proto/kernel/kernel.h"

#include <cerrno>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace tern::kernel {

void Kernel::on_scan_timer() {
    begin_scan();
}

void Kernel::scan_soon() {
    if (!soon_timer_.active()) soon_timer_.in(loops::milliseconds(200));
}

/// The kernel drops routes over an interface that goes down without telling anybody.
void Kernel::on_interfaces() {
    if (!interfaces_) return;
    constexpr unsigned losses = iface::change_removed | iface::change_down |
                                iface::change_link_down | iface::change_flapped |
                                iface::change_addresses;
    bool lost = false;
    for (const iface::Change& change : interfaces_->take(256)) {
        if (change.before && (change.flags & losses) != 0) lost = true;
    }
    if (lost && sync_.first_scan_done()) scan_soon();
}

bool Kernel::deferring() const {
    return config_->graceful_restart && !sync_.first_scan_done() &&
           instance().services().recovery.active();
}

void Kernel::on_recovered() {
    scan_soon();
}

void Kernel::begin_scan() {
    if (scanning_) return;
    if (sync_.resyncing()) {
        // The last scan is still being acted upon.
        soon_timer_.in(loops::seconds(1));
        return;
    }
    const std::uint32_t table = scans_->strict() ? place_.table : 0;
    auto begun = scans_->begin_dump(RTM_GETROUTE, place_.v4 ? AF_INET : AF_INET6, table);
    if (!begun) {
        fail_scan(begun.error());
        return;
    }
    instance().trace(config::Trace::events, "Scanning kernel table {}", place_.table);
    scanning_ = true;
    only_learning_ = deferring();
    if (!only_learning_) sync_.begin_scan();
    for (auto& [key, learned] : learned_)
        learned.seen = false;
    scan_event_.send(instance().loop());
}

void Kernel::step_scan(loops::Turn& turn) {
    if (!scanning_) return;
    do {
        const auto done = scans_->step_dump(on_dumped, this);
        if (!done) {
            const int number = done.error().number;
            // An absent table is no failure: there is just nothing in it. And a table that never
            // rests must not keep us from writing: what the first scan missed, the next one sees.
            if (number == ENOENT || (number == EINTR && !sync_.first_scan_done())) break;
            scanning_ = false;
            if (!only_learning_) sync_.abort_scan();
            fail_scan(done.error());
            return;
        }
        if (*done) break;
        if (turn.out_of_time()) {
            flush_writes();
            scan_event_.send(instance().loop());
            return;
        }
    } while (true);
    finish_scan();
}

void Kernel::finish_scan() {
    scanning_ = false;
    flush_writes();
    forget_unseen();
    channel().import().flush();
    if (only_learning_) {
        if (!deferring()) scan_soon();  // the recovery has ended meanwhile
        return;
    }
    const bool first = !sync_.first_scan_done();
    const bool again = sync_.end_scan();
    channel::ExportPath* path = channel().exporter();
    if (path == nullptr) return;
    if (first) {
        path->resume();
    } else if (again) {
        instance().trace(config::Trace::events, "Kernel table {} differs, writing it again",
                         place_.table);
        path->refeed();
    }
}

/// The table changed while it was read, or the kernel had no memory: soon again.
void Kernel::fail_scan(const os::SystemError& error) {
    if (error.number != EINTR) {
        instance().services().log.log_limited(refusals_limit_, Severity::warning, instance().name(),
                                              "Kernel scan failed: {}", error.text);
    }
    soon_timer_.in(loops::seconds(1));
}

void Kernel::on_dumped(Bytes message, void* context) {
    auto& self = *static_cast<Kernel*>(context);
    if (!os::netlink::decode_route(message, self.seen_message_)) return;
    if (!self.seen_message_.removed) self.found(self.seen_message_);
}

void Kernel::found(const os::netlink::RouteMessage& message) {
    const Kind kind = classify(message, place_);
    switch (kind) {
        case Kind::foreign:
            return;
        case Kind::own:
            if (!only_learning_) found_own(message);
            return;
        case Kind::redirect:
            if (!only_learning_) remove({}, message.destination, message.priority);
            return;
        case Kind::alien:
        case Kind::kernel:
            if (learns(kind)) learn(message);
            return;
    }
}

void Kernel::found_own(const os::netlink::RouteMessage& message) {
    std::optional<net::PrefixId> id;
    if (sync_.first_scan_done()) {
        net::PrefixIndex::Batch index(channel().table().services().index);
        id = index.find(message.destination);
    }
    const Installed route = {fingerprint(message), kernel_metric(message, place_), 0};
    if (!sync_.seen(id, message.destination, route)) {
        remove({}, message.destination, message.priority);
    }
}

// --- learning -----------------------------------------------------------------------------------

bool Kernel::learns(Kind kind) const {
    switch (kind) {
        case Kind::alien:
            return config_->learn != Learn::off;
        case Kind::kernel:
            return config_->learn == Learn::all;
        case Kind::foreign:
        case Kind::own:
        case Kind::redirect:
            return false;
    }
    return false;
}

const attr::AttributeSet* Kernel::attributes_of(const os::netlink::RouteMessage& message) {
    const alloc::Arena::Scope scratch(alloc::scratch());
    attr::AttributeList list(scratch.arena(), nullptr);
    fill_attributes(message, list);
    return instance().services().attributes.intern(list);
}

void Kernel::learn(const os::netlink::RouteMessage& message) {
    engine::Services& services = instance().services();
    const attr::AttributeSet* attributes = attributes_of(message);
    const auto [it, fresh] =
        learned_.try_emplace(LearnedKey{message.destination, message.priority});
    Learned& learned = it->second;
    learned.seen = true;
    if (fresh) {
        learned.source = services.sources.acquire(*instance().owner(), message.priority);
    } else if (learned.attributes == attributes) {
        services.attributes.release(attributes);
        return;
    } else {
        services.attributes.release(learned.attributes);
    }
    learned.attributes = attributes;
    channel().import().announce(message.destination, attributes, learned.source,
                                instance().loop().now());
}

void Kernel::unlearn(const os::netlink::RouteMessage& message) {
    const auto it = learned_.find(LearnedKey{message.destination, message.priority});
    if (it == learned_.end()) return;
    channel().import().withdraw(message.destination, it->second.source);
    channel().import().flush();
    forget(it);
}

void Kernel::forget(std::map<LearnedKey, Learned>::iterator it) {
    instance().services().attributes.release(it->second.attributes);
    instance().services().sources.release(it->second.source);
    learned_.erase(it);
}

void Kernel::forget_unseen() {
    std::vector<std::map<LearnedKey, Learned>::iterator> gone;
    for (auto it = learned_.begin(); it != learned_.end(); ++it) {
        if (it->second.seen) continue;
        channel().import().withdraw(it->first.first, it->second.source);
        gone.push_back(it);
    }
    channel().import().flush();
    for (const auto it : gone)
        forget(it);
}

bool Kernel::refresh_import(channel::Channel& channel) {
    const loops::Instant now = instance().loop().now();
    for (const auto& [key, learned] : learned_) {
        channel.import().announce(key.first, learned.attributes, learned.source, now);
    }
    channel.import().flush();
    return true;
}

// --- notifications ------------------------------------------------------------------------------

void Kernel::on_message(Bytes message, void* context) {
    auto& self = *static_cast<Kernel*>(context);
    if (!os::netlink::decode_route(message, self.seen_message_)) return;
    const os::netlink::RouteMessage& route = self.seen_message_;
    // Our own routes come back as echoes.
    const Kind kind = classify(route, self.place_);
    if (!self.learns(kind)) return;
    if (route.removed) {
        self.unlearn(route);
    } else {
        self.learn(route);
    }
}

void Kernel::on_batch_end(void* context) {
    static_cast<Kernel*>(context)->channel().import().flush();
}

void Kernel::on_overrun(void* context) {
    auto& self = *static_cast<Kernel*>(context);
    self.instance().log(Severity::warning,
                        "Kernel dropped some netlink messages, will resync on next scan.");
    self.scan_soon();
}

}  // namespace tern::kernel
