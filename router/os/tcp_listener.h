#pragma once
/// Shared listening sockets: any number of users claim connections of one (address, port, device).
/// A claim names the peers it is for; an accepted connection goes to the most specific claim, and
/// one that nobody claims is closed. The socket opens with the first claim and closes with the last
/// one. Owned by the router and bound to one loop (level service), whose domain every caller holds;
/// accept functions run in that loop and usually move the connection to their own.

#include "router/os/network.h"

#include <memory>
#include <string>
#include <vector>

namespace tern::os {

class TcpListeners;

/// What a user wants to hear of. All fields are fixed for the life of the claim.
struct ListenRequest {
    Endpoint local;
    std::string interface;  ///< device (VRF or interface) the socket is bound to; empty: none
    bool free_bind = false;
    net::Prefix peers;                  ///< a host prefix for one neighbour, or the dynamic range
    std::uint32_t interface_index = 0;  ///< connections arriving from this link only; 0: any
    std::string md5_secret;             ///< empty: none
    std::uint32_t key_interface = 0;    ///< VRF device of the key, see Md5Key
    AcceptFunction accept = nullptr;
    void* context = nullptr;
};

/// Ends the claim when destroyed.
class ListenClaim {
  public:
    ListenClaim() = default;
    ListenClaim(ListenClaim&& other) noexcept;
    ListenClaim& operator=(ListenClaim&& other) noexcept;
    ListenClaim(const ListenClaim&) = delete;
    ListenClaim& operator=(const ListenClaim&) = delete;
    ~ListenClaim();

    [[nodiscard]] bool active() const { return owner_ != nullptr; }

    void release();

  private:
    friend class TcpListeners;

    ListenClaim(TcpListeners& owner, std::uint64_t id) : owner_(&owner), id_(id) {}

    TcpListeners* owner_ = nullptr;
    std::uint64_t id_ = 0;
};

class TcpListeners {
  public:
    TcpListeners(Network& network, loops::Loop& loop);
    TcpListeners(const TcpListeners&) = delete;
    TcpListeners& operator=(const TcpListeners&) = delete;
    /// All claims must be gone.
    ~TcpListeners();

    [[nodiscard]] loops::Loop& loop() { return loop_; }

    [[nodiscard]] SystemResult<ListenClaim> claim(const ListenRequest& request);

    [[nodiscard]] std::size_t sockets() const { return sockets_.size(); }

  private:
    friend class ListenClaim;

    struct Claim {
        std::uint64_t id;
        ListenRequest request;
    };

    struct Socket {
        TcpListeners* owner;
        Endpoint local;
        std::string interface;
        std::unique_ptr<TcpListener> listener;
        std::vector<Claim> claims;
    };

    static void accepted(std::unique_ptr<TcpConnection> connection, void* context);
    void release(std::uint64_t id);
    [[nodiscard]] static Md5Key key_of(const ListenRequest& request);
    Socket* find_socket(const ListenRequest& request);

    Network& network_;
    loops::Loop& loop_;
    std::uint64_t next_id_ = 1;
    std::vector<std::unique_ptr<Socket>> sockets_;
};

}  // namespace tern::os
