#include "router/proto/static/resolver.h"

namespace tern::static_routes {

Resolver::Resolver(const Setup& setup, ResolverObserver& observer)
    : setup_(setup),
      observer_(observer),
      news_(on_news, this),
      batch_(setup.table.services()),
      reader_(setup.table, table::ReadMode::best, news_, setup.loop) {
    reader_.skip_feed();     // hosts are looked up when they come, so only changes matter
    news_.send(setup.loop);  // the first read lets the table know that we wait
}

const Resolution& Resolver::add(const net::IpAddress& address) {
    Host& host = hosts_[address];
    if (host.users++ == 0) resolve(address, host);
    return host.resolution;
}

void Resolver::remove(const net::IpAddress& address) {
    const auto found = hosts_.find(address);
    if (--found->second.users != 0) return;
    watch(found->second, std::nullopt);
    hosts_.erase(found);
}

/// The table reports the end of a prefix only to those who have announced it: so does who uses it.
void Resolver::watch(Host& host, std::optional<net::PrefixId> match) {
    if (match) {
        ++matches_[*match];
        reader_.set_announced(*match, true);
    }
    if (host.match) {
        const auto found = matches_.find(*host.match);
        if (--found->second == 0) {
            matches_.erase(found);
            reader_.set_announced(*host.match, false);
        }
    }
    host.match = match;
}

void Resolver::resolve(const net::IpAddress& address, Host& host) {
    Resolution found;
    std::optional<net::PrefixId> match;
    {
        table::Table::View view(setup_.table);
        net::PrefixIndex& index = setup_.table.services().index;
        const net::PrefixIndex::Batch batch(index);
        match = batch.longest_match(net::Prefix::host(address), [&view](net::PrefixId id) {
            const table::Route* route = view.routes(id);
            return route != nullptr && route->usable();
        });
        if (match) found = through(*view.routes(*match), address);
    }
    watch(host, match);
    if (found.destination == attr::Destination::unicast) {
        const auto local = setup_.interfaces.on_link(address, {});
        if (local && local->is_local) found = {};
    }
    host.resolution = std::move(found);
}

Resolution Resolver::through(const table::Route& route, const net::IpAddress& address) const {
    Resolution result;
    const attr::AttributeSet& set = *route.attributes;
    const attr::NextHopListView hops = attr::next_hops(set);
    if (set.has(attr::core::recursive) || !hops.present()) return result;
    result.destination = hops.destination();
    hops.for_each([&](attr::NextHop hop) {
        if (hop.gateway.is_zero()) hop.gateway = address;
        result.hops.push_back(hop);
    });
    const bool device = attr::origin_of(set) == attr::RouteOrigin::device;
    result.metric = set.word_or(attr::core::igp_metric, device ? 0 : attr::metric_unknown);
    return result;
}

/// Hosts that the changed prefix covers have to be looked up again.
bool Resolver::mark(const net::PrefixId& id, const net::Prefix& prefix) {
    bool any = false;
    for (auto& [address, host] : hosts_) {
        if (host.match != id && !prefix.contains(address)) continue;
        host.dirty = true;
        any = true;
    }
    return any;
}

void Resolver::on_news(void* context, loops::Turn& turn) {
    auto& self = *static_cast<Resolver*>(context);
    constexpr std::size_t batch_prefixes = 1024;
    const net::PrefixIndex& index = self.setup_.table.services().index;
    for (;;) {
        const auto progress = self.reader_.read(self.batch_, batch_prefixes);
        bool any = false;
        for (const table::ExportItem& item : self.batch_.items()) {
            any = self.mark(item.route.prefix, index.prefix(item.route.prefix)) || any;
        }
        self.batch_.clear();
        std::vector<net::IpAddress> changed;
        for (auto& [address, host] : self.hosts_) {
            if (!any || !host.dirty) continue;
            host.dirty = false;
            const Resolution before = host.resolution;
            self.resolve(address, host);
            if (host.resolution != before) changed.push_back(address);
        }
        for (const net::IpAddress& address : changed)
            self.observer_.host_changed(address);
        if (progress == table::ExportReader::Progress::idle) return;
        if (turn.out_of_time()) {
            self.news_.send(self.setup_.loop);
            return;
        }
    }
}

}  // namespace tern::static_routes
