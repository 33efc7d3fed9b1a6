#pragma once
/// From a table to a sink: reads the table's changes, asks the sink and the filter, hands over
/// batches. Belongs to one loop (a protocol's or an export group's) and is used only with its
/// domain held. It reads as fast as its sink takes: a sink that is not ready leaves the changes in
/// the table's journal, where they cost four bytes each, so nothing queues between table and wire.
/// Small changes wait a settle time so that they travel together.

#include "loops/event.h"
#include "loops/settle.h"
#include "router/channel/channel_stats.h"
#include "router/channel/filter_run.h"
#include "router/channel/limit.h"
#include "router/channel/route_sink.h"
#include "router/table/export_reader.h"

#include <memory>
#include <optional>
#include <vector>

namespace tern::channel {

struct ExportSettings {
    const filter::Filter* filter = nullptr;
    std::optional<net::Prefix> inside;  ///< `export in PREFIX`: others are not even counted
    config::Limit limit;
    table::ReadMode mode = table::ReadMode::best;
    /// With ReadMode::all: of each prefix the first route that passes, and behind it the first of
    /// another source, for those who may not have that one.
    bool secondary = false;
    config::Settle settle;
};

/// Told when the export limit is crossed, and of every route if it wants to trace them.
class ExportObserver {
  public:
    virtual void export_limit_crossed(const config::Limit& limit, bool stop) = 0;

    /// Asked once per run.
    [[nodiscard]] virtual config::TraceMask trace_mask() const { return 0; }

    virtual void trace_export(std::string_view, const net::Prefix&) {}

  protected:
    ~ExportObserver() = default;
};

class ExportPath {
  public:
    ExportPath(table::Table& table,
               loops::Loop& loop,
               filter::Environment& environment,
               RouteSink& sink,
               ExportObserver& observer);
    ExportPath(const ExportPath&) = delete;
    ExportPath& operator=(const ExportPath&) = delete;
    ~ExportPath();

    /// Begins with a feed of the whole table.
    void start(const ExportSettings& settings);
    /// Goes on where `other` stands, with what it has announced. Its loop's domain is held.
    void start_as(const ExportPath& other, const ExportSettings& settings);
    /// New settings, for what comes from now on; `refeed` applies them to the rest.
    void configure(const ExportSettings& settings);
    /// Sends everything again, changed or not (route refresh).
    void refeed();
    /// The sink is ready again.
    void resume();
    void stop();

    [[nodiscard]] bool running() const { return reader_ != nullptr; }

    [[nodiscard]] bool feeding() const { return running() && reader_->feeding(); }

    /// Nothing left to read: what the sink has is what the table says (or said a moment ago).
    [[nodiscard]] bool idle() const { return idle_; }

    [[nodiscard]] const ExportSettings& settings() const { return settings_; }

    [[nodiscard]] const ExportStats& stats() const { return stats_; }

    [[nodiscard]] const RouteLimit& limit() const { return limit_; }

    [[nodiscard]] table::ExportReader* reader() const { return reader_.get(); }

  private:
    static constexpr std::size_t batch_prefixes = 2048;

    static void on_news(void* path, loops::Turn& turn);
    static void on_settled(void* path, loops::Turn& turn);
    static void on_run(void* path, loops::Turn& turn);
    void run(loops::Turn& turn);
    void convert(std::span<const table::ExportItem> items);
    void convert_route(const table::ExportItem& item);
    [[nodiscard]] bool superfluous(const table::SourceOwner& owner) const;
    void finish_prefix(net::PrefixId id);
    bool admit();
    void trace(config::Trace kind, std::string_view what, const net::Prefix& prefix) const;

    table::Table& table_;
    loops::Loop& loop_;
    RouteSink& sink_;
    ExportObserver& observer_;
    ExportSettings settings_;
    FilterRun filter_run_;
    RouteLimit limit_;
    ExportStats stats_;
    std::unique_ptr<table::ExportReader> reader_;
    table::ExportBatch batch_;
    std::vector<ExportedRoute> exported_;
    std::size_t prefix_begin_ = 0;  // first record of the prefix being converted
    bool idle_ = false;
    config::TraceMask trace_ = 0;
    loops::Event news_;
    loops::Event run_;
    loops::Settle settle_;
};

}  // namespace tern::channel
