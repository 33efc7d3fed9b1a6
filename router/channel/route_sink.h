#pragma once
/// The receiving end of an export: a protocol or a BGP export group. The export path calls it in
/// batches, in the loop that the path was given, with that loop's domain held. What a batch points
/// to is valid until the call returns; the sink keeps what it needs.

#include "router/net/prefix.h"
#include "router/table/route.h"
#include "router/table/route_source.h"

#include <cstdint>
#include <span>

namespace tern::channel {

/// What the sink says before the filter runs.
enum class Preexport : std::uint8_t {
    refuse,  ///< never to this sink (its own route, a well-known community, ...)
    filter,  ///< let the export filter decide
    force,   ///< export without asking the filter
};

/// Attributes that the export filter itself has set: BGP sends a MED or next hop to other ASes only
/// then.
enum FreshAttribute : std::uint8_t { fresh_next_hop = 1, fresh_med = 2 };

struct ExportedRoute {
    net::Prefix prefix;
    net::PrefixId id{};
    const attr::AttributeSet* attributes =
        nullptr;                   ///< after the filter; null: withdraw the prefix
    table::RouteValue route;       ///< as it stands in the table
    std::uint16_t preference = 0;  ///< after the filter
    std::uint8_t fresh = 0;        ///< FreshAttribute bits
    bool replaces = false;         ///< the prefix was announced before
    bool last = true;  ///< last route of this prefix (more than one only in ReadMode::all)
};

class RouteSink {
  public:
    RouteSink() = default;
    RouteSink(const RouteSink&) = delete;
    RouteSink& operator=(const RouteSink&) = delete;
    virtual ~RouteSink() = default;

    virtual Preexport preexport(const table::RouteValue& route,
                                const table::SourceOwner& owner) = 0;
    virtual void export_batch(std::span<const ExportedRoute> routes) = 0;
    /// Everything that was in the table at the start of the feed has been handed over.
    virtual void end_of_feed() = 0;

    /// Nothing is left to read now.
    virtual void caught_up() {}

    /// May the path go on? A sink that says no calls `ExportPath::resume()` later.
    [[nodiscard]] virtual bool ready() const = 0;
};

}  // namespace tern::channel
