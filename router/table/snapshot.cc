#include "router/table/snapshot.h"

#include <algorithm>

namespace tern::table {

void Snapshot::clear() {
    routes_.clear();
    holds_.release();
}

void Snapshot::copy(const Route* routes, const net::Prefix& prefix) {
    for (const Route* route = routes; route != nullptr; route = route->next) {
        holds_.hold(*route);
        const bool first = route == routes;
        routes_.push_back({prefix, *route, first, first && route->usable()});
    }
}

std::uint32_t Snapshot::take(Table& table, const Stretch& stretch) {
    clear();
    const Table::View view(table);
    const std::uint32_t limit = view.id_limit();
    std::uint32_t position = stretch.position;
    if (position >= limit) return end;
    const std::uint32_t stop = std::min(limit - position, stretch.ids_max) + position;
    for (; position < stop && routes_.size() < stretch.routes_max; ++position) {
        const net::PrefixId id{position};
        const Route* routes = view.routes(id);
        if (routes == nullptr) continue;
        const net::Prefix prefix = services_.index.prefix(id);
        if (!stretch.inside || stretch.inside->contains(prefix)) copy(routes, prefix);
    }
    return position < limit ? position : end;
}

void Snapshot::take_exact(Table& table, const net::Prefix& prefix) {
    clear();
    const Table::View view(table);
    const net::PrefixIndex::Batch batch(services_.index);
    const std::optional<net::PrefixId> id = batch.find(prefix);
    if (id) copy(view.routes(*id), prefix);
}

void Snapshot::take_longest(Table& table, const net::Prefix& prefix) {
    clear();
    const Table::View view(table);
    const net::PrefixIndex::Batch batch(services_.index);
    const std::optional<net::PrefixId> id =
        batch.longest_match(prefix, [&view](net::PrefixId candidate) {
            const Route* route = view.routes(candidate);
            return route != nullptr && route->usable();
        });
    if (id) copy(view.routes(*id), services_.index.prefix(*id));
}

}  // namespace tern::table
