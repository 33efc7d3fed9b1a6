#include "router/proto/bgp/best_path.h"

#include "router/proto/bgp/attributes.h"
#include "router/proto/bgp/wire/attr_as_path.h"

#include <algorithm>
#include <limits>

namespace tern::bgp {

namespace {

constexpr std::uint32_t origin_incomplete = 2;

/// Order of two keys where the lower wins: -1, 0, 1.
template <class T>
int lower(const T& a, const T& b) {
    return a < b ? -1 : b < a ? 1 : 0;
}

std::uint32_t local_pref(const BestPathInputs& route) {
    return route.attributes->word_or(id::local_pref, route.session->default_local_pref);
}

// RFC 7311 section 4.1: the metric plus the distance to the next hop; without AIGP the most.
std::uint64_t total_aigp(const BestPathInputs& route) {
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    const Bytes payload = route.attributes->bytes(id::aigp);
    if (payload.empty()) return most;
    const wire::Aigp aigp = wire::read_aigp(payload);
    if (!aigp.present) return most;
    return aigp.metric > most - route.local_metric ? most : aigp.metric + route.local_metric;
}

unsigned path_length(const BestPathInputs& route) {
    if (!route.attributes->has(id::as_path)) return std::numeric_limits<unsigned>::max();
    return wire::count_as_path(route.attributes->bytes(id::as_path));
}

std::uint32_t origin(const BestPathInputs& route) {
    return route.attributes->word_or(id::origin, origin_incomplete);
}

std::uint32_t med(const BestPathInputs& route) {
    return route.attributes->word_or(id::med, route.session->default_med);
}

std::uint32_t metric(const BestPathInputs& route) {
    return route.session->igp_metric ? route.local_metric : 0;
}

std::uint32_t router_id(const BestPathInputs& route) {
    return route.attributes->word_or(id::originator_id, route.session->remote_id.value());
}

int compare_state(const BestPathInputs& a, const BestPathInputs& b) {
    if (a.suppressed != b.suppressed) return a.suppressed ? 1 : -1;
    if (a.resolvable != b.resolvable) return a.resolvable ? -1 : 1;
    if (a.stale != b.stale) return a.stale ? 1 : -1;
    return lower(local_pref(b), local_pref(a));
}

/// Steps 6 to 10.
int compare_path(const BestPathInputs& a, const BestPathInputs& b) {
    if (a.session->path_metric || b.session->path_metric) {
        if (const int order = lower(path_length(a), path_length(b))) return order;
    }
    if (const int order = lower(origin(a), origin(b))) return order;
    if (a.session->med_metric || b.session->med_metric || neighbour_as(a) == neighbour_as(b)) {
        if (const int order = lower(med(a), med(b))) return order;
    }
    if (const int order = lower(a.session->interior(), b.session->interior())) return order;
    return lower(metric(a), metric(b));
}

/// Steps 11 to 14.
int break_tie(const BestPathInputs& a, const BestPathInputs& b) {
    const std::uint32_t id_a = router_id(a);
    const std::uint32_t id_b = router_id(b);
    if ((a.session->prefer_older || b.session->prefer_older) && id_a != id_b && a.time != b.time) {
        const BestPathInputs& newer = a.time > b.time ? a : b;
        // RFC 5004 section 3: only between external paths.
        if (newer.session->kind != PeerKind::internal) return a.time < b.time ? -1 : 1;
    }
    if (const int order = lower(id_a, id_b)) return order;
    const std::size_t clusters_a = a.attributes->bytes(id::cluster_list).size();
    const std::size_t clusters_b = b.attributes->bytes(id::cluster_list).size();
    if (const int order = lower(clusters_a, clusters_b)) return order;
    return lower(a.session->remote_address, b.session->remote_address);
}

}  // namespace

AsNumber neighbour_as(const BestPathInputs& route) {
    AsNumber first = route.session->local_as;
    wire::each_segment(route.attributes->bytes(id::as_path), [&](wire::SegmentType type,
                                                                 Bytes numbers) {
        if (type == wire::SegmentType::confed_sequence || type == wire::SegmentType::confed_set) {
            return true;
        }
        if (type == wire::SegmentType::sequence) {
            first = AsNumber(load_u32(numbers.data()));
        }
        return false;
    });
    return first;
}

bool better(const BestPathInputs& a, const BestPathInputs& b) {
    if (const int order = compare_state(a, b)) return order < 0;
    if (const int order = lower(total_aigp(a), total_aigp(b))) return order < 0;
    if (const int order = compare_path(a, b)) return order < 0;
    return break_tie(a, b) < 0;
}

bool mergeable(const BestPathInputs& a, const BestPathInputs& b) {
    return compare_state(a, b) == 0 && compare_path(a, b) == 0;
}

}  // namespace tern::bgp
