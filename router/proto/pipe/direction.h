#pragma once
/// One direction of a pipe: reads one table and keeps the routes of the pipe in the other one
/// equal to what the filter lets through. Belongs to a pipe and is used in its loop. Takes the
/// tables' domains one after the other, never both. It remembers nothing per route: what the other
/// table has under our owners is the state.

#include "router/channel/export_path.h"
#include "router/channel/limit.h"
#include "router/channel/route_sink.h"
#include "router/table/table.h"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace tern::pipe {

/// Stands for an owner of the first table in the second one.
class PipedOwner final : public table::SourceOwner {
  public:
    /// `pipe` is only compared.
    PipedOwner(const table::SourceOwner& before, const void* pipe)
        : SourceOwner(before.route_class(), before.protocol_name()), before_(before), pipe_(pipe) {}

    [[nodiscard]] net::IpAddress from() const override { return before_.from(); }

    [[nodiscard]] std::uint32_t source_kind() const override { return before_.source_kind(); }

    [[nodiscard]] unsigned generation() const override { return before_.generation() + 1; }

    [[nodiscard]] const void* last_pipe() const override { return pipe_; }

    [[nodiscard]] const table::SourceOwner& original() const override { return before_.original(); }

  private:
    friend class Direction;
    const table::SourceOwner& before_;
    const void* pipe_;
    std::uint64_t routes_ = 0;  // in the table, counted by the direction that made it
};

class DirectionObserver {
  public:
    virtual void limit_crossed(channel::LimitKind kind, const config::Limit& limit, bool stop) = 0;
    /// A route that went through too many pipes was dropped.
    virtual void overpiped(const net::Prefix& prefix) = 0;
    [[nodiscard]] virtual config::TraceMask trace_mask() const = 0;
    virtual void trace_route(channel::LimitKind direction,
                             std::string_view what,
                             const net::Prefix& prefix) = 0;

  protected:
    ~DirectionObserver() = default;
};

struct DirectionRules {
    unsigned max_generation = 16;
    std::optional<std::uint16_t> preference;  ///< of routes that arrive; none: they keep theirs
};

class Direction final : private channel::RouteSink, private channel::ExportObserver {
  public:
    struct Setup {
        table::Table& from;
        table::Table& to;
        loops::Loop& loop;
        filter::Environment& environment;
        channel::LimitKind kind;
    };

    /// Routes whose last pipe is `pipe` are ours and do not go back.
    Direction(const Setup& setup, const void* pipe, DirectionObserver& observer);
    Direction(const Direction&) = delete;
    Direction& operator=(const Direction&) = delete;
    /// All routes have been swept.
    ~Direction() override;

    void start(const channel::ExportSettings& settings, const DirectionRules& rules);
    void configure(const channel::ExportSettings& settings, const DirectionRules& rules);

    void refeed() { path_.refeed(); }

    void stop() { path_.stop(); }

    /// Removes a stretch of our routes from the target table, after `stop`; true when none is left.
    bool sweep_step();

    /// What `show protocols all` counts; the path counts the rest.
    struct Arrivals {
        std::uint64_t routes = 0;
        std::uint64_t updates_ignored = 0;
        std::uint64_t updates_accepted = 0;
        std::uint64_t withdraws_accepted = 0;
    };

    [[nodiscard]] const Arrivals& arrivals() const { return arrivals_; }

    [[nodiscard]] const channel::ExportStats& stats() const { return path_.stats(); }

    [[nodiscard]] bool feeding() const { return path_.feeding(); }

  private:
    using Writer = table::Table::Writer;
    using Routes = std::span<const channel::ExportedRoute>;

    channel::Preexport preexport(const table::RouteValue& route,
                                 const table::SourceOwner& owner) override;
    void export_batch(Routes routes) override;

    void end_of_feed() override {}

    [[nodiscard]] bool ready() const override { return true; }

    void export_limit_crossed(const config::Limit& limit, bool stop) override;

    [[nodiscard]] config::TraceMask trace_mask() const override { return observer_.trace_mask(); }

    void trace_export(std::string_view what, const net::Prefix& prefix) override {
        observer_.trace_route(setup_.kind, what, prefix);
    }

    [[nodiscard]] table::SourceId piped_source(table::SourceId original);
    [[nodiscard]] PipedOwner& piped_owner(table::SourceOwner& original);
    [[nodiscard]] PipedOwner* own(table::SourceId source) const;
    void apply(Writer& writer, Routes routes, std::span<const table::SourceId> sources);
    void withdraw(Writer& writer, net::PrefixId id, table::SourceId source);
    void release_idle_owners();
    static Writer::Verdict decide(const table::Route& route, void* direction);

    Setup setup_;
    const void* pipe_;
    DirectionObserver& observer_;
    DirectionRules rules_;
    Arrivals arrivals_;
    std::unordered_map<const table::SourceOwner*, PipedOwner*> owners_;  // by original
    bool idle_owners_ = false;  // some have lost all routes
    std::unordered_map<table::SourceId, table::SourceId> batch_sources_;  // ours have a use each
    std::vector<table::SourceId> sources_;                                // by route of the batch
    std::vector<table::SourceId> gone_;
    std::uint32_t sweep_position_ = 0;
    channel::ExportPath path_;
};

}  // namespace tern::pipe
