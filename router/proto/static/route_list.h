#pragma once
/// The routes of one static protocol as configured, packed: millions of them must fit.
/// A route is its network and the number of its target; targets are kept once each. Owned by the
/// StaticConfig, written while parsing, then only read. Networks are of one type (ip4 or ip6).
/// It knows nothing of what is reachable.

#include "router/net/prefix.h"

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/unordered/unordered_flat_map.hpp>

namespace tern::filter {
class Filter;
}

namespace tern::static_routes {

/// One `via`.
struct Hop {
    net::IpAddress gateway;  ///< unspecified: the network is on the link `interface`
    std::string interface;   ///< empty: where the gateway is found
    std::uint16_t weight = 1;
    bool onlink = false;

    friend bool operator==(const Hop&, const Hop&) = default;
};

enum class TargetKind : std::uint8_t { via, recursive, blackhole, unreachable, prohibit };

/// Where routes point, with the statements that are run over them.
struct Target {
    TargetKind kind = TargetKind::blackhole;
    std::vector<Hop> hops;  ///< of `via`
    net::IpAddress host;    ///< of `recursive`
    const filter::Filter* filter = nullptr;

    /// Filters of two configurations are compared by structure.
    friend bool operator==(const Target& a, const Target& b);
    [[nodiscard]] std::size_t hash() const;
};

class RouteList {
  public:
    /// Bound by the packed form.
    static constexpr std::uint32_t targets_max = 1U << 24;

    enum class Added : std::uint8_t { done, other_type, too_many_targets };
    Added add(const net::Prefix& prefix, Target target);
    /// Numbers the routes to equal networks; after the last `add`.
    void close();

    [[nodiscard]] std::uint32_t size() const {
        return static_cast<std::uint32_t>(words_.size() / stride_);
    }

    [[nodiscard]] bool empty() const { return words_.empty(); }

    /// Of all routes; ip4 while there is none.
    [[nodiscard]] net::NetType type() const {
        return stride_ == stride_ip4 ? net::NetType::ip4 : net::NetType::ip6;
    }

    [[nodiscard]] net::Prefix prefix(std::uint32_t route) const {
        const std::uint32_t* at = words_.data() + std::size_t{route} * stride_;
        if (stride_ == stride_ip4) return net::Prefix::ip4(at[0], at[1] >> 24);
        return net::Prefix::ip6(std::uint64_t{at[0]} << 32 | at[1],
                                std::uint64_t{at[2]} << 32 | at[3], at[4] >> 24);
    }

    /// Position in `targets()`.
    [[nodiscard]] std::uint32_t target(std::uint32_t route) const {
        return words_[std::size_t{route} * stride_ + stride_ - 1] & (targets_max - 1);
    }

    /// 0 for the first route to its network, 1 for the second and so on.
    [[nodiscard]] std::uint32_t path_id(std::uint32_t route) const {
        if (path_ids_.empty()) return 0;
        const auto found = path_ids_.find(route);
        return found == path_ids_.end() ? 0 : found->second;
    }

    [[nodiscard]] const std::vector<Target>& targets() const { return targets_; }

    /// The same network in both lists.
    [[nodiscard]] static bool same_prefix(const RouteList& a,
                                          std::uint32_t in_a,
                                          const RouteList& b,
                                          std::uint32_t in_b);

    friend bool operator==(const RouteList& a, const RouteList& b) {
        return a.stride_ == b.stride_ && a.words_ == b.words_ && a.targets_ == b.targets_;
    }

  private:
    static constexpr std::size_t stride_ip4 = 2;
    static constexpr std::size_t stride_ip6 = 5;

    [[nodiscard]] std::uint32_t target_number(Target target);
    [[nodiscard]] bool ascending() const;

    std::size_t stride_ = stride_ip4;
    std::vector<std::uint32_t> words_;  // address, then length << 24 | target
    std::vector<Target> targets_;
    /// By hash; of two targets with the same one the second is not found again.
    boost::unordered_flat_map<std::uint64_t, std::uint32_t> numbers_;
    std::uint32_t last_ = 0;  // neighbours in the file often share a target
    std::unordered_map<std::uint32_t, std::uint32_t> path_ids_;  // those above 0
};

/// Finds routes of a part of a list by network and path id.
class RouteFinder {
  public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    /// Knows the routes from `begin` up to, not including, `end`.
    RouteFinder(const RouteList& list, std::uint32_t begin, std::uint32_t end);
    RouteFinder(const RouteFinder&) = delete;
    RouteFinder& operator=(const RouteFinder&) = delete;
    ~RouteFinder();

    [[nodiscard]] std::uint32_t find(const net::Prefix& prefix, std::uint32_t path_id) const;

  private:
    struct Table;

    const RouteList& list_;
    std::unique_ptr<Table> table_;
};

}  // namespace tern::static_routes
