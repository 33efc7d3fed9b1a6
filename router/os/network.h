#pragma once
/// The network as protocols see it: TCP connections and listeners made by a `Network`.
/// `SystemNetwork` (system_network.h) is the host's; a simulation has its own, so that protocols
/// run on virtual networks unchanged. Every object belongs to the loop it was made for and is used
/// with that loop's domain held; callbacks run in that loop. Callbacks are plain functions with a
/// context. A callback may destroy the object that called it. Nothing here blocks, and nothing
/// retries by itself.

#include "loops/loop.h"
#include "router/base/bytes.h"
#include "router/net/ip_address.h"
#include "router/net/prefix.h"
#include "router/os/system_error.h"
#include "router/os/tcp_auth.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tern::os {

struct Endpoint {
    net::IpAddress address;
    std::uint16_t port = 0;
    std::uint32_t interface_index = 0;  ///< for link-local addresses; 0: none

    friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

/// What connections and listeners have in common.
struct SocketOptions {
    std::string interface;     ///< bind to this interface or VRF device; empty: none
    std::uint8_t ttl = 0;      ///< sent TTL / hop limit; 0: the system's
    std::uint8_t min_ttl = 0;  ///< drop packets below (RFC 5082 section 3); 0: off
    std::optional<std::uint8_t> traffic_class;
    std::optional<std::uint8_t> priority;  ///< queueing priority (SO_PRIORITY)
    bool free_bind = false;                ///< allow a local address that is not (yet) ours
    std::uint32_t rx_buffer = 0;           ///< bytes; 0: the system's
    std::uint32_t tx_buffer = 0;
    std::vector<Md5Key> md5_keys;
    std::vector<AoKey> ao_keys;
};

struct ConnectOptions {
    Endpoint remote;
    net::IpAddress local;  ///< unspecified: chosen by the system
    std::uint16_t local_port = 0;
    SocketOptions socket;
};

struct ListenOptions {
    Endpoint local;  ///< an unspecified address of either family listens on all of that family
    bool v6_only = true;
    SocketOptions socket;
};

enum class IoStatus : std::uint8_t {
    ok,
    would_block,  ///< nothing moved; wait for `readable` / `writable`
    end,          ///< the peer closed its side
    failed,       ///< `error` holds the errno
};

struct IoResult {
    IoStatus status = IoStatus::ok;
    std::size_t bytes = 0;
    int error = 0;
};

class TcpConnection;

/// Called in the connection's loop. All but `context` must be set.
struct TcpCallbacks {
    void (*connected)(TcpConnection& connection, void* context) = nullptr;
    void (*readable)(TcpConnection& connection, void* context) = nullptr;
    void (*writable)(TcpConnection& connection, void* context) = nullptr;
    /// Connecting failed, or the connection was reset. Comes even while reception is paused.
    void (*failed)(TcpConnection& connection, const SystemError& error, void* context) = nullptr;
    void* context = nullptr;
};

class TcpConnection {
  public:
    TcpConnection() = default;
    TcpConnection(const TcpConnection&) = delete;
    TcpConnection& operator=(const TcpConnection&) = delete;
    /// Closes at once; no callback comes after.
    virtual ~TcpConnection() = default;

    /// Replaces the callbacks; a fresh connection has none and reads nothing until they are set.
    virtual void set_callbacks(const TcpCallbacks& callbacks) = 0;
    /// One read into `into`; call again until `would_block`, or come back at the next `readable`.
    virtual IoResult read(MutableBytes into) = 0;
    /// One gathering write; may take less than offered. After less than all, ask for
    /// `want_writable`.
    virtual IoResult write(std::span<const Bytes> pieces) = 0;
    /// One `writable` callback as soon as there is room again.
    virtual void want_writable() = 0;
    /// Stops `readable` at once, even one already on its way; counted, so two pauses need two
    /// resumes. Errors keep coming. Data waits in the kernel and holds back the sender.
    virtual void pause_rx() = 0;
    /// Data that waited is delivered without waiting for more.
    virtual void resume_rx() = 0;
    [[nodiscard]] virtual Endpoint local() const = 0;
    [[nodiscard]] virtual Endpoint remote() const = 0;
    /// Moves to another loop before returning. The caller holds both loops.
    virtual void move_to(loops::Loop& loop) = 0;
    /// Changes the sent TTL and the accepted minimum of a living connection; 0 leaves each alone.
    virtual SystemResult<void> set_ttl(std::uint8_t ttl, std::uint8_t min_ttl) = 0;
    /// The next close sends a reset instead of the rest of the data.
    virtual void abort_on_close() = 0;
};

/// Takes over the connection, which is in the listener's loop and has no callbacks yet.
using AcceptFunction = void (*)(std::unique_ptr<TcpConnection> connection, void* context);

class TcpListener {
  public:
    TcpListener() = default;
    TcpListener(const TcpListener&) = delete;
    TcpListener& operator=(const TcpListener&) = delete;
    virtual ~TcpListener() = default;

    [[nodiscard]] virtual Endpoint local() const = 0;
    virtual SystemResult<void> add_key(const Md5Key& key) = 0;
    virtual SystemResult<void> remove_key(const Md5Key& key) = 0;
};

/// Makes connections and listeners. May be used from any loop; what it makes belongs to `loop`,
/// whose domain the caller holds.
class Network {
  public:
    Network() = default;
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    virtual ~Network() = default;

    /// Starts connecting; `connected` or `failed` follows. Only local mistakes fail here.
    [[nodiscard]] virtual SystemResult<std::unique_ptr<TcpConnection>> connect(
        loops::Loop& loop, const ConnectOptions& options, const TcpCallbacks& callbacks) = 0;
    [[nodiscard]] virtual SystemResult<std::unique_ptr<TcpListener>> listen(
        loops::Loop& loop, const ListenOptions& options, AcceptFunction accept, void* context) = 0;
};

}  // namespace tern::os
