#pragma once
/// What all BGP neighbours of a router share: listening sockets, export groups, and what each
/// remembers from one life to the next (last error, how long to wait). Owned by the engine, made
/// before the first neighbour. Listening belongs to the main loop, which hands accepted connections
/// over to the neighbour's loop; the rest is guarded by its own domain (level bgp_shared), which a
/// neighbour may take.

#include "router/engine/protocol.h"
#include "router/engine/services.h"
#include "router/os/tcp_listener.h"
#include "router/proto/bgp/connection.h"
#include "router/proto/bgp/export_groups.h"

#include <map>
#include <string>

namespace tern::bgp {

class Peer;

/// Survives the protocol object, which ends with each session.
struct PeerMemory {
    ErrorClass error_class = ErrorClass::none;
    std::string error;
    loops::Instant error_at;
    loops::Duration error_wait;  ///< grows with each error until error_forget_time has passed
    bool without_capabilities = false;  ///< the neighbour does not know them (RFC 5492 section 3)
};

class BgpShared final : public engine::ProtocolShared {
  public:
    explicit BgpShared(engine::Services& services);
    ~BgpShared() override;

    [[nodiscard]] ExportGroups& groups() { return groups_; }

    [[nodiscard]] PeerMemory memory_of(const std::string& name);
    void remember(const std::string& name, const PeerMemory& memory);

    /// Accepts connections for this neighbour from now on; the main loop's domain is held (a
    /// protocol is started by the main loop). Error: text of the system.
    [[nodiscard]] os::SystemResult<void> listen(const std::string& name,
                                                Peer& peer,
                                                os::ListenRequest request);
    /// Connections are turned away from now on; any loop.
    void forget(const std::string& name);

  private:
    /// Stands behind an accept function; outlives the neighbour it is for.
    struct Claim {
        BgpShared* owner = nullptr;
        std::string name;
        os::ListenClaim claim;
        Peer* peer = nullptr;  // guarded by domain_
    };

    static void accepted(std::unique_ptr<os::TcpConnection> connection, void* claim);
    static void on_sweep(void* shared, loops::Turn& turn);

    engine::Services& services_;
    ExportGroups groups_;
    os::TcpListeners listeners_;
    locking::Domain<level::BgpShared> domain_;
    std::map<std::string, PeerMemory> memories_;
    std::map<std::string, std::unique_ptr<Claim>> claims_;
    loops::Event sweep_;
};

}  // namespace tern::bgp
