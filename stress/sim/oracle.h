#pragma once
/// What the routing tables of a network of eBGP routers must look like, derived from the topology.
/// Pure functions over plain values; a Lab fills them in, a test compares. Every router is one AS
/// and passes everything on, so the best path to a prefix is a shortest one (RFC 4271 section
/// 9.1.2.2 a); which of several shortest ones is left to the routers and not checked.

#include "router/net/prefix.h"
#include "stress/sim/node.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace tern::sim {

struct Topology {
    struct Edge {
        std::array<unsigned, 2> routers = {};  ///< positions in `as_numbers`
        std::array<net::IpAddress, 2> addresses;
        bool up = true;
    };

    struct Origin {
        unsigned router = 0;
        net::Prefix prefix;
    };

    std::vector<std::uint32_t> as_numbers;
    std::vector<Edge> edges;
    std::vector<Origin> origins;
};

/// Sessions to cross from each router to the nearest origin of the prefix; -1: none reachable.
[[nodiscard]] std::vector<int> distances(const Topology& topology, const net::Prefix& prefix);

/// Everything wrong with the best routes of one router, a line each; empty: as expected.
[[nodiscard]] std::vector<std::string> complaints(const Topology& topology,
                                                  unsigned router,
                                                  const std::vector<SeenRoute>& best_routes);

}  // namespace tern::sim
