#include "router/proto/bgp/shared.h"

#include "router/proto/bgp/peer.h"

namespace tern::bgp {

BgpShared::BgpShared(engine::Services& services)
    : services_(services),
      groups_(services.main_loop,
              services.thread_groups.group_of(nullptr),
              services.filter_environment),
      listeners_(services.network, services.main_loop),
      sweep_(on_sweep, this) {}

BgpShared::~BgpShared() = default;

PeerMemory BgpShared::memory_of(const std::string& name) {
    const auto guard = domain_.lock_dynamic();
    return memories_[name];
}

void BgpShared::remember(const std::string& name, const PeerMemory& memory) {
    const auto guard = domain_.lock_dynamic();
    memories_[name] = memory;
}

os::SystemResult<void> BgpShared::listen(const std::string& name,
                                         Peer& peer,
                                         os::ListenRequest request) {
    auto claim = std::make_unique<Claim>();
    claim->owner = this;
    claim->name = name;
    claim->peer = &peer;
    request.accept = accepted;
    request.context = claim.get();
    std::unique_ptr<Claim> old;
    {
        const auto guard = domain_.lock_dynamic();
        old = std::move(claims_[name]);
    }
    old.reset();  // before the new one: the same socket may be wanted with another key
    auto made = listeners_.claim(request);
    if (!made) return tl::unexpected(made.error());
    claim->claim = std::move(*made);
    const auto guard = domain_.lock_dynamic();
    claims_[name] = std::move(claim);
    return {};
}

void BgpShared::forget(const std::string& name) {
    {
        const auto guard = domain_.lock_dynamic();
        const auto found = claims_.find(name);
        if (found == claims_.end() || found->second == nullptr) return;
        found->second->peer = nullptr;
    }
    sweep_.send(services_.main_loop);
}

/// Ends the claims of neighbours that are gone.
void BgpShared::on_sweep(void* context, loops::Turn&) {
    auto& self = *static_cast<BgpShared*>(context);
    std::vector<std::unique_ptr<Claim>> ended;
    const auto guard = self.domain_.lock_dynamic();
    for (auto at = self.claims_.begin(); at != self.claims_.end();) {
        if (at->second == nullptr || at->second->peer == nullptr) {
            ended.push_back(std::move(at->second));
            at = self.claims_.erase(at);
        } else {
            ++at;
        }
    }
}

/// In the main loop: hands the connection to the neighbour's loop.
void BgpShared::accepted(std::unique_ptr<os::TcpConnection> connection, void* context) {
    auto& claim = *static_cast<Claim*>(context);
    loops::Loop* loop = nullptr;
    {
        const auto guard = claim.owner->domain_.lock_dynamic();
        if (claim.peer != nullptr) loop = &claim.peer->loop();
    }
    if (loop == nullptr) return;
    const loops::LoopEntry entry(*loop);
    Peer* peer = nullptr;
    {  // with the neighbour's domain held it cannot go any more
        const auto guard = claim.owner->domain_.lock_dynamic();
        peer = claim.peer;
    }
    if (peer == nullptr) return;
    connection->move_to(*loop);
    peer->accept(std::move(connection));
}

}  // namespace tern::bgp
