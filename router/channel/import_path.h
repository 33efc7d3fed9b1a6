#pragma once
/// From a protocol to its table: filter, limits, batch. The protocol announces raw, interned
/// attribute sets; the filter runs at once, without the table's domain (and only once per attribute
/// set if it does not look at the prefix); results collect in a batch that is applied under one
/// hold of the table. With a mirror (`import table`) the raw routes are kept there too, and the
/// filter can run again over them. Used from the channel's loop only. It never blocks on readers of
/// the table.

#include "router/channel/channel_stats.h"
#include "router/channel/filter_run.h"
#include "router/channel/limit.h"
#include "router/table/table.h"

#include <optional>
#include <vector>

namespace tern::channel {

/// Told when a limit is crossed (inside `flush()`, after the table's domain is released), and of
/// every route if it wants to trace them (anywhere, even under the table's domain: it only logs).
class ImportObserver {
  public:
    virtual void limit_crossed(LimitKind kind, const config::Limit& limit, bool stop) = 0;
    /// A route for an address that cannot be routed (loopback, multicast, ...) was dropped.
    virtual void bogus_route(const net::Prefix& prefix) = 0;

    /// Asked once per batch.
    [[nodiscard]] virtual config::TraceMask trace_mask() const { return 0; }

    virtual void trace_import(std::string_view, const net::Prefix&) {}

  protected:
    ~ImportObserver() = default;
};

/// What became of a route at the table.
enum class ImportOutcome : std::uint8_t {
    added,
    updated,
    removed,
    ignored,
    receive_limit,  ///< turned away before it counted as received
    import_limit,
};

struct ImportSettings {
    const filter::Filter* filter = nullptr;
    std::uint16_t preference = 0;
    bool keep_filtered = false;
    config::Limit receive_limit;
    config::Limit import_limit;
};

/// One route as a protocol has it.
struct Announcement {
    net::Prefix prefix;
    const attr::AttributeSet* attributes = nullptr;  ///< the caller's; the path takes its own uses
    table::SourceId source{};                        ///< likewise
    loops::Instant now;
    std::uint8_t flags = 0;
    std::optional<std::uint16_t> preference = std::nullopt;  ///< none: the channel's
};

class ImportPath {
  public:
    ImportPath(table::Table& table, filter::Environment& environment, ImportObserver& observer);
    ImportPath(const ImportPath&) = delete;
    ImportPath& operator=(const ImportPath&) = delete;
    ~ImportPath();

    /// Keeps routes as they were received in `mirror`, which outlives the path; then filtered ones
    /// are kept in the table as well. Before the first route.
    void keep_received(table::Table& mirror) { received_ = &mirror; }

    [[nodiscard]] table::Table* received() const { return received_; }

    void configure(const ImportSettings& settings);

    /// Announces one route; `raw` and `source` stay the caller's (the path takes its own uses).
    void announce(const net::Prefix& prefix,
                  const attr::AttributeSet* raw,
                  table::SourceId source,
                  loops::Instant now,
                  std::uint8_t flags = 0);
    void announce(const Announcement& announcement);
    void withdraw(const net::Prefix& prefix, table::SourceId source);

    /// Counts an update that the protocol itself turned down (RFC 7606 treat-as-withdraw and the
    /// like).
    void count_rejected() { ++stats_.updates.rejected; }

    /// Applies what is waiting. Called at the end of each piece of input.
    void flush();

    [[nodiscard]] bool pending() const { return !batch_.empty(); }

    [[nodiscard]] const ImportStats& stats() const { return stats_; }

    [[nodiscard]] const RouteLimit& receive_limit() const { return receive_limit_; }

    [[nodiscard]] const RouteLimit& import_limit() const { return import_limit_; }

    [[nodiscard]] table::Table& table() const { return table_; }

    /// Removes or marks this owner's routes in steps; true when the whole table has been walked.
    enum class Sweep : std::uint8_t { withdraw_all, withdraw_stale, mark_stale };
    void start_sweep(Sweep kind, const table::SourceOwner& owner);
    bool sweep_step();

    [[nodiscard]] bool sweeping() const { return sweeping_; }

    /// Lets the filter decide again about everything that was received, in steps; true at the end.
    /// Needs the mirror.
    void start_reload();
    bool reload_step();

  private:
    enum class Kind : std::uint8_t {
        update,
        refused,   // an update that must not be in the table: removes what was there
        withdraw,  // asked for by the protocol
    };

    struct Item {
        net::Prefix prefix;
        table::RouteValue route;  // without attributes unless an update
        Kind kind;
        const attr::AttributeSet* raw = nullptr;  // goes to the mirror
    };

    struct Report {
        LimitKind kind;
        bool stop;
    };

    static constexpr std::size_t batch_size = 1024;
    static constexpr std::uint32_t sweep_stride = 8192;  // prefixes per hold of the table

    void filter(const net::Prefix& prefix, table::RouteValue route, bool fresh);
    void queue(const Item& item);
    void trace(config::Trace kind, std::string_view what, const net::Prefix& prefix) const;
    void mirror_batch();
    void apply(table::Table::Writer& writer, Item& item, net::PrefixId id);
    [[nodiscard]] ImportOutcome apply_update(table::Table::Writer& writer,
                                             const table::RouteValue& route);
    [[nodiscard]] ImportOutcome apply_withdraw(table::Table::Writer& writer,
                                               net::PrefixId id,
                                               const Item& item);
    void report();
    bool admit(LimitKind kind, RouteLimit& limit, std::uint64_t count);
    void forget(const table::RouteValue& old);
    void remember(const table::RouteValue& route);
    static table::Table::Writer::Verdict decide(const table::Route& route, void* path);

    table::Table& table_;
    ImportObserver& observer_;
    ImportSettings settings_;
    FilterRun filter_run_;
    RouteLimit receive_limit_;
    RouteLimit import_limit_;
    ImportStats stats_;
    std::vector<Item> batch_;
    std::vector<net::Prefix> prefixes_;  // of the batch, while it is applied
    std::vector<net::PrefixId> ids_;
    table::RouteHolds holds_;
    std::vector<Report> reports_;
    Sweep sweep_kind_ = Sweep::withdraw_all;
    const table::SourceOwner* sweep_owner_ = nullptr;
    std::uint32_t sweep_position_ = 0;
    bool sweeping_ = false;
    bool sweeping_received_ = false;  // the table is done, the mirror is not
    table::Table* received_ = nullptr;
    std::uint32_t reload_position_ = 0;
    bool reloading_ = false;
    config::TraceMask trace_ = 0;
};

}  // namespace tern::channel
