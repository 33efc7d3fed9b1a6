#pragma once
/// A route: one way to one prefix, as a table keeps it. 32 bytes, so that a full table stays small.
/// The attribute set is interned and use-counted (the table holds one use per route); the source
/// names who announced it; everything that can be derived from these two is not stored. Routes live
/// in their table's slab and are reached only under the table's domain; what travels to readers is
/// the `RouteValue` part, copied, with the uses held by an `ExportBatch` or `Snapshot`.

#include "loops/time.h"
#include "router/attr/attribute_set.h"
#include "router/net/prefix_index.h"

#include <cstdint>

namespace tern::table {

/// Dense number of a `RouteSource` in its `SourceRegistry`.
enum class SourceId : std::uint32_t {};

/// Facts about a route that are not attributes. Combined as bits.
enum RouteFlag : std::uint8_t {
    route_filtered = 1,  ///< rejected by the import filter, kept because of `import keep filtered`
    route_stale = 2,     ///< not refreshed since the last begin of a refresh cycle
    route_unresolvable = 4,  ///< its next hop cannot be reached now; loses against reachable ones
    route_suppressed = 8,    ///< not the best of its neighbour AS (deterministic MED)
    route_long_lived_stale = 16,  ///< kept under long-lived graceful restart (RFC 9494)
    route_not_synced = 32,        ///< the kernel refused it
};

struct RouteValue {
    const attr::AttributeSet* attributes = nullptr;
    SourceId source{};
    net::PrefixId prefix{};
    std::uint32_t time_low = 0;  ///< milliseconds since the start of the clock, 40 bits in all
    std::uint8_t time_high = 0;
    std::uint8_t flags = 0;
    std::uint16_t preference = 0;

    void set_time(loops::Instant now) {
        const auto ms = static_cast<std::uint64_t>(now.microseconds()) / 1000;
        time_low = static_cast<std::uint32_t>(ms);
        time_high = static_cast<std::uint8_t>(ms >> 32);
    }

    [[nodiscard]] loops::Instant time() const {
        const std::uint64_t ms = (std::uint64_t{time_high} << 32) | time_low;
        return loops::Instant::from_microseconds(static_cast<std::int64_t>(ms * 1000));
    }

    [[nodiscard]] bool has(RouteFlag flag) const { return (flags & flag) != 0; }

    [[nodiscard]] bool usable() const { return !has(route_filtered); }
};

struct Route : RouteValue {
    Route* next = nullptr;  ///< next route of the same prefix; the best one stands first
};

static_assert(sizeof(Route) == 32, "the memory budget of a full table depends on this");

}  // namespace tern::table
