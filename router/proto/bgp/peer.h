#pragma once
/// One BGP neighbour: the protocol object of the engine. Decides when to connect, which of two
/// connections stays, and what an end means; while a session stands it owns its import and its
/// places in the export groups. Lives in its own loop from the engine's `start` to `finish`; what
/// it must know in its next life it leaves in BgpShared. Only the main loop reaches into it from
/// outside, with its domain held. Source: RFC 4271 section 6.8 and 8, RFC 4486.

#include "loops/timer.h"
#include "router/engine/instance.h"
#include "router/engine/protocol.h"
#include "router/iface/neighbor.h"
#include "router/proto/bgp/connection.h"
#include "router/proto/bgp/import.h"
#include "router/proto/bgp/session_setup.h"
#include "router/proto/bgp/shared.h"

#include <memory>
#include <optional>
#include <vector>

namespace tern::bgp {

class Peer final : public engine::Protocol, private ConnectionOwner {
  public:
    explicit Peer(engine::Instance& instance);
    ~Peer() override;

    // engine::Protocol
    void start() override;
    void shutdown(const engine::StopRequest& request) override;
    bool reconfigure(const config::ProtocolConfig& next, config::Effect effect) override;
    void cleanup() override;
    bool refresh_import(channel::Channel& channel) override;
    void refresh_export(channel::Channel& channel) override;

    [[nodiscard]] bool opens_channels() const override { return true; }

    [[nodiscard]] bool shows_channels() const override { return true; }

    [[nodiscard]] bool may_export(const channel::Channel& channel,
                                  const table::RouteValue& route,
                                  const table::SourceOwner& owner) const override;
    [[nodiscard]] std::optional<bool> has_exported(channel::Channel& channel,
                                                   net::PrefixId prefix) const override;
    [[nodiscard]] std::string info() const override;
    void show_details(cli::Output& out) const override;

    [[nodiscard]] loops::Loop& loop() const { return instance().loop(); }

    /// A connection from the neighbour, already in this loop.
    void accept(std::unique_ptr<os::TcpConnection> tcp);

  private:
    /// A negotiated channel of the standing session.
    struct Session {
        Session(Peer& peer, channel::Channel& its_channel, const BgpChannelConfig& its_config);

        channel::Channel& channel;
        const BgpChannelConfig* config;
        ExportMember member;
        ExportProfile profile;
    };

    // ConnectionOwner
    [[nodiscard]] wire::OpenMessage make_open(Connection& connection) override;

    [[nodiscard]] const NegotiationPolicy& policy() const override { return policy_; }

    [[nodiscard]] bool open_accepted(Connection& connection) override;
    void established(Connection& connection) override;
    void ended(Connection& connection, const ConnectionEnd& end) override;
    void update(Connection& connection, Bytes body) override;
    void refresh(Connection& connection, Bytes body) override;
    void input_done() override;
    void collect(std::vector<Bytes>& pieces, std::size_t max) override;
    void consumed(std::size_t bytes, bool inside) override;
    [[nodiscard]] std::uint32_t startup_hold_time() const override;
    void log_message(std::string_view direction, std::string_view text) override;

    [[nodiscard]] const BgpConfig& config() const {
        return static_cast<const BgpConfig&>(instance().config());
    }

    [[nodiscard]] BgpShared& shared() const {
        return static_cast<BgpShared&>(*instance().shared());
    }

    [[nodiscard]] LocalIdentity identity() const {
        return {instance().router_id(), instance().hostname()};
    }

    void open_listener();
    void wait_for_neighbor();
    void watch_neighbor(const BgpConfig& c);
    void on_neighbor();
    void schedule_connect();
    void connect_after(loops::Duration pause);
    void on_connect_timer();
    void connect();
    void retry(const Connection& ended, const ConnectionEnd& end);
    [[nodiscard]] bool backs_off(const ConnectionEnd& end) const;
    [[nodiscard]] bool gives_up(const ConnectionEnd& end) const;
    [[nodiscard]] os::SocketOptions socket_options() const;
    [[nodiscard]] SessionAddresses addresses_of(const Connection& connection) const;
    [[nodiscard]] wire::NextHop own_next_hop(const BgpChannelConfig& channel,
                                             const SessionFacts& facts) const;
    void open_session(Connection& connection);
    void close_session();
    void remember(const ConnectionEnd& end);
    void note_stop(engine::StopReason reason);
    void on_data();
    void on_reap();
    void on_may_merge();
    void on_holds_up();
    void on_over_limit();
    [[nodiscard]] ExportProfile profile_for(const Session& session, const BgpConfig& from) const;
    void adopt(Session& session, const BgpConfig& now);
    [[nodiscard]] Connection* other(const Connection& connection) const;
    [[nodiscard]] const Connection* best_connection() const;
    void show_capabilities(cli::Output& out,
                           std::string_view label,
                           std::string_view key,
                           const wire::Capabilities& capabilities) const;
    [[nodiscard]] std::string_view state_text() const;
    void show_session(cli::Output& out) const;
    void show_waiting(cli::Output& out) const;
    void show_channels(cli::Output& out) const;

    NegotiationPolicy policy_;
    std::unique_ptr<Connection> outgoing_;
    std::unique_ptr<Connection> incoming_;
    std::vector<std::unique_ptr<Connection>> ended_;  // destroyed outside of their callbacks
    Connection* session_ = nullptr;                   // the established one
    std::unique_ptr<Import> import_;
    std::unique_ptr<Import> ended_import_;  // likewise
    std::vector<std::unique_ptr<Session>> sessions_;
    Session* writing_ = nullptr;     // whose pieces the connection was given last
    Session* unfinished_ = nullptr;  // whose segment was written in part
    iface::NeighborTable neighbors_;
    std::unique_ptr<iface::NeighborWatch> neighbor_;
    PeerMemory memory_;
    bool stopping_ = false;
    bool waiting_ = false;           // for the end of `error wait time`
    loops::Duration connect_pause_;  // what connect_timer_ was last given, unless waiting_
    loops::Timer connect_timer_;
    loops::Event reap_;
    loops::Event transmit_;
};

}  // namespace tern::bgp
