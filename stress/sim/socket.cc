#include "stress/sim/socket.h"

#include "loops/loop.h"
#include "stress/sim/network.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace tern::sim {

std::string secret_of(const std::vector<os::Md5Key>& keys, const net::IpAddress& peer) {
    const os::Md5Key* best = nullptr;
    for (const os::Md5Key& each : keys) {
        if (!each.peers.contains(peer)) continue;
        if (best == nullptr || each.peers.length() > best->peers.length()) best = &each;
    }
    return best == nullptr ? std::string() : best->secret;
}

SimConnection::SimConnection(SimNetwork& network, Flow& flow, unsigned side, loops::Loop& loop)
    : network_(network),
      flow_(flow),
      side_(side),
      loop_(&loop),
      event_(on_event, this),
      connecting_(side == 0) {
    flow.halves[side].socket = this;
}

SimConnection::~SimConnection() {
    loop_->domain().assert_held();
    if (gone_ != nullptr) *gone_ = true;
    network_.close(flow_, side_, abort_);
}

void SimConnection::set_callbacks(const os::TcpCallbacks& callbacks) {
    callbacks_ = callbacks;
    wake();
}

os::IoResult SimConnection::read(MutableBytes into) {
    Half& half = flow_.halves[side_];
    if (half.error != 0) return {os::IoStatus::failed, 0, half.error};
    if (into.empty()) return {os::IoStatus::ok, 0, 0};
    if (half.unread() == 0) {
        if (!half.ended) return {os::IoStatus::would_block, 0, 0};
        end_told_ = true;
        return {os::IoStatus::end, 0, 0};
    }
    const std::size_t size = std::min(into.size(), half.unread());
    std::memcpy(into.data(), half.received.data() + half.taken, size);
    half.taken += size;
    if (half.unread() == 0) {
        half.received.clear();
        half.taken = 0;
    }
    network_.acknowledge(flow_, 1 - side_, size);
    return {os::IoStatus::ok, size, 0};
}

os::IoResult SimConnection::write(std::span<const Bytes> pieces) {
    const Half& half = flow_.halves[side_];
    if (half.error != 0) return {os::IoStatus::failed, 0, half.error};
    if (!half.established || !room()) return {os::IoStatus::would_block, 0, 0};
    std::vector<std::uint8_t> taken;
    for (const Bytes piece : pieces) {
        const std::size_t left = network_.options().buffer - half.unacknowledged - taken.size();
        const std::size_t size = std::min(left, piece.size());
        taken.insert(taken.end(), piece.begin(), piece.begin() + static_cast<long>(size));
        if (size < piece.size()) break;
    }
    network_.write(flow_, side_, taken);
    return {os::IoStatus::ok, taken.size(), 0};
}

void SimConnection::want_writable() {
    want_writable_ = true;
    wake();
}

void SimConnection::pause_rx() {
    ++pauses_;
}

void SimConnection::resume_rx() {
    TERN_ASSERT(pauses_ > 0, "a resume without a pause");
    if (--pauses_ == 0) wake();
}

os::Endpoint SimConnection::local() const {
    return flow_.halves[side_].address;
}

os::Endpoint SimConnection::remote() const {
    return flow_.halves[1 - side_].address;
}

void SimConnection::move_to(loops::Loop& loop) {
    loop_->domain().assert_held();
    loop.domain().assert_held();
    event_.cancel();
    loop_ = &loop;
    wake();
}

os::SystemResult<void> SimConnection::set_ttl(std::uint8_t ttl, std::uint8_t min_ttl) {
    Half& half = flow_.halves[side_];
    if (ttl != 0) half.ttl = ttl;
    if (min_ttl != 0) half.min_ttl = min_ttl;
    return {};
}

void SimConnection::abort_on_close() {
    abort_ = true;
}

bool SimConnection::readable() const {
    const Half& half = flow_.halves[side_];
    return pauses_ == 0 && (half.unread() > 0 || (half.ended && !end_told_));
}

bool SimConnection::room() const {
    return flow_.halves[side_].unacknowledged < network_.options().buffer;
}

void SimConnection::on_event(void* context, loops::Turn&) {
    static_cast<SimConnection*>(context)->look();
}

void SimConnection::look() {
    const Half& half = flow_.halves[side_];
    if (callbacks_.failed == nullptr) return;  // nobody is there yet
    if (half.error != 0) {
        if (std::exchange(failure_told_, true)) return;
        const os::SystemError error =
            os::system_error(connecting_ ? "connect" : "connection", half.error);
        callbacks_.failed(*this, error, callbacks_.context);
        return;
    }
    if (connecting_) {
        if (!half.established) return;
        connecting_ = false;
        if (!tell(callbacks_.connected)) return;
    }
    if (readable() && !tell(callbacks_.readable)) return;
    if (want_writable_ && room()) {
        want_writable_ = false;
        if (!tell(callbacks_.writable)) return;
    }
    if (readable()) wake();
}

/// False if the callback destroyed this connection.
bool SimConnection::tell(void (*callback)(os::TcpConnection&, void*)) {
    bool gone = false;
    bool* const outer = std::exchange(gone_, &gone);
    callback(*this, callbacks_.context);
    if (gone) {
        if (outer != nullptr) *outer = true;
        return false;
    }
    gone_ = outer;
    return true;
}

SimListener::SimListener(const Parts& parts, const os::ListenOptions& options)
    : parts_(parts),
      local_(options.local),
      v6_only_(options.v6_only),
      options_(options.socket),
      event_(on_event, this) {}

SimListener::~SimListener() {
    parts_.loop.domain().assert_held();
    if (gone_ != nullptr) *gone_ = true;
    std::erase(parts_.host.listeners_, this);
    for (const FlowId id : calls_) {
        if (Flow* flow = parts_.network.find(id)) parts_.network.close(*flow, 1, true);
    }
}

os::SystemResult<void> SimListener::add_key(const os::Md5Key& key) {
    std::erase_if(options_.md5_keys,
                  [&](const os::Md5Key& each) { return each.peers == key.peers; });
    options_.md5_keys.push_back(key);
    return {};
}

os::SystemResult<void> SimListener::remove_key(const os::Md5Key& key) {
    const auto removed = std::erase_if(
        options_.md5_keys, [&](const os::Md5Key& each) { return each.peers == key.peers; });
    if (removed == 0) return os::system_failure("remove TCP-MD5 key", ENOENT);
    return {};
}

bool SimListener::hears(const net::IpAddress& address, std::uint16_t port) const {
    if (port != local_.port) return false;
    if (!local_.address.is_unspecified()) return local_.address == address;
    return local_.address.is_v4() == address.is_v4() || (!local_.address.is_v4() && !v6_only_);
}

std::string SimListener::secret_for(const net::IpAddress& peer) const {
    return secret_of(options_.md5_keys, peer);
}

void SimListener::enqueue(FlowId flow) {
    calls_.push_back(flow);
    event_.send(parts_.loop);
}

void SimListener::on_event(void* context, loops::Turn&) {
    auto& self = *static_cast<SimListener*>(context);
    bool gone = false;
    bool* const outer = std::exchange(self.gone_, &gone);
    while (!self.calls_.empty()) {
        Flow* flow = self.parts_.network.find(self.calls_.front());
        self.calls_.pop_front();
        if (flow == nullptr) continue;
        self.parts_.accept(
            std::make_unique<SimConnection>(self.parts_.network, *flow, 1, self.parts_.loop),
            self.parts_.context);
        if (gone) return;
    }
    self.gone_ = outer;
}

}  // namespace tern::sim
