#pragma once
/// One simulated router: a daemon::Router with a host of the SimNetwork, its own log in memory, and
/// interfaces made of the host's links. Owned by a test, which runs the time and never holds a
/// domain itself: every function here takes the main loop's. No kernel is involved, so its
/// configurations have no device and kernel protocols. Destroyed before the network is.

#include "router/base/log.h"
#include "router/base/log_sink.h"
#include "router/cli/session.h"
#include "router/daemon/router.h"
#include "stress/sim/network.h"

#include <optional>
#include <string>
#include <vector>

namespace tern::sim {

/// A route as a test looks at it.
struct SeenRoute {
    net::Prefix prefix;
    std::string protocol;
    net::IpAddress next_hop;             ///< gateway; `::` for local routes
    std::vector<std::uint32_t> as_path;  ///< empty for routes that did not come by BGP
    bool best = false;

    friend bool operator==(const SeenRoute&, const SeenRoute&) = default;

    [[nodiscard]] std::string to_string() const;
};

class Node final : private daemon::RouterObserver, private cli::SessionOwner {
  public:
    struct Parts {
        loops::SimRuntime& sim;
        locking::Domain<level::Control>& domain;
        Host& host;
    };

    explicit Node(const Parts& parts);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();

    /// The host's links as interfaces; again after links were added.
    void take_interfaces();
    /// Carrier of one interface; the wire itself is the network's.
    void set_carrier(const Link& link, bool up);
    /// Reads the text and puts it in force; the error with its place, empty if all went well.
    std::string configure(const std::string& text);
    /// Restarts, stops or starts one protocol as an operator would.
    bool restart(std::string_view protocol);
    bool disable(std::string_view protocol);
    bool enable(std::string_view protocol);
    /// Begins to end everything.
    void shutdown();

    [[nodiscard]] bool finished() const { return finished_; }

    /// No commit is under way.
    [[nodiscard]] bool settled();
    /// What the column Info of `show protocols` says; empty if there is no such protocol.
    [[nodiscard]] std::string info(std::string_view protocol);
    /// What the control socket answers to a line, whole.
    [[nodiscard]] std::string command(std::string_view line);
    /// All routes of a table by prefix, the best one first.
    [[nodiscard]] std::vector<SeenRoute> routes(std::string_view table);
    [[nodiscard]] std::vector<SeenRoute> best_routes(std::string_view table);

    [[nodiscard]] const std::vector<std::string>& log_lines() const { return sink_->lines(); }

    [[nodiscard]] const std::string& name() const { return parts_.host.name(); }

    [[nodiscard]] Host& host() { return parts_.host; }

    [[nodiscard]] daemon::Router& router() { return *router_; }

  private:
    void router_finished() override { finished_ = true; }

    void configured(const config::Config&) override {}

    void undo_begins() override {}

    void no_router_id() override;

    void session_ready(cli::Session&) override {}

    void command_received(cli::Session&, std::string_view) override {}

    [[nodiscard]] SeenRoute seen(const table::Route& route, const net::Prefix& prefix);

    Parts parts_;
    Logger log_;
    MemorySink* sink_ = nullptr;  // the logger's
    config::MemoryReader files_;
    std::optional<daemon::Router> router_;
    bool finished_ = false;
};

}  // namespace tern::sim
