#pragma once
/// A network of simulated hosts: links between them, and TCP over those links on virtual time.
/// Owned by a test; it outlives the routers that use its hosts, and goes before the SimRuntime.
/// Each `Host` is the os::Network of one router. Connections deliver bytes as events of the loop
/// they belong to; the wires have a loop and a domain of their own, below every domain of a router,
/// so that a write may happen under any of them. All chance comes from the seed. One thread; it
/// never touches a real socket and never waits.

#include "locking/domain.h"
#include "loops/loop.h"
#include "loops/sim_runtime.h"
#include "loops/timer.h"
#include "router/base/random.h"
#include "router/os/network.h"
#include "stress/sim/flow.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tern::sim {

struct WireLevel {
    static constexpr locking::LockRank rank = 5000;
    static constexpr std::string_view name = "sim_wire";
};

struct NetworkOptions {
    std::uint64_t seed = 1;
    std::size_t buffer = 64 * 1024;  ///< sent and not yet read by the other side, per direction
    std::size_t segment = 1460;      ///< the most that travels in one piece
    loops::Duration retransmit = loops::seconds(1);
    loops::Duration give_up = loops::seconds(300);  ///< unacknowledged for that long: ETIMEDOUT
    std::size_t backlog = 128;                      ///< calls a listener has not yet accepted
};

struct LinkOptions {
    loops::Duration delay = loops::milliseconds(1);
    loops::Duration jitter;          ///< up to that much more per segment; order is kept
    std::uint64_t reset_one_in = 0;  ///< a segment in so many ends its connection; 0: none
    unsigned length = 0;             ///< of the link's prefix; 0: 24 for IPv4, 64 for IPv6
};

class SimNetwork;
class SimConnection;
class SimListener;

/// Where a host is attached to a link.
struct Attachment {
    Link* link = nullptr;
    unsigned end = 0;
    std::uint32_t interface_index = 0;
    std::string interface;
};

class Host final : public os::Network {
  public:
    Host(SimNetwork& network, std::string name) : network_(network), name_(std::move(name)) {}

    [[nodiscard]] os::SystemResult<std::unique_ptr<os::TcpConnection>> connect(
        loops::Loop& loop,
        const os::ConnectOptions& options,
        const os::TcpCallbacks& callbacks) override;
    [[nodiscard]] os::SystemResult<std::unique_ptr<os::TcpListener>> listen(
        loops::Loop& loop,
        const os::ListenOptions& options,
        os::AcceptFunction accept,
        void* context) override;

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] const std::vector<Attachment>& attachments() const { return attachments_; }

    [[nodiscard]] bool owns(const net::IpAddress& address) const;

  private:
    friend class SimNetwork;
    friend class SimListener;

    [[nodiscard]] const Attachment* way_to(const os::Endpoint& remote) const;
    [[nodiscard]] SimListener* listener_at(const net::IpAddress& address, std::uint16_t port) const;
    [[nodiscard]] std::uint16_t free_port() const;

    SimNetwork& network_;
    std::string name_;
    std::vector<Attachment> attachments_;
    std::vector<SimListener*> listeners_;
};

class SimNetwork {
  public:
    SimNetwork(loops::SimRuntime& runtime, const NetworkOptions& options);
    SimNetwork(const SimNetwork&) = delete;
    SimNetwork& operator=(const SimNetwork&) = delete;
    /// Every connection and listener is gone.
    ~SimNetwork();

    Host& add_host(std::string name);
    /// A wire between two hosts, which get these addresses on a new interface each; or on the
    /// interface that has the address already, as if a switch stood there.
    Link& add_link(Host& a,
                   const net::IpAddress& address_a,
                   Host& b,
                   const net::IpAddress& address_b,
                   const LinkOptions& options);

    /// From now on nothing passes, and nobody is told.
    void cut(Link& link) { link.up = false; }

    /// What waits is sent again within one retransmission time.
    void heal(Link& link) { link.up = true; }

    /// A reset to both sides of every connection over the link, now.
    void reset(Link& link);

    [[nodiscard]] const NetworkOptions& options() const { return options_; }

    /// Segments delivered, bytes delivered, and a number that depends on what was delivered when.
    [[nodiscard]] const Traffic& traffic() const { return traffic_; }

    [[nodiscard]] std::size_t connections() const { return flows_.size(); }

    /// Names of the hosts that called, one for each connection there is.
    [[nodiscard]] std::vector<std::string> callers() const;

  private:
    friend class Host;
    friend class SimConnection;
    friend class SimListener;

    enum class What : std::uint8_t { arrive, acknowledge };

    struct Action {
        What what;
        FlowId flow;
        unsigned side;  ///< arrive: who sent it; acknowledge: who is told
        std::size_t bytes;
    };

    struct When {
        loops::Instant at;
        std::uint64_t order;

        friend auto operator<=>(const When&, const When&) = default;
    };

    Flow& open(Host& caller, const Attachment& way, const os::ConnectOptions& options);
    void write(Flow& flow, unsigned side, Bytes bytes);
    void send(Flow& flow, unsigned side, Segment segment);
    void acknowledge(Flow& flow, unsigned side, std::size_t bytes);
    void close(Flow& flow, unsigned side, bool abort);
    void fail(Flow& flow, unsigned side, int error);
    void schedule(loops::Instant at, const Action& action);
    static void on_timer(void* network, loops::Turn& turn);
    void perform(const Action& action);
    void arrive(Flow& flow, unsigned side);
    void deliver(Flow& flow, unsigned side, Segment segment);
    void call_in(Flow& flow);
    void take_acknowledgement(Flow& flow, const Action& action);
    [[nodiscard]] bool passes(const Flow& flow, unsigned side) const;
    void reap(Flow& flow);
    [[nodiscard]] Flow* find(FlowId id);

    [[nodiscard]] loops::Instant now() const { return runtime_.clock().now(); }

    loops::SimRuntime& runtime_;
    NetworkOptions options_;
    Random random_;
    locking::Domain<WireLevel> domain_{"sim wires"};
    std::optional<loops::Loop> loop_;
    std::optional<loops::Timer> timer_;
    std::vector<std::unique_ptr<Host>> hosts_;
    std::vector<std::unique_ptr<Link>> links_;
    std::map<FlowId, std::unique_ptr<Flow>> flows_;
    std::map<When, Action> actions_;
    std::uint64_t orders_ = 0;
    std::uint64_t next_flow_ = 1;
    Traffic traffic_;
};

}  // namespace tern::sim
