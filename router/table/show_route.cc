#include "router/table/show_route.h"

#include "router/table/route_printer.h"
#include "router/table/snapshot.h"

#include <fmt/format.h>

namespace tern::table {
namespace {

using cli::Field;
using cli::ReplyCode;
using cli::Step;
using Request = ShowRouteRequest;
using Match = Request::Match;
using Totals = Request::Totals;

struct Counters {
    std::uint64_t shown = 0;
    std::uint64_t routes = 0;
    std::uint64_t networks = 0;
};

class ShowRoute final : public cli::LongReply {
  public:
    ShowRoute(Request request,
              std::unique_ptr<config::CommandText> text,
              const ShowRouteServices& services)
        : request_(std::move(request)),
          text_(std::move(text)),
          services_(services),
          printer_(services, {request_.time_format, request_.attributes, request_.v2_attributes}) {}

    Step step(cli::Output& out) override;

  private:
    /// Routes looked at in one step, and prefix ids of the table passed over.
    static constexpr std::size_t step_routes = 256;

    [[nodiscard]] Request::Source& source() { return request_.sources[source_]; }

    [[nodiscard]] bool counting() const { return request_.totals == Totals::count; }

    bool refill(cli::Output& out);
    void show_next(cli::Output& out);
    [[nodiscard]] bool accepted(const SnapshotRoute& entry, PrintedRoute& printed);
    void heading(cli::Output& out);

    [[nodiscard]] const std::string& title() const {
        const Request::Source& from = request_.sources[source_];
        return from.title.empty() ? from.table : from.title;
    }

    void finish_table(cli::Output& out);
    void finish(cli::Output& out);

