#pragma once
/// A copied piece of a table: the routes of some prefixes at one moment, kept alive by uses.
/// Taken under the table's domain for a bounded stretch, then read without it. Owned by whoever
/// shows or dumps; refilled piece by piece. It never keeps the table itself alive.

#include "router/net/prefix.h"
#include "router/table/table.h"

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace tern::table {

struct SnapshotRoute {
    net::Prefix prefix;
    RouteValue route;
    bool first = false;  ///< of its prefix, in the table's order
    bool best = false;   ///< first and usable
};

class Snapshot {
  public:
    /// No more positions.
    static constexpr std::uint32_t end = ~std::uint32_t{0};

    explicit Snapshot(const TableServices& services) : services_(services), holds_(services) {}

    struct Stretch {
        std::uint32_t position = 0;         ///< where to begin; 0 at first
        std::uint32_t ids_max = 16384;      ///< prefix ids to look at
        std::size_t routes_max = 512;       ///< stop behind the prefix that reaches this
        std::optional<net::Prefix> inside;  ///< only prefixes within
    };

    /// Refills with the next routes; gives the position to go on with, or `end`.
    std::uint32_t take(Table& table, const Stretch& stretch);
    /// Refills with the routes of one prefix, or of the longest one that contains it and has
    /// routes.
    void take_exact(Table& table, const net::Prefix& prefix);
    void take_longest(Table& table, const net::Prefix& prefix);
    void clear();

    [[nodiscard]] std::span<const SnapshotRoute> routes() const { return routes_; }

    [[nodiscard]] const SourceOwner& owner(const RouteValue& route) const {
        return services_.sources.owner(route.source);
    }

  private:
    void copy(const Route* routes, const net::Prefix& prefix);

    TableServices services_;
    RouteHolds holds_;
    std::vector<SnapshotRoute> routes_;
};

}  // namespace tern::table
