#include "router/table/table.h"

#include "locking/check.h"
#include "router/table/export_reader.h"

#include <algorithm>
#include <array>
#include <new>
#include <span>

namespace tern::table {

namespace {

std::uint32_t number(net::PrefixId id) {
    return static_cast<std::uint32_t>(id);
}

/// The same route for everybody who looks: only the time differs.
bool same_content(const RouteValue& a, const RouteValue& b) {
    constexpr auto ignored = static_cast<std::uint8_t>(~(route_stale | route_not_synced));
    return a.attributes == b.attributes && a.preference == b.preference &&
           (a.flags & ignored) == (b.flags & ignored);
}

}  // namespace

Table::Table(TableSettings settings, const TableServices& services)
    : settings_(std::move(settings)),
      services_(services),
      domain_(settings_.name),
      pool_(services.pool.child_of(domain_, settings_.name)),
      journal_(settings_.journal_limit) {
    const auto guard = domain_.lock_dynamic();
    routes_.emplace(pool_, "routes");
}

Table::~Table() {
    TERN_ASSERT(readers_.empty(), "a table is destroyed while channels still read it");
    {
        const auto guard = domain_.lock_dynamic();
        for (Route** chunk : entries_) {
            if (chunk == nullptr) continue;
            for (Route*& head : std::span(chunk, chunk_size)) {
                while (head != nullptr)
                    drop(&head, &head);
            }
            pool_.cache().deallocate(chunk);
        }
        collect_dead(true);
        routes_.reset();
    }
    services_.pool.destroy(pool_);
}

Route*& Table::head(net::PrefixId id) {
    const std::size_t chunk = number(id) / chunk_size;
    if (chunk >= entries_.size()) entries_.resize(chunk + 1);
    if (entries_[chunk] == nullptr) {
        entries_[chunk] = ::new (pool_.cache().allocate()) Route* [chunk_size] {};
    }
    return entries_[chunk][number(id) % chunk_size];
}

Route* Table::head_or_null(net::PrefixId id) const {
    const std::size_t chunk = number(id) / chunk_size;
    if (chunk >= entries_.size() || entries_[chunk] == nullptr) return nullptr;
    return entries_[chunk][number(id) % chunk_size];
}

/// Puts a route where it belongs: before the first one it beats in a sorted table, else first if it
/// beats the best and second if it does not.
void Table::insert(Route** list, Route* route) {
    Route** at = list;
    if (settings_.sorted) {
        while (*at != nullptr && !better(*route, **at, services_.sources))
            at = &(*at)->next;
    } else if (*at != nullptr && !better(*route, **at, services_.sources)) {
        at = &(*at)->next;
    }
    route->next = *at;
    *at = route;
}

/// Restores the order after `changed` got new content, or (null) after the best route left.
void Table::resort(Route** list, const Route* changed) {
    if (changed != nullptr) {
        Route** link = list;
        while (*link != changed)
            link = &(*link)->next;
        const bool was_best = link == list;
        Route* route = *link;
        *link = route->next;
        if (!was_best || settings_.sorted) {
            insert(list, route);
            return;
        }
        route->next = *list;
        *list = route;
    }
    if (settings_.sorted || *list == nullptr) return;
    Route** best = list;
    for (Route** link = &(*list)->next; *link != nullptr; link = &(*link)->next) {
        if (better(**link, **best, services_.sources)) best = link;
    }
    if (best == list) return;
    Route* route = *best;
    *best = route->next;
    route->next = *list;
    *list = route;
}

/// Takes the route out of its list and gives back what it used.
void Table::remove(Route** link) {
    Route* route = *link;
    *link = route->next;
    --counters_.routes;
    if (route->has(route_filtered)) --counters_.filtered;
    services_.attributes.release(route->attributes);
    services_.sources.release(route->source);
    const net::PrefixId id = route->prefix;
    routes_->destroy(*route);
    if (head_or_null(id) == nullptr) {
        --counters_.prefixes;
        dead_.push_back({journal_.end(), id});
    }
}

/// Removes a route for good: best route, journal, counts.
void Table::drop(Route** list, Route** link) {
    const bool was_best = link == list;
    publish((*link)->prefix, was_best);
    if (was_best) count_best(*list, -1);
    remove(link);
    if (!was_best) return;
    resort(list, nullptr);
    count_best(*list, 1);
}

void Table::publish(net::PrefixId id, bool best_changed) {
    if (readers_.empty() || (!best_changed && all_route_readers_ == 0)) return;
    journal_.push(id, best_changed);
}

/// Keeps the owners' counts of best routes: -1 before a list changes, +1 after.
void Table::count_best(const Route* best, std::int64_t by) const {
    if (best == nullptr || !best->usable() || settings_.mirror) return;
    const SourceOwner& owner = services_.sources.owner(best->source);
    owner.preferred_[static_cast<std::size_t>(settings_.type)].fetch_add(
        static_cast<std::uint64_t>(by), std::memory_order_relaxed);
}

void Table::wake_readers() {
    if (idle_readers_ == 0) return;
    for (ExportReader* reader : readers_) {
        if (!reader->idle_) continue;
        reader->idle_ = false;
        --idle_readers_;
        reader->wake();
    }
}

Journal::Sequence Table::oldest_reader() const {
    Journal::Sequence oldest = journal_.end();
    for (const ExportReader* reader : readers_) {
        oldest = std::min(oldest, reader->safe_sequence());
    }
    return oldest;
}

/// Gives ids back that every reader has passed; a few at a time unless `all`.
void Table::collect_dead(bool all) {
    const Journal::Sequence oldest = all ? ~Journal::Sequence{0} : oldest_reader();
    if (!all) journal_.trim(oldest);
    // The last journal item about a dead prefix stands before its sequence number.
    if (dead_.empty() || dead_.front().sequence > oldest) return;
    std::array<net::PrefixId, 256> ids;
    net::PrefixIndex::Batch batch(services_.index);
    while (!dead_.empty() && dead_.front().sequence <= oldest) {
        std::size_t count = 0;
        for (; count < ids.size() && !dead_.empty() && dead_.front().sequence <= oldest; ++count) {
            ids[count] = dead_.front().prefix;
            dead_.pop_front();
        }
        batch.release(std::span(ids).first(count));
    }
}

TableCounters Table::counters() {
    const auto guard = domain_.lock_dynamic();
    return counters_;
}

std::size_t Table::memory() {
    const auto guard = domain_.lock_dynamic();
    const auto chunks = static_cast<std::size_t>(std::count_if(
        entries_.begin(), entries_.end(), [](const auto& c) { return c != nullptr; }));
    return counters_.routes * sizeof(Route) + chunks * chunk_size * sizeof(Route*) +
           entries_.capacity() * sizeof(entries_[0]) + journal_.memory() +
           dead_.size() * sizeof(Dead);
}

void Table::update(const TableSettings& settings) {
    const auto guard = domain_.lock_dynamic();
    settings_.journal_limit = settings.journal_limit;
    settings_.release_threshold = settings.release_threshold;
    settings_.refresh_settle = settings.refresh_settle;
    journal_.set_limit(settings.journal_limit);
}

void Table::count_refresh(bool begins) {
    const auto guard = domain_.lock_dynamic();
    begins ? ++refreshes_ : --refreshes_;
}

std::optional<config::Settle> Table::refreshing() {
    const auto guard = domain_.lock_dynamic();
    if (refreshes_ == 0) return std::nullopt;
    return settings_.refresh_settle;
}

Table::Writer::Writer(Table& table)
    : table_(table), guard_(table.domain_.lock_dynamic()), start_(table.journal_.end()) {}

Table::Writer::~Writer() {
    if (table_.journal_.end() != start_) table_.wake_readers();
    const bool many_dead = table_.dead_.size() >= table_.settings_.release_threshold;
    if (many_dead || table_.readers_.empty()) table_.collect_dead(false);
}

const Route* Table::Writer::find(net::PrefixId id, SourceId source) const {
    for (const Route* route = table_.head_or_null(id); route != nullptr; route = route->next) {
        if (route->source == source) return route;
    }
    return nullptr;
}

Change Table::Writer::put(const RouteValue& value) {
    Table& t = table_;
    Route** list = &t.head(value.prefix);
    Route* const best = *list;
    Route* old = best;
    while (old != nullptr && old->source != value.source)
        old = old->next;
    if (old != nullptr) {
        if (same_content(*old, value)) {
            old->flags = value.flags;
            return Change::ignored;
        }
        t.services_.attributes.add_use(value.attributes);
        t.services_.attributes.release(old->attributes);
        t.counters_.filtered += value.has(route_filtered) ? 1U : 0U;
        t.counters_.filtered -= old->has(route_filtered) ? 1U : 0U;
        t.count_best(best, -1);
        static_cast<RouteValue&>(*old) = value;
        t.resort(list, old);
        t.count_best(*list, 1);
        t.publish(value.prefix, old == best || *list != best);
        return Change::replaced;
    }
    if (best == nullptr) {
        net::PrefixIndex::add_use(t.services_.index, value.prefix);
        ++t.counters_.prefixes;
    }
    t.services_.attributes.add_use(value.attributes);
    t.services_.sources.add_use(value.source);
    ++t.counters_.routes;
    if (value.has(route_filtered)) ++t.counters_.filtered;
    Route* route = &t.routes_->make();
    static_cast<RouteValue&>(*route) = value;
    t.insert(list, route);
    if (*list == route) {
        t.count_best(best, -1);
        t.count_best(route, 1);
    }
    t.publish(value.prefix, *list == route);
    return Change::added;
}

bool Table::Writer::withdraw(net::PrefixId id, SourceId source) {
    Table& t = table_;
    if (t.head_or_null(id) == nullptr) return false;
    Route** list = &t.head(id);
    Route** link = list;
    while (*link != nullptr && (*link)->source != source)
        link = &(*link)->next;
    if (*link == nullptr) return false;
    t.drop(list, link);
    return true;
}

bool Table::Writer::set_flag(net::PrefixId id, SourceId source, RouteFlag flag, bool on) {
    const Route* found = find(id, source);
    if (found == nullptr) return false;
    if (found->has(flag) == on) return true;
    RouteValue changed = *found;
    changed.flags = static_cast<std::uint8_t>(on ? changed.flags | flag : changed.flags & ~flag);
    put(changed);
    return true;
}

std::uint32_t Table::Writer::sweep(std::uint32_t position,
                                   std::uint32_t count,
                                   Verdict (*decide)(const Route&, void*),
                                   void* context) {
    Table& t = table_;
    const auto limit = static_cast<std::uint32_t>(t.entries_.size() * chunk_size);
    const std::uint32_t stop = position < limit ? std::min(limit, position + count) : limit;
    for (; position < stop; ++position) {
        if (t.entries_[position / chunk_size] == nullptr) {
            position |= static_cast<std::uint32_t>(chunk_size - 1);  // the whole chunk is empty
            continue;
        }
        const net::PrefixId id{position};
        for (Route** link = &t.head(id); *link != nullptr;) {
            const Verdict verdict = decide(**link, context);
            if (verdict == Verdict::mark_stale) (*link)->flags |= route_stale;
            if (verdict != Verdict::withdraw) {
                link = &(*link)->next;
                continue;
            }
            Route** list = &t.head(id);
            const bool was_best = link == list;
            t.drop(list, link);
            if (was_best) link = list;  // the order may have changed: look at the list again
        }
    }
    return position < limit ? position : index_end;
}

void RouteHolds::hold(const RouteValue& route) {
    if (sets_.empty() || sets_.back() != route.attributes) {
        services_.attributes.add_use(route.attributes);
        sets_.push_back(route.attributes);
    }
    if (sources_.empty() || sources_.back() != route.source) {
        services_.sources.add_use(route.source);
        sources_.push_back(route.source);
    }
}

void RouteHolds::release() {
    for (const attr::AttributeSet* set : sets_)
        services_.attributes.release(set);
    for (const SourceId source : sources_)
        services_.sources.release(source);
    sets_.clear();
    sources_.clear();
}

}  // namespace tern::table
