#pragma once
/// The targets of a static protocol as they stand: which next hops are there, and the attribute set
/// that follows. One attribute set serves all routes of a target. Belongs to one static protocol
/// and lives in its loop, where it watches neighbours, interfaces and IGP tables. It never touches
/// routes: its observer does.

#include "loops/event.h"
#include "router/engine/services.h"
#include "router/iface/neighbor.h"
#include "router/proto/static/config.h"
#include "router/proto/static/resolver.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace tern::static_routes {

/// Told in the targets' loop, not while `assign` runs.
class TargetObserver {
  public:
    virtual void target_changed(std::uint32_t target) = 0;

  protected:
    ~TargetObserver() = default;
};

class Targets final : private ResolverObserver {
  public:
    static constexpr std::uint32_t none = ~std::uint32_t{0};

    Targets(engine::Services& services, loops::Loop& loop, TargetObserver& observer);
    Targets(const Targets&) = delete;
    Targets& operator=(const Targets&) = delete;
    ~Targets();

    /// Takes over the targets of a configuration, which must outlive the next call; equal ones keep
    /// their state. Gives for each new number the old one, or `none`.
    std::vector<std::uint32_t> assign(const StaticConfig& config);

    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(states_.size()); }

    /// What its routes have; null while no next hop is there. If `filter_per_route` the statements
    /// are still to be run.
    [[nodiscard]] const attr::AttributeSet* attributes(std::uint32_t target) const {
        return states_[target].attributes;
    }

    /// The preference that the statements have set, if they have.
    [[nodiscard]] std::optional<std::uint16_t> preference(std::uint32_t target) const {
        return states_[target].preference;
    }

    /// The statements look at the network.
    [[nodiscard]] bool filter_per_route(std::uint32_t target) const {
        return states_[target].filter_per_route;
    }

    struct Filtered {
        const attr::AttributeSet* attributes;  ///< with a use
        std::optional<std::uint16_t> preference;
    };

    /// Runs the target's statements for one route; the target has attributes.
    [[nodiscard]] Filtered filter(std::uint32_t target, const net::Prefix& prefix);

    [[nodiscard]] bool present(const Hop& hop) const;

  private:
    /// One `via`, shared by all targets that have it.
    struct HopWatch {
        Targets* owner = nullptr;
        std::unique_ptr<iface::NeighborWatch> watch;
        std::vector<std::uint32_t> users;
    };

    using HopKey = std::tuple<net::IpAddress, std::string, bool>;
    using HopWatches = std::map<HopKey, std::unique_ptr<HopWatch>>;

    struct State {
        const Target* target = nullptr;
        const attr::AttributeSet* attributes = nullptr;
        std::optional<std::uint16_t> preference;
        bool filter_per_route = false;
    };

    static HopKey key_of(const Hop& hop) { return {hop.gateway, hop.interface, hop.onlink}; }

    static void on_hop(iface::NeighborWatch& watch, void* hop);
    void on_interfaces();
    void host_changed(const net::IpAddress& host) override;
    void watch_hops();
    void watch_hosts();
    void evaluate(std::uint32_t number);
    void update(std::uint32_t number);
    [[nodiscard]] const attr::AttributeSet* build(State& state);
    [[nodiscard]] bool build_hops(const Target& target, attr::AttributeList& list);
    void build_host(const Target& target, attr::AttributeList& list);
    [[nodiscard]] Filtered run_statements(const State& state,
                                          const net::Prefix& prefix,
                                          attr::AttributeList& list);
    Resolver& resolver(bool v4);

    engine::Services& services_;
    loops::Loop& loop_;
    TargetObserver& observer_;
    const StaticConfig* config_ = nullptr;
    iface::NeighborTable neighbors_;
    HopWatches hops_;
    std::map<net::IpAddress, std::vector<std::uint32_t>> hosts_;  // users
    std::unique_ptr<Resolver> resolvers_[2];                      // ip6, ip4
    std::vector<State> states_;
    attr::NextHopListBuilder builder_;
    std::optional<iface::InterfaceIndex> vrf_;
    loops::Event interfaces_event_;
    std::optional<iface::Subscriber> interfaces_;  // only with a named VRF, which may come and go
};

}  // namespace tern::static_routes
