#include "router/channel/import_path.h"

#include "locking/check.h"

#include <algorithm>

namespace tern::channel {

using table::Change;
using table::RouteValue;
using table::Table;

namespace {

/// The words of a trace.
std::string_view outcome_text(ImportOutcome outcome) {
    switch (outcome) {
        case ImportOutcome::added:
            return "added";
        case ImportOutcome::updated:
            return "updated";
        case ImportOutcome::removed:
            return "removed";
        case ImportOutcome::ignored:
            return "ignored";
        case ImportOutcome::receive_limit:
            return "ignored (receive limit)";
        case ImportOutcome::import_limit:
            return "ignored (import limit)";
    }
    return "ignored";
}

}  // namespace

ImportPath::ImportPath(Table& table, filter::Environment& environment, ImportObserver& observer)
    : table_(table),
      observer_(observer),
      filter_run_(table.services(), environment),
      holds_(table.services()) {
    batch_.reserve(batch_size);
}

ImportPath::~ImportPath() = default;

void ImportPath::configure(const ImportSettings& settings) {
    flush();
    settings_ = settings;
    settings_.keep_filtered |= received_ != nullptr;
    filter_run_.use(settings.filter);
    receive_limit_.configure(settings.receive_limit);
    import_limit_.configure(settings.import_limit);
    trace_ = observer_.trace_mask();
}

void ImportPath::trace(config::Trace kind, std::string_view what, const net::Prefix& prefix) const {
    if (config::traces(trace_, kind)) observer_.trace_import(what, prefix);
}

void ImportPath::announce(const net::Prefix& prefix,
                          const attr::AttributeSet* raw,
                          table::SourceId source,
                          loops::Instant now,
                          std::uint8_t flags) {
    announce({.prefix = prefix, .attributes = raw, .source = source, .now = now, .flags = flags});
}

void ImportPath::announce(const Announcement& announcement) {
    ++stats_.updates.received;
    const net::Prefix& prefix = announcement.prefix;
    RouteValue route;
    route.attributes = announcement.attributes;
    route.source = announcement.source;
    route.preference = announcement.preference.value_or(settings_.preference);
    route.flags = announcement.flags;
    route.set_time(announcement.now);
    if (!prefix.routable()) {
        ++stats_.updates.rejected;
        observer_.bogus_route(prefix);
        queue({prefix, route, Kind::refused});
        return;
    }
    filter(prefix, route, true);
}

/// `fresh`: just received, not taken out of the mirror.
void ImportPath::filter(const net::Prefix& prefix, RouteValue route, bool fresh) {
    Item item{prefix, route, Kind::update};
    if (fresh && received_ != nullptr) item.raw = route.attributes;
    const FilterResult result = filter_run_.run(prefix, route);
    if (result.accepted) {
        item.route.attributes = result.attributes;
        item.route.preference = result.preference;
    } else {
        ++stats_.updates.filtered;
        item.route.flags |= table::route_filtered;
        if (!settings_.keep_filtered) item.kind = Kind::refused;
        trace(config::Trace::filters, "filtered out", prefix);
    }
    queue(item);
}

void ImportPath::withdraw(const net::Prefix& prefix, table::SourceId source) {
    ++stats_.withdraws.received;
    RouteValue route;
    route.source = source;
    queue({prefix, route, Kind::withdraw});
}

void ImportPath::queue(const Item& item) {
    if (item.kind == Kind::update) holds_.hold(item.route);
    if (item.raw != nullptr && item.raw != item.route.attributes) {
        RouteValue raw = item.route;
        raw.attributes = item.raw;
        holds_.hold(raw);
    }
    batch_.push_back(item);
    if (batch_.size() >= batch_size) flush();
}

/// Ids first, all at once and without the table; then the table; then the ids' own uses go back.
void ImportPath::flush() {
    if (batch_.empty()) return;
    trace_ = observer_.trace_mask();
    net::PrefixIndex& index = table_.services().index;
    prefixes_.clear();
    for (const Item& item : batch_)
        prefixes_.push_back(item.prefix);
    ids_.resize(batch_.size());
    net::PrefixIndex::Batch(index).acquire(prefixes_, ids_);
    {
        Table::Writer writer(table_);
        for (std::size_t i = 0; i < batch_.size(); ++i)
            apply(writer, batch_[i], ids_[i]);
    }
    if (received_ != nullptr) mirror_batch();
    std::erase_if(ids_, [&](net::PrefixId id) { return index.try_release(id); });
    if (!ids_.empty()) net::PrefixIndex::Batch(index).release(ids_);
    batch_.clear();
    holds_.release();
    filter_run_.forget();
    report();
}

/// What the batch says of received routes. They have no preference: it is the channel's then.
void ImportPath::mirror_batch() {
    Table::Writer writer(*received_);
    for (std::size_t i = 0; i < batch_.size(); ++i) {
        const Item& item = batch_[i];
        if (item.kind == Kind::withdraw) writer.withdraw(ids_[i], item.route.source);
        if (item.raw == nullptr) continue;
        RouteValue route = item.route;
        route.prefix = ids_[i];
        route.attributes = item.raw;
        route.preference = 0;
        route.flags = static_cast<std::uint8_t>(route.flags & ~table::route_filtered);
        writer.put(route);
    }
}

void ImportPath::apply(Table::Writer& writer, Item& item, net::PrefixId id) {
    if (item.kind == Kind::update) {
        item.route.prefix = id;
        const ImportOutcome outcome = apply_update(writer, item.route);
        if (outcome == ImportOutcome::receive_limit) item.raw = nullptr;
        trace(config::Trace::routes, outcome_text(outcome), item.prefix);
    } else {
        trace(config::Trace::routes, outcome_text(apply_withdraw(writer, id, item)), item.prefix);
    }
}

bool ImportPath::admit(LimitKind kind, RouteLimit& limit, std::uint64_t count) {
    const RouteLimit::Outcome outcome = limit.admit(count);
    if (outcome == RouteLimit::Outcome::pass) return true;
    if (outcome != RouteLimit::Outcome::block) {
        reports_.push_back({kind, outcome == RouteLimit::Outcome::stop});
    }
    return outcome == RouteLimit::Outcome::pass_and_report;
}

void ImportPath::remember(const RouteValue& route) {
    ++(route.has(table::route_filtered) ? stats_.filtered : stats_.routes);
}

void ImportPath::forget(const RouteValue& old) {
    --(old.has(table::route_filtered) ? stats_.filtered : stats_.routes);
}

ImportOutcome ImportPath::apply_update(Table::Writer& writer, const RouteValue& route) {
    const table::Route* found = writer.find(route.prefix, route.source);
    const bool was_there = found != nullptr;
    const bool was_filtered = was_there && found->has(table::route_filtered);
    const bool filtered = route.has(table::route_filtered);
    if (!was_there && !admit(LimitKind::receive, receive_limit_, stats_.routes + stats_.filtered)) {
        ++stats_.updates.receive_limit;
        return ImportOutcome::receive_limit;
    }
    if (!filtered && (!was_there || was_filtered) &&
        !admit(LimitKind::import_, import_limit_, stats_.routes)) {
        ++stats_.updates.limit;
        return ImportOutcome::import_limit;
    }
    RouteValue before;
    if (was_there) before = *found;
    const Change change = writer.put(route);
    if (change == Change::ignored) {
        ++stats_.updates.ignored;
        return ImportOutcome::ignored;
    }
    if (change == Change::replaced) forget(before);
    remember(route);
    if (!filtered) ++stats_.updates.accepted;
    return change == Change::added ? ImportOutcome::added : ImportOutcome::updated;
}

ImportOutcome ImportPath::apply_withdraw(Table::Writer& writer,
                                         net::PrefixId id,
                                         const Item& item) {
    const table::Route* found = writer.find(id, item.route.source);
    if (found == nullptr) {
        if (item.kind == Kind::withdraw) ++stats_.withdraws.ignored;
        return ImportOutcome::ignored;
    }
    forget(*found);
    writer.withdraw(id, item.route.source);
    if (item.kind == Kind::withdraw) ++stats_.withdraws.accepted;
    return ImportOutcome::removed;
}

/// Tells what the batch ran into, now that the table's domain is released.
void ImportPath::report() {
    for (std::size_t i = 0; i < reports_.size(); ++i) {
        const Report report = reports_[i];
        const RouteLimit& limit =
            report.kind == LimitKind::receive ? receive_limit_ : import_limit_;
        observer_.limit_crossed(report.kind, limit.config(), report.stop);
    }
    reports_.clear();
}

void ImportPath::start_sweep(Sweep kind, const table::SourceOwner& owner) {
    flush();
    sweep_kind_ = kind;
    sweep_owner_ = &owner;
    sweep_position_ = 0;
    sweeping_ = true;
    sweeping_received_ = false;
    if (kind == Sweep::withdraw_all) reloading_ = false;
}

Table::Writer::Verdict ImportPath::decide(const table::Route& route, void* context) {
    auto& path = *static_cast<ImportPath*>(context);
    using Verdict = Table::Writer::Verdict;
    const auto& sources = path.table_.services().sources;
    if (&sources.owner(route.source) != path.sweep_owner_) return Verdict::keep;
    if (path.sweep_kind_ == Sweep::mark_stale) return Verdict::mark_stale;
    if (path.sweep_kind_ == Sweep::withdraw_stale && !route.has(table::route_stale)) {
        return Verdict::keep;
    }
    if (!path.sweeping_received_) path.forget(route);
    return Verdict::withdraw;
}

bool ImportPath::sweep_step() {
    if (!sweeping_) return true;
    Table::Writer writer(sweeping_received_ ? *received_ : table_);
    sweep_position_ = writer.sweep(sweep_position_, sweep_stride, decide, this);
    if (sweep_position_ != Table::Writer::index_end) return false;
    sweeping_ = received_ != nullptr && !sweeping_received_;
    sweeping_received_ = sweeping_;
    sweep_position_ = 0;
    return !sweeping_;
}

void ImportPath::start_reload() {
    TERN_ASSERT(received_ != nullptr, "only what was kept can be filtered again");
    flush();
    reload_position_ = 0;
    reloading_ = true;
}

bool ImportPath::reload_step() {
    if (!reloading_) return true;
    table::RouteHolds holds(table_.services());
    std::vector<RouteValue> routes;
    {
        const Table::View view(*received_);
        const std::uint32_t end = std::min(view.id_limit(), reload_position_ + sweep_stride);
        for (; reload_position_ < end; ++reload_position_) {
            const table::Route* route = view.routes(net::PrefixId{reload_position_});
            for (; route != nullptr; route = route->next) {
                holds.hold(*route);
                routes.push_back(*route);
            }
        }
        reloading_ = end < view.id_limit();
    }
    for (RouteValue& route : routes) {
        route.preference = settings_.preference;
        filter(table_.services().index.prefix(route.prefix), route, false);
    }
    flush();
    return !reloading_;
}

}  // namespace tern::channel
