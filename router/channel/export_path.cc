#include "router/channel/export_path.h"

#include "loops/loop.h"

namespace tern::channel {

using table::ExportItem;
using table::ExportReader;

ExportPath::ExportPath(table::Table& table,
                       loops::Loop& loop,
                       filter::Environment& environment,
                       RouteSink& sink,
                       ExportObserver& observer)
    : table_(table),
      loop_(loop),
      sink_(sink),
      observer_(observer),
      filter_run_(table.services(), environment),
      batch_(table.services()),
      news_(on_news, this),
      run_(on_run, this),
      settle_(loop, on_settled, this) {}

ExportPath::~ExportPath() {
    stop();
}

void ExportPath::start(const ExportSettings& settings) {
    settings_ = settings;
    filter_run_.use(settings.filter);
    limit_.configure(settings.limit);
    stats_ = {};
    idle_ = false;
    reader_ = std::make_unique<ExportReader>(table_, settings.mode, news_, loop_);
    run_.send(loop_);
}

void ExportPath::start_as(const ExportPath& other, const ExportSettings& settings) {
    settings_ = settings;
    filter_run_.use(settings.filter);
    limit_.configure(settings.limit);
    stats_ = other.stats_;
    idle_ = false;
    reader_ = std::make_unique<ExportReader>(*other.reader_, news_, loop_);
    run_.send(loop_);
}

void ExportPath::configure(const ExportSettings& settings) {
    settings_ = settings;
    filter_run_.use(settings.filter);
    limit_.configure(settings.limit);
}

void ExportPath::refeed() {
    if (!running()) return;
    limit_.rearm();
    idle_ = false;
    reader_->feed_again();
    run_.send(loop_);
}

void ExportPath::resume() {
    if (running()) run_.send(loop_);
}

void ExportPath::stop() {
    news_.cancel();
    run_.cancel();
    settle_.cancel();
    reader_.reset();
    batch_.clear();
    exported_.clear();
    filter_run_.forget();
}

/// Sent by the table when an idle reader has something to read: let a little more gather first.
void ExportPath::on_news(void* path, loops::Turn&) {
    auto& self = *static_cast<ExportPath*>(path);
    self.idle_ = false;
    const config::Settle settle = self.table_.refreshing().value_or(self.settings_.settle);
    self.settle_.kick(settle.minimum, settle.maximum);
}

void ExportPath::on_settled(void* path, loops::Turn& turn) {
    static_cast<ExportPath*>(path)->run(turn);
}

void ExportPath::on_run(void* path, loops::Turn& turn) {
    static_cast<ExportPath*>(path)->run(turn);
}

void ExportPath::run(loops::Turn& turn) {
    if (!running()) return;
    trace_ = observer_.trace_mask();
    while (sink_.ready()) {
        if (turn.out_of_time()) {
            run_.send(loop_);
            return;
        }
        const ExportReader::Progress progress = reader_->read(batch_, batch_prefixes);
        convert(batch_.items());
        if (!exported_.empty()) sink_.export_batch(exported_);
        exported_.clear();
        filter_run_.forget();
        batch_.clear();
        if (progress == ExportReader::Progress::end_of_feed) sink_.end_of_feed();
        if (progress == ExportReader::Progress::idle) {
            idle_ = true;
            sink_.caught_up();
            return;
        }
        if (!running()) return;  // the sink may have stopped us
    }
}

void ExportPath::convert(std::span<const ExportItem> items) {
    prefix_begin_ = exported_.size();
    for (const ExportItem& item : items) {
        if (item.route.attributes != nullptr) convert_route(item);
        if (item.last) finish_prefix(item.route.prefix);
    }
}

void ExportPath::convert_route(const ExportItem& item) {
    const table::TableServices& services = table_.services();
    const table::SourceOwner& owner = services.sources.owner(item.route.source);
    const net::Prefix prefix = services.index.prefix(item.route.prefix);
    if (settings_.inside && !settings_.inside->contains(prefix)) return;
    if (settings_.secondary && superfluous(owner)) return;
    ++stats_.updates.received;
    ExportedRoute out;
    out.prefix = prefix;
    out.id = item.route.prefix;
    out.route = item.route;
    out.attributes = item.route.attributes;
    out.preference = item.route.preference;
    out.last = false;
    const Preexport verdict = sink_.preexport(item.route, owner);
    if (verdict == Preexport::refuse) {
        ++stats_.updates.rejected;
        trace(config::Trace::routes, "rejected by protocol", prefix);
        return;
    }
    if (verdict == Preexport::filter) {
        const FilterResult result = filter_run_.run(prefix, item.route);
        if (!result.accepted) {
            ++stats_.updates.filtered;
            trace(config::Trace::filters, "filtered out", prefix);
            return;
        }
        out.attributes = result.attributes;
        out.preference = result.preference;
        out.fresh = result.fresh;
    }
    exported_.push_back(out);
}

/// The prefix in hand has what it needs without a route of this owner.
bool ExportPath::superfluous(const table::SourceOwner& owner) const {
    const std::size_t count = exported_.size() - prefix_begin_;
    if (count != 1) return count > 1;
    const table::SourceId first = exported_.back().route.source;
    return &table_.services().sources.owner(first).original() == &owner.original();
}

void ExportPath::trace(config::Trace kind, std::string_view what, const net::Prefix& prefix) const {
    if (config::traces(trace_, kind)) observer_.trace_export(what, prefix);
}

bool ExportPath::admit() {
    const RouteLimit::Outcome outcome = limit_.admit(stats_.routes);
    if (outcome == RouteLimit::Outcome::pass) return true;
    if (outcome != RouteLimit::Outcome::block) {
        observer_.export_limit_crossed(limit_.config(), outcome == RouteLimit::Outcome::stop);
    }
    return outcome == RouteLimit::Outcome::pass_and_report;
}

/// All routes of one prefix are converted: decide between announcing, withdrawing and silence.
void ExportPath::finish_prefix(net::PrefixId id) {
    const bool before = reader_->announced(id);
    if (exported_.size() > prefix_begin_ && !before && !admit()) {
        ++stats_.updates.limit;
        trace(config::Trace::routes, "ignored (export limit)", exported_.back().prefix);
        exported_.resize(prefix_begin_);
    }
    if (exported_.size() > prefix_begin_) {
        exported_.back().last = true;
        for (std::size_t i = prefix_begin_; i < exported_.size(); ++i)
            exported_[i].replaces = before;
        ++stats_.updates.accepted;
        trace(config::Trace::routes, before ? "updated" : "added", exported_.back().prefix);
        if (!before) {
            reader_->set_announced(id, true);
            ++stats_.routes;
        }
    } else if (before) {
        ExportedRoute gone;
        gone.prefix = table_.services().index.prefix(id);
        gone.id = id;
        gone.replaces = true;
        exported_.push_back(gone);
        trace(config::Trace::routes, "removed", gone.prefix);
        reader_->set_announced(id, false);
        --stats_.routes;
        ++stats_.withdraws.received;
        ++stats_.withdraws.accepted;
    }
    prefix_begin_ = exported_.size();
}

}  // namespace tern::channel
