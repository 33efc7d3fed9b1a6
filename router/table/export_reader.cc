#include "router/table/export_reader.h"

#include <algorithm>

namespace tern::table {

namespace {

/// When a reader has taken this many items, ids and journal space it held back may be free.
constexpr std::size_t collect_period = 4096;

}  // namespace

ExportReader::ExportReader(Table& table, ReadMode mode, loops::Event& news, loops::Loop& loop)
    : table_(table), mode_(mode), news_(news), loop_(loop) {
    const auto guard = table_.domain_.lock_dynamic();
    cursor_ = table_.journal_.end();
    safe_ = cursor_;
    window_end_ = cursor_;
    table_.readers_.push_back(this);
    if (mode_ == ReadMode::all) ++table_.all_route_readers_;
}

ExportReader::ExportReader(const ExportReader& other, loops::Event& news, loops::Loop& loop)
    : table_(other.table_), mode_(other.mode_), news_(news), loop_(loop) {
    const auto guard = table_.domain_.lock_dynamic();
    feeding_ = other.feeding_;
    cursor_ = other.cursor_;
    safe_ = other.safe_;
    position_ = other.position_;
    announced_.copy_from(other.announced_);
    window_end_ = other.window_end_;
    looked_.copy_from(other.looked_);
    table_.readers_.push_back(this);
    if (mode_ == ReadMode::all) ++table_.all_route_readers_;
}

bool ExportReader::level(ExportReader& a, ExportReader& b) {
    if (&a.table_ != &b.table_ || !(a.announced_ == b.announced_)) return false;
    const auto guard = a.table_.domain_.lock_dynamic();
    const Journal::Sequence end = a.table_.journal_.end();
    return a.idle_ && b.idle_ && a.cursor_ == end && b.cursor_ == end;
}

ExportReader::~ExportReader() {
    const auto guard = table_.domain_.lock_dynamic();
    std::erase(table_.readers_, this);
    if (idle_) --table_.idle_readers_;
    if (mode_ == ReadMode::all) --table_.all_route_readers_;
    table_.collect_dead(false);
}

void ExportReader::add(ExportBatch& batch, net::PrefixId id) const {
    const Route* route = table_.head_or_null(id);
    const bool none = route == nullptr || !route->usable();
    if (none) {
        if (!announced(id)) return;
        ExportItem gone;
        gone.route.prefix = id;
        batch.items_.push_back(gone);
        return;
    }
    for (; route != nullptr; route = route->next) {
        if (!route->usable()) continue;  // only the first one's place is certain
        batch.holds_.hold(*route);
        batch.items_.push_back({*route, false});
        if (mode_ == ReadMode::best) break;
    }
    batch.items_.back().last = true;
}

void ExportReader::read_journal(ExportBatch& batch, std::size_t count) {
    const Journal& journal = table_.journal_;
    if (cursor_ < journal.begin()) {  // changes were lost: look at everything again
        ++fell_off_;
        feeding_ = true;
        position_ = 0;
        cursor_ = journal.end();
        window_end_ = cursor_;
    }
    if (cursor_ == window_end_) {
        looked_.clear_all();
        window_end_ = journal.end();
    }
    while (cursor_ != window_end_ && batch.items_.size() < count) {
        const Journal::Item item = journal.at(cursor_++);
        ++seen_;
        if (mode_ == ReadMode::best && !item.best_changed) continue;
        const auto number = static_cast<std::uint32_t>(item.prefix);
        if (feeding_ && number >= position_) continue;
        if (looked_.set(number)) add(batch, item.prefix);
    }
}

void ExportReader::read_feed(ExportBatch& batch, std::size_t count) {
    const auto limit = static_cast<std::uint32_t>(table_.entries_.size() * Table::chunk_size);
    while (position_ < limit && batch.items_.size() < count) {
        add(batch, net::PrefixId{position_});
        ++position_;
    }
    if (position_ >= limit) feeding_ = false;
}

ExportReader::Progress ExportReader::read(ExportBatch& batch, std::size_t count) {
    batch.clear();
    const auto guard = table_.domain_.lock_dynamic();
    if (!feeding_) safe_ = cursor_;  // the batch before this one has been dealt with
    read_journal(batch, count);
    const bool was_feeding = feeding_;
    if (feeding_ && cursor_ == table_.journal_.end()) read_feed(batch, count);
    if (seen_ >= collect_period || (was_feeding && !feeding_)) {
        seen_ = 0;
        table_.collect_dead(false);
    }
    if (was_feeding && !feeding_) return Progress::end_of_feed;
    if (feeding_ || cursor_ != table_.journal_.end()) return Progress::more;
    if (!batch.items_.empty()) return Progress::more;
    safe_ = cursor_;
    if (!idle_) {
        idle_ = true;
        ++table_.idle_readers_;
        table_.collect_dead(false);
        seen_ = 0;
    }
    return Progress::idle;
}

void ExportReader::feed_again() {
    const auto guard = table_.domain_.lock_dynamic();
    feeding_ = true;
    position_ = 0;
    if (idle_) {
        idle_ = false;
        --table_.idle_readers_;
        wake();
    }
}

void ExportReader::skip_feed() {
    const auto guard = table_.domain_.lock_dynamic();
    feeding_ = false;
}

std::size_t ExportReader::pending() {
    const auto guard = table_.domain_.lock_dynamic();
    return static_cast<std::size_t>(table_.journal_.end() - cursor_);
}

}  // namespace tern::table
