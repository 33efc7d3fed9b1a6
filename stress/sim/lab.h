#pragma once
/// A network of eBGP routers for one test: runtime, wires, nodes, and the topology they should
/// reflect. Every router is an AS of its own, numbers and addresses follow from the order in which
/// things are added, everything else from the seed. Owns all of it; the test says what happens.

#include "stress/sim/network.h"
#include "stress/sim/node.h"
#include "stress/sim/oracle.h"

#include <memory>
#include <string>
#include <vector>

namespace tern::sim {

class Lab {
  public:
    explicit Lab(const NetworkOptions& options);

    /// A router `r1`, `r2`, ... of AS 65001, 65002, ...
    unsigned add_router();
    /// A wire with an eBGP session over it.
    unsigned add_edge(unsigned a, unsigned b, const LinkOptions& options);
    /// The same over the hub's one interface to a network that it shares with others.
    unsigned add_port(unsigned hub, unsigned router, const LinkOptions& options);
    /// The router announces it from its next configuration on.
    void originate(unsigned router, std::string_view prefix);
    void withdraw(unsigned router, std::string_view prefix);

    /// The configuration that follows from what was said so far.
    [[nodiscard]] std::string configuration(unsigned router) const;
    /// Puts it in force; all errors as text.
    [[nodiscard]] std::string configure(unsigned router);
    [[nodiscard]] std::string configure_all();

    /// Nothing passes any more, or does again. The oracle expects the session to end.
    void cut(unsigned edge);
    void heal(unsigned edge);

    /// Nothing passes for a while, which is no reason to expect anything but delay.
    void stall(unsigned edge) { network_.cut(*links_[edge]); }

    void go_on(unsigned edge) { network_.heal(*links_[edge]); }

    void reset(unsigned edge) { network_.reset(*links_[edge]); }

    /// One segment in so many ends its connection; 0: none.
    void set_loss(unsigned edge, std::uint64_t one_in) { links_[edge]->reset_one_in = one_in; }

    void run(loops::Duration span) { sim_.run_for(span); }

    /// Lets time pass until every table is as the oracle wants it; what is wrong if that takes
    /// longer than `limit`.
    [[nodiscard]] std::string converge(loops::Duration limit);
    /// What is wrong now, over all routers, or with one.
    [[nodiscard]] std::string wrong();
    [[nodiscard]] std::string wrong(unsigned router);
    /// Ends all routers in order; false if that takes more than a minute.
    [[nodiscard]] bool shut_down();

    [[nodiscard]] Node& node(unsigned router) { return *nodes_[router]; }

    [[nodiscard]] loops::SimRuntime& sim() { return sim_; }

    [[nodiscard]] SimNetwork& network() { return network_; }

    [[nodiscard]] const Topology& topology() const { return topology_; }

    /// All logs, one behind the other.
    [[nodiscard]] std::string logs() const;

    /// Attributes of each originated route, as a block of the filter language.
    std::string (*dress)(const net::Prefix&) = nullptr;
    std::string extra_options =
        "hold time 30; connect delay time 1; connect retry time 5; "
        "error wait time 1,5;";

  private:
    unsigned connect(Topology::Edge edge, const LinkOptions& options);

    locking::Domain<level::Control> control_{"main"};
    loops::SimRuntime sim_;
    SimNetwork network_;
    Topology topology_;
    std::vector<Link*> links_;
    std::vector<std::unique_ptr<Node>> nodes_;
};

}  // namespace tern::sim