    Request request_;
    std::unique_ptr<config::CommandText> text_;
    ShowRouteServices services_;
    RoutePrinter printer_;
    alloc::Arena arena_;
    std::size_t source_ = 0;
    std::optional<Snapshot> snapshot_;  // made for each table
    std::size_t next_ = 0;              // in the snapshot
    std::uint32_t position_ = 0;        // in the table
    bool headed_ = false;               // this table's heading is out
    bool headings_ = false;             // some heading is
    bool network_counted_ = false;      // for the prefix in hand
    bool network_shown_ = false;
    Counters counters_;
    Counters total_;
};

Step ShowRoute::step(cli::Output& out) {
    for (std::size_t seen = 0; seen < step_routes;) {
        if (out.full()) return Step::more;
        if (snapshot_ && next_ < snapshot_->routes().size()) {
            show_next(out);
            ++seen;
            continue;
        }
        if (snapshot_ && position_ == Snapshot::end) {
            finish_table(out);
            if (++source_ == request_.sources.size()) {
                finish(out);
                return Step::finished;
            }
            continue;
        }
        if (!refill(out)) return Step::finished;
        seen += step_routes / 8;  // passing over empty ids takes time too
    }
    return Step::more;
}

/// Copies the next piece; false if the table is gone, which ends the reply.
bool ShowRoute::refill(cli::Output& out) {
    Table* table = services_.host.find_table(source().table);
    if (table == nullptr) {
        out.finish(ReplyCode::stopped, "Table is shutting down");
        return false;
    }
    if (!snapshot_) {
        snapshot_.emplace(table->services());
        position_ = 0;
        if (source().chosen) heading(out);
    }
    next_ = 0;
    switch (request_.match) {
        case Match::exact:
            snapshot_->take_exact(*table, request_.prefix);
            position_ = Snapshot::end;
            return true;
        case Match::longest:
            snapshot_->take_longest(*table, request_.prefix);
            position_ = Snapshot::end;
            return true;
        case Match::inside:
        case Match::all:
            break;
    }
    Snapshot::Stretch stretch;
    stretch.position = position_;
    stretch.routes_max = step_routes;
    if (request_.match == Match::inside) stretch.inside = request_.prefix;
    position_ = snapshot_->take(*table, stretch);
    return true;
}

/// Whether the route is to be shown; filters may change what is printed of it.
bool ShowRoute::accepted(const SnapshotRoute& entry, PrintedRoute& printed) {
    const SourceOwner& owner = printed.owner;
    ExportQuery* query = source().query.get();
    const bool only_best = request_.primary || (query != nullptr && !query->all_routes());
    if (only_best && !entry.best) return false;
    if (!request_.protocol.empty() && owner.protocol_name() != request_.protocol) return false;
    attr::AttributeList& list = printed.attributes;
    if (query != nullptr && !query->shows({entry.prefix, entry.route, owner}, list)) return false;
    if (request_.filter == nullptr) return true;
    const filter::RouteFacts facts{.protocol = owner.protocol_name(),
                                   .from = owner.from(),
                                   .source = owner.source_kind(),
                                   .preference = entry.route.preference};
    filter::RouteView view(list, entry.prefix, facts);
    if (request_.filter->run(view, services_.environment) != filter::Verdict::accept) return false;
    printed.preference = view.preference();
    return true;
}

void ShowRoute::show_next(cli::Output& out) {
    const SnapshotRoute& entry = snapshot_->routes()[next_++];
    if (entry.first) network_counted_ = network_shown_ = false;
    if (entry.route.usable() == request_.filtered) return;
    ++counters_.routes;
    if (!network_counted_) ++counters_.networks;
    network_counted_ = true;
    const alloc::Arena::Scope scope(arena_);
    attr::AttributeList list(arena_, entry.route.attributes);
    PrintedRoute printed{.prefix = entry.prefix,
                         .route = entry.route,
                         .owner = snapshot_->owner(entry.route),
                         .attributes = list,
                         .preference = entry.route.preference,
                         .best = entry.best,
                         .with_network = !network_shown_};
    if (!accepted(entry, printed)) return;
    ++counters_.shown;
    if (counting()) return;
    heading(out);
    printer_.print(out, printed);
    network_shown_ = true;
}

void ShowRoute::heading(cli::Output& out) {
    if (headed_ || counting()) return;
    if (headings_) out.text(ReplyCode::route, "");
    out.begin("table");
    out.line(ReplyCode::route, "Table {name}:", {Field{"name", title()}});
    headed_ = headings_ = true;
}

void ShowRoute::finish_table(cli::Output& out) {
    if (request_.totals == Totals::stats) {
        heading(out);
        out.text(ReplyCode::route, "");
    }
    if (request_.totals != Totals::none) {
        if (!headed_) out.begin("table");
        out.line(
            ReplyCode::route, "{shown} of {routes} routes for {networks} networks in table {name}",
            {Field{"shown", counters_.shown}, Field{"routes", counters_.routes},
             Field{"networks", counters_.networks},
             Field{"name", title(), headed_ ? cli::Audience::text_only : cli::Audience::both}});
    }
    if (headed_ || request_.totals != Totals::none) out.end();
    total_.shown += counters_.shown;
    total_.routes += counters_.routes;
    total_.networks += counters_.networks;
    counters_ = {};
    headed_ = false;
    snapshot_.reset();
    next_ = 0;
    position_ = 0;
}

void ShowRoute::finish(cli::Output& out) {
    const bool looked_up = request_.match == Match::exact || request_.match == Match::longest;
    if (looked_up && total_.routes == 0) {
        out.finish(ReplyCode::route_not_found, "Network not found");
    } else if (request_.totals != Totals::none && request_.sources.size() > 1) {
        out.finish(ReplyCode::route_count,
                   fmt::format("Total: {} of {} routes for {} networks in {} tables", total_.shown,
                               total_.routes, total_.networks, request_.sources.size()));
    } else {
        out.done();
    }
}

}  // namespace

std::unique_ptr<cli::LongReply> make_show_route(ShowRouteRequest request,
                                                std::unique_ptr<config::CommandText> text,
                                                const ShowRouteServices& services) {
    return std::make_unique<ShowRoute>(std::move(request), std::move(text), services);
}

}  // namespace tern::table
