#include "stress/sim/oracle.h"

#include <algorithm>
#include <deque>
#include <set>

namespace tern::sim {

namespace {

/// The end of an edge that `router` is, or -1.
int end_of(const Topology::Edge& edge, unsigned router) {
    if (edge.routers[0] == router) return 0;
    return edge.routers[1] == router ? 1 : -1;
}

/// Whether the AS path leads, session by session, from the router to an origin of the prefix.
bool leads_to_origin(const Topology& topology, unsigned router, const SeenRoute& route) {
    unsigned at = router;
    for (const std::uint32_t as : route.as_path) {
        const auto next = std::find(topology.as_numbers.begin(), topology.as_numbers.end(), as);
        if (next == topology.as_numbers.end()) return false;
        const auto to = static_cast<unsigned>(next - topology.as_numbers.begin());
        const bool joined = std::any_of(
            topology.edges.begin(), topology.edges.end(), [&](const Topology::Edge& edge) {
                return edge.up && end_of(edge, at) >= 0 && end_of(edge, to) >= 0;
            });
        if (!joined) return false;
        at = to;
    }
    return std::any_of(topology.origins.begin(), topology.origins.end(),
                       [&](const Topology::Origin& origin) {
                           return origin.router == at && origin.prefix == route.prefix;
                       });
}

/// Whether the next hop is an address of the first AS of the path, on an edge to it.
bool next_hop_fits(const Topology& topology, unsigned router, const SeenRoute& route) {
    return std::any_of(topology.edges.begin(), topology.edges.end(),
                       [&](const Topology::Edge& edge) {
                           const int end = end_of(edge, router);
                           if (end < 0 || !edge.up) return false;
                           const auto far = static_cast<unsigned>(1 - end);
                           return topology.as_numbers[edge.routers[far]] == route.as_path.front() &&
                                  edge.addresses[far] == route.next_hop;
                       });
}

}  // namespace

std::vector<int> distances(const Topology& topology, const net::Prefix& prefix) {
    std::vector<int> result(topology.as_numbers.size(), -1);
    std::deque<unsigned> queue;
    for (const Topology::Origin& origin : topology.origins) {
        if (origin.prefix != prefix || result[origin.router] == 0) continue;
        result[origin.router] = 0;
        queue.push_back(origin.router);
    }
    while (!queue.empty()) {
        const unsigned at = queue.front();
        queue.pop_front();
        for (const Topology::Edge& edge : topology.edges) {
            const int end = end_of(edge, at);
            if (end < 0 || !edge.up) continue;
            const unsigned next = edge.routers[static_cast<unsigned>(1 - end)];
            if (result[next] >= 0) continue;
            result[next] = result[at] + 1;
            queue.push_back(next);
        }
    }
    return result;
}

std::vector<std::string> complaints(const Topology& topology,
                                    unsigned router,
                                    const std::vector<SeenRoute>& best_routes) {
    std::vector<std::string> result;
    std::set<net::Prefix> prefixes;
    for (const Topology::Origin& origin : topology.origins)
        prefixes.insert(origin.prefix);
    std::set<net::Prefix> present;
    for (const SeenRoute& route : best_routes) {
        const std::string text = route.to_string();
        if (!present.insert(route.prefix).second) result.push_back("second best route " + text);
        const int distance = distances(topology, route.prefix)[router];
        if (distance < 0) {
            result.push_back("nobody reachable announces " + text);
            continue;
        }
        if (route.as_path.size() != static_cast<std::size_t>(distance)) {
            result.push_back(
                fmt::format("path of {} instead of {}: {}", route.as_path.size(), distance, text));
        }
        if (!leads_to_origin(topology, router, route)) result.push_back("leads nowhere: " + text);
        if (!route.as_path.empty() && !next_hop_fits(topology, router, route)) {
            result.push_back("next hop is not the neighbour's: " + text);
        }
    }
    for (const net::Prefix& prefix : prefixes) {
        if (distances(topology, prefix)[router] >= 0 && !present.contains(prefix)) {
            result.push_back("missing: " + prefix.to_string());
        }
    }
    return result;
}

}  // namespace tern::sim
