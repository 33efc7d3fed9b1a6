#include "router/os/tcp_listener.h"

#include <algorithm>
#include <utility>

namespace tern::os {

ListenClaim::ListenClaim(ListenClaim&& other) noexcept
    : owner_(std::exchange(other.owner_, nullptr)), id_(other.id_) {}

ListenClaim& ListenClaim::operator=(ListenClaim&& other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(id_, other.id_);
    return *this;
}

ListenClaim::~ListenClaim() {
    release();
}

void ListenClaim::release() {
    if (owner_ != nullptr) std::exchange(owner_, nullptr)->release(id_);
}

TcpListeners::TcpListeners(Network& network, loops::Loop& loop) : network_(network), loop_(loop) {}

TcpListeners::~TcpListeners() {
    TERN_ASSERT(sockets_.empty(), "a listener claim outlives the listeners");
}

Md5Key TcpListeners::key_of(const ListenRequest& request) {
    return {request.peers, request.md5_secret, request.key_interface};
}

TcpListeners::Socket* TcpListeners::find_socket(const ListenRequest& request) {
    for (const auto& socket : sockets_) {
        if (socket->local == request.local && socket->interface == request.interface) {
            return socket.get();
        }
    }
    return nullptr;
}

SystemResult<ListenClaim> TcpListeners::claim(const ListenRequest& request) {
    loop_.domain().assert_held();
    Socket* socket = find_socket(request);
    std::unique_ptr<Socket> fresh;
    if (socket == nullptr) {
        fresh = std::make_unique<Socket>();
        fresh->owner = this;
        fresh->local = request.local;
        fresh->interface = request.interface;
        ListenOptions options;
        options.local = request.local;
        options.socket.interface = request.interface;
        options.socket.free_bind = request.free_bind;
        // Each connection gets its own TTL when it is taken over; answers to GTSM peers (RFC 5082)
        // must already carry 255 in the handshake.
        options.socket.ttl = 255;
        auto listener = network_.listen(loop_, options, &TcpListeners::accepted, fresh.get());
        if (!listener) return tl::unexpected<SystemError>(listener.error());
        fresh->listener = std::move(*listener);
        socket = fresh.get();
    }
    if (!request.md5_secret.empty()) {
        if (auto done = socket->listener->add_key(key_of(request)); !done) {
            return tl::unexpected<SystemError>(done.error());
        }
    }
    const std::uint64_t id = next_id_++;
    socket->claims.push_back({id, request});
    if (fresh) sockets_.push_back(std::move(fresh));
    return ListenClaim(*this, id);
}

void TcpListeners::release(std::uint64_t id) {
    loop_.domain().assert_held();
    for (auto it = sockets_.begin(); it != sockets_.end(); ++it) {
        Socket& socket = **it;
        const auto claim = std::find_if(socket.claims.begin(), socket.claims.end(),
                                        [id](const Claim& c) { return c.id == id; });
        if (claim == socket.claims.end()) continue;
        const Md5Key key = key_of(claim->request);
        socket.claims.erase(claim);
        if (socket.claims.empty()) {
            sockets_.erase(it);
            return;
        }
        const bool shared =
            std::any_of(socket.claims.begin(), socket.claims.end(), [&key](const Claim& c) {
                return !c.request.md5_secret.empty() && key_of(c.request) == key;
            });
        // A kernel that cannot find the key has nothing to forget.
        if (!key.secret.empty() && !shared) static_cast<void>(socket.listener->remove_key(key));
        return;
    }
}

void TcpListeners::accepted(std::unique_ptr<TcpConnection> connection, void* context) {
    const Socket& socket = *static_cast<Socket*>(context);
    const Endpoint remote = connection->remote();
    const Claim* best = nullptr;
    for (const Claim& claim : socket.claims) {
        const ListenRequest& request = claim.request;
        if (!request.peers.contains(remote.address)) continue;
        if (request.interface_index != 0 && remote.interface_index != 0 &&
            request.interface_index != remote.interface_index) {
            continue;
        }
        if (best == nullptr || request.peers.length() > best->request.peers.length()) {
            best = &claim;
        }
    }
    // Nobody asked for this peer: refuse at once, so that it notices.
    if (best == nullptr) {
        connection->abort_on_close();
        return;
    }
    const AcceptFunction accept = best->request.accept;
    void* const accept_context = best->request.context;
    accept(std::move(connection), accept_context);
}

}  // namespace tern::os
