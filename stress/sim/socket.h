#pragma once
/// The ends of simulated TCP: connection and listener as a protocol holds them.
/// They follow the contract of router/os/network.h as the host's sockets do: readable is told as
/// long as data waits, writable once per request, an error once. Owned by the protocol; used under
/// the domain of their loop. They never call a protocol outside of a turn of its loop.

#include "loops/event.h"
#include "router/os/network.h"
#include "stress/sim/flow.h"

#include <deque>

namespace tern::sim {

class SimNetwork;

class SimConnection final : public os::TcpConnection {
  public:
    SimConnection(SimNetwork& network, Flow& flow, unsigned side, loops::Loop& loop);
    ~SimConnection() override;

    void set_callbacks(const os::TcpCallbacks& callbacks) override;
    os::IoResult read(MutableBytes into) override;
    os::IoResult write(std::span<const Bytes> pieces) override;
    void want_writable() override;
    void pause_rx() override;
    void resume_rx() override;
    [[nodiscard]] os::Endpoint local() const override;
    [[nodiscard]] os::Endpoint remote() const override;
    void move_to(loops::Loop& loop) override;
    os::SystemResult<void> set_ttl(std::uint8_t ttl, std::uint8_t min_ttl) override;
    void abort_on_close() override;

    /// Something has changed: looks at the flow in the loop's next turn.
    void wake() { event_.send(*loop_); }

  private:
    static void on_event(void* connection, loops::Turn& turn);
    void look();
    bool tell(void (*callback)(os::TcpConnection&, void*));
    [[nodiscard]] bool readable() const;
    [[nodiscard]] bool room() const;

    SimNetwork& network_;
    Flow& flow_;
    unsigned side_;
    loops::Loop* loop_;
    loops::Event event_;
    os::TcpCallbacks callbacks_;
    unsigned pauses_ = 0;
    bool connecting_;
    bool want_writable_ = false;
    bool end_told_ = false;
    bool failure_told_ = false;
    bool abort_ = false;
    bool* gone_ = nullptr;  // set by the destructor while a callback runs
};

class SimListener final : public os::TcpListener {
  public:
    struct Parts {
        SimNetwork& network;
        Host& host;
        loops::Loop& loop;
        os::AcceptFunction accept;
        void* context;
    };

    SimListener(const Parts& parts, const os::ListenOptions& options);
    ~SimListener() override;

    [[nodiscard]] os::Endpoint local() const override { return local_; }

    os::SystemResult<void> add_key(const os::Md5Key& key) override;
    os::SystemResult<void> remove_key(const os::Md5Key& key) override;

    /// Whether a call to this address of the host is for us.
    [[nodiscard]] bool hears(const net::IpAddress& address, std::uint16_t port) const;

    [[nodiscard]] bool is_wildcard() const { return local_.address.is_unspecified(); }

    /// The TCP-MD5 secret for that peer; empty: none.
    [[nodiscard]] std::string secret_for(const net::IpAddress& peer) const;

    [[nodiscard]] const os::SocketOptions& options() const { return options_; }

    [[nodiscard]] std::size_t waiting() const { return calls_.size(); }

    void enqueue(FlowId flow);

  private:
    static void on_event(void* listener, loops::Turn& turn);

    Parts parts_;
    os::Endpoint local_;
    bool v6_only_;
    os::SocketOptions options_;
    std::deque<FlowId> calls_;
    loops::Event event_;
    bool* gone_ = nullptr;
};

/// The secret of the longest prefix that holds the peer; empty: none.
[[nodiscard]] std::string secret_of(const std::vector<os::Md5Key>& keys,
                                    const net::IpAddress& peer);

}  // namespace tern::sim
