#pragma once
/// A routing table: for each prefix the routes to it, the best one first, and a journal of changes.
/// Importers open a `Writer` for a batch; readers (`ExportReader`) ask for the present best routes
/// of the prefixes in the journal, at their own speed; `show` takes a `Snapshot` piece by piece.
/// All of them hold the table's domain for a bounded batch only. A prefix is a 32-bit id of the
/// index that all tables of its net type share; an id given up by the table is kept until every
/// reader has heard of it. The table never calls a protocol: it sends the readers' events.

#include "alloc/pool.h"
#include "alloc/slab.h"
#include "locking/domain.h"
#include "loops/event.h"
#include "router/attr/attribute_store.h"
#include "router/base/lock_order.h"
#include "router/config/protocol_config.h"
#include "router/net/prefix_index.h"
#include "router/table/journal.h"
#include "router/table/route.h"
#include "router/table/route_source.h"

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace tern::table {

class ExportReader;

struct TableSettings {
    std::string name;
    net::NetType type = net::NetType::ip4;
    bool sorted = false;  ///< keep all routes of a prefix in order, not only the best
    bool mirror = false;  ///< a copy of what one channel received: its best routes do not count
    std::size_t journal_limit = 98304;     ///< changes a reader may lag behind
    std::size_t release_threshold = 1000;  ///< `gc threshold`: prefix ids given back in one go
    config::Settle refresh_settle{};       ///< of exports while a channel refreshes
};

/// What all tables of a router share.
struct TableServices {
    alloc::Pool& pool;  ///< parent of the tables' pools
    net::PrefixIndex& index;
    attr::AttributeStore& attributes;
    SourceRegistry& sources;
};

struct TableCounters {
    std::uint64_t routes = 0;    ///< all, with filtered ones
    std::uint64_t filtered = 0;  ///< kept although rejected
    std::uint64_t prefixes = 0;  ///< prefixes with at least one route
};

/// What a put did.
enum class Change : std::uint8_t { ignored, added, replaced };

class Table {
  public:
    /// Both need the domain of the services' pool; the destructor also that no reader is left.
    Table(TableSettings settings, const TableServices& services);
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    ~Table();

    [[nodiscard]] const std::string& name() const { return settings_.name; }

    [[nodiscard]] net::NetType type() const { return settings_.type; }

    [[nodiscard]] const TableServices& services() const { return services_; }

    [[nodiscard]] locking::Domain<level::Table>& domain() { return domain_; }

    [[nodiscard]] TableCounters counters();
    /// Bytes in routes, entries and journal; takes the domain.
    [[nodiscard]] std::size_t memory();
    /// Applies what can change in a living table.
    void update(const TableSettings& settings);

    /// A channel that imports begins or ends a refresh.
    void count_refresh(bool begins);
    /// How exports settle while any channel refreshes; nothing if none does.
    [[nodiscard]] std::optional<config::Settle> refreshing();

    class Writer;
    class View;

  private:
    friend class ExportReader;
    friend class Writer;
    friend class View;

    /// Heads of lists in one page.
    static constexpr std::size_t chunk_size = alloc::page_bytes / sizeof(Route*);

    struct Dead {  // a prefix without routes whose id readers may still meet
        Journal::Sequence sequence;
        net::PrefixId prefix;
    };

    Route*& head(net::PrefixId id);
    [[nodiscard]] Route* head_or_null(net::PrefixId id) const;
    void insert(Route** list, Route* route);
    void resort(Route** list, const Route* changed);
    void remove(Route** link);
    void drop(Route** list, Route** link);
    void publish(net::PrefixId id, bool best_changed);
    void count_best(const Route* best, std::int64_t by) const;
    void wake_readers();
    void collect_dead(bool all);
    [[nodiscard]] Journal::Sequence oldest_reader() const;

    TableSettings settings_;
    TableServices services_;
    locking::Domain<level::Table> domain_;
    alloc::Pool& pool_;  // below services_.pool, bound to domain_
    // Everything below is guarded by domain_.
    std::optional<alloc::Slab<Route>> routes_;
    std::vector<Route**>
        entries_;  // by prefix id: pages of heads, nullptr where there was none yet
    Journal journal_;
    std::vector<ExportReader*> readers_;
    std::size_t idle_readers_ = 0;
    std::size_t all_route_readers_ = 0;
    std::deque<Dead> dead_;
    TableCounters counters_;
    unsigned refreshes_ = 0;
};

/// Write access for one batch. Holds the domain from construction to destruction; then wakes
/// readers.
class Table::Writer {
  public:
    explicit Writer(Table& table);
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer();

    /// The route of this source to this prefix, or null. Valid until the next call.
    [[nodiscard]] const Route* find(net::PrefixId id, SourceId source) const;

    /// All routes of the prefix, best first; null if none. Valid until the next call.
    [[nodiscard]] const Route* routes(net::PrefixId id) const { return table_.head_or_null(id); }

    /// Adds or replaces; the table takes its own uses of attributes and source. `route.prefix` must
    /// be an id the caller holds a use of; the table takes its own use for the first route.
    Change put(const RouteValue& route);
    /// False if there was none.
    bool withdraw(net::PrefixId id, SourceId source);
    /// Sets or clears a flag of one route and re-decides; false if there is no such route.
    bool set_flag(net::PrefixId id, SourceId source, RouteFlag flag, bool on);
    /// Walks the routes of up to `count` prefixes from `position` on and removes or marks those
    /// that `decide` says; returns the position to go on with, or `index_end` at the end.
    enum class Verdict : std::uint8_t { keep, withdraw, mark_stale };
    static constexpr std::uint32_t index_end = ~std::uint32_t{0};
    std::uint32_t sweep(std::uint32_t position,
                        std::uint32_t count,
                        Verdict (*decide)(const Route&, void*),
                        void* context);

  private:
    Table& table_;
    locking::Guard<level::Table> guard_;
    Journal::Sequence start_;
};

/// Read access: what `show route`, MRT and next-hop resolution use for a bounded piece of work.
class Table::View {
  public:
    explicit View(Table& table) : table_(table), guard_(table.domain_.lock_dynamic()) {}

    /// Routes of one prefix, best first; null if none.
    [[nodiscard]] const Route* routes(net::PrefixId id) const { return table_.head_or_null(id); }

    /// One past the largest id that may have routes.
    [[nodiscard]] std::uint32_t id_limit() const {
        return static_cast<std::uint32_t>(table_.entries_.size() * chunk_size);
    }

  private:
    Table& table_;
    locking::Guard<level::Table> guard_;
};

/// Keeps attribute sets and sources of copied routes alive; consecutive equal ones cost nothing.
class RouteHolds {
  public:
    explicit RouteHolds(const TableServices& services) : services_(services) {}

    RouteHolds(const RouteHolds&) = delete;
    RouteHolds& operator=(const RouteHolds&) = delete;

    ~RouteHolds() { release(); }

    /// Called under the domain of the table that has the route.
    void hold(const RouteValue& route);
    void release();

  private:
    TableServices services_;
    std::vector<const attr::AttributeSet*> sets_;
    std::vector<SourceId> sources_;
};

}  // namespace tern::table
