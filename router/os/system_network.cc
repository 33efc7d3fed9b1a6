#include "router/os/system_network.h"

#include "loops/file_descriptor.h"
#include "loops/watcher.h"
#include "router/os/socket_address.h"
#include "router/os/socket_options.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace tern::os {
namespace {

using loops::Interest;

int pending_error(int fd) {
    int number = 0;
    socklen_t size = sizeof number;
    if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0) return errno;
    return number;
}

class SystemConnection final : public TcpConnection {
  public:
    SystemConnection(loops::Loop& loop, loops::FileDescriptor fd, bool connecting)
        : fd_(std::move(fd)),
          connecting_(connecting),
          watcher_(loop,
                   fd_.get(),
                   connecting ? Interest::writable : Interest::none,
                   loops::watch_function<&SystemConnection::ready, SystemConnection>(),
                   this) {}

    ~SystemConnection() override {
        if (gone_ != nullptr) *gone_ = true;
    }

    void set_callbacks(const TcpCallbacks& callbacks) override {
        callbacks_ = callbacks;
        update_interest();
    }

    IoResult read(MutableBytes into) override {
        while (true) {
            const ssize_t n = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
            if (n > 0) return {IoStatus::ok, static_cast<std::size_t>(n), 0};
            if (n == 0) return {into.empty() ? IoStatus::ok : IoStatus::end, 0, 0};
            if (errno != EINTR) return blocked_or_failed();
        }
    }

    IoResult write(std::span<const Bytes> pieces) override {
        std::array<iovec, 64> vectors;  // NOLINT: filled below
        const std::size_t count = std::min(pieces.size(), vectors.size());
        for (std::size_t i = 0; i < count; ++i) {
            vectors[i].iov_base = const_cast<std::uint8_t*>(pieces[i].data());
            vectors[i].iov_len = pieces[i].size();
        }
        msghdr message = {};
        message.msg_iov = vectors.data();
        message.msg_iovlen = count;
        while (true) {
            const ssize_t n = ::sendmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
            if (n >= 0) return {IoStatus::ok, static_cast<std::size_t>(n), 0};
            if (errno != EINTR) return blocked_or_failed();
        }
    }

    void want_writable() override {
        want_writable_ = true;
        update_interest();
    }

    void pause_rx() override { watcher_.pause_rx(loops::PauseReason::user); }

    void resume_rx() override { watcher_.resume_rx(loops::PauseReason::user); }

    [[nodiscard]] Endpoint local() const override { return name(::getsockname); }

    [[nodiscard]] Endpoint remote() const override { return name(::getpeername); }

    void move_to(loops::Loop& loop) override { watcher_.move_to(loop); }

    SystemResult<void> set_ttl(std::uint8_t ttl, std::uint8_t min_ttl) override {
        const bool v4 = local().address.is_v4();
        if (ttl != 0) {
            if (auto done = set_sent_ttl(fd_.get(), v4, ttl); !done) return done;
        }
        if (min_ttl != 0) return set_minimum_ttl(fd_.get(), v4, min_ttl);
        return {};
    }

    void abort_on_close() override {
        const linger now = {1, 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }

  private:
    static IoResult blocked_or_failed() {
        const int number = errno;
        if (number == EAGAIN || number == EWOULDBLOCK) return {IoStatus::would_block, 0, 0};
        return {IoStatus::failed, 0, number};
    }

    [[nodiscard]] Endpoint name(int (*ask)(int, sockaddr*, socklen_t*)) const {
        SocketAddress address;
        address.length = sizeof address.storage;
        if (ask(fd_.get(), address.get(), &address.length) != 0) return {};
        const HostPort parts = from_socket_address(address);
        return {parts.ip, parts.port, parts.scope};
    }

    void update_interest() {
        Interest interest = Interest::none;
        if (connecting_) {
            interest = Interest::writable;
        } else {
            if (callbacks_.readable != nullptr) interest = interest | Interest::readable;
            if (want_writable_) interest = interest | Interest::writable;
        }
        if (interest != watcher_.interest()) watcher_.set_interest(interest);
    }

    void fail(int number) {
        watcher_.set_interest(Interest::none);
        want_writable_ = false;
        if (callbacks_.failed != nullptr) {
            callbacks_.failed(*this, system_error(connecting_ ? "connect" : "connection", number),
                              callbacks_.context);
        }
    }

    void finish_connecting() {
        if (const int number = pending_error(fd_.get()); number != 0) {
            fail(number);
            return;
        }
        connecting_ = false;
        update_interest();
        if (callbacks_.connected != nullptr) callbacks_.connected(*this, callbacks_.context);
    }

    void ready(loops::Turn&, loops::Ready what) {
        if (callbacks_.failed == nullptr) return;  // nobody is there yet; asked again later
        if (connecting_) {
            finish_connecting();
            return;
        }
        if (what.error) {
            if (const int number = pending_error(fd_.get()); number != 0) {
                fail(number);
                return;
            }
        }
        // Either callback may destroy the connection.
        bool gone = false;
        bool* const outer = std::exchange(gone_, &gone);
        if ((what.readable || what.hangup) && !watcher_.rx_paused() &&
            callbacks_.readable != nullptr) {
            callbacks_.readable(*this, callbacks_.context);
            if (gone) {
                if (outer != nullptr) *outer = true;
                return;
            }
        }
        gone_ = outer;
        if (what.writable && want_writable_) {
            want_writable_ = false;
            update_interest();
            if (callbacks_.writable != nullptr) callbacks_.writable(*this, callbacks_.context);
        }
    }

    loops::FileDescriptor fd_;
    TcpCallbacks callbacks_;
    bool connecting_;
    bool want_writable_ = false;
    bool* gone_ = nullptr;
    loops::Watcher watcher_;  // last: must go before the descriptor
};

class SystemListener final : public TcpListener {
  public:
    SystemListener(loops::Loop& loop,
                   loops::FileDescriptor fd,
                   AcceptFunction accept,
                   void* context)
        : fd_(std::move(fd)),
          accept_(accept),
          context_(context),
          watcher_(loop,
                   fd_.get(),
                   Interest::readable,
                   loops::watch_function<&SystemListener::ready, SystemListener>(),
                   this) {}

    ~SystemListener() override {
        if (gone_ != nullptr) *gone_ = true;
    }

    [[nodiscard]] Endpoint local() const override {
        SocketAddress address;
        address.length = sizeof address.storage;
        if (::getsockname(fd_.get(), address.get(), &address.length) != 0) return {};
        const HostPort parts = from_socket_address(address);
        return {parts.ip, parts.port, parts.scope};
    }

    SystemResult<void> add_key(const Md5Key& key) override {
        return install_md5_key(fd_.get(), key, false);
    }

    SystemResult<void> remove_key(const Md5Key& key) override {
        return install_md5_key(fd_.get(), key, true);
    }

  private:
    /// A burst of callers must not keep the loop from its other work.
    static constexpr int accepts_per_turn = 64;

    void ready(loops::Turn&, loops::Ready) {
        bool gone = false;
        bool* const outer = std::exchange(gone_, &gone);
        for (int i = 0; i < accepts_per_turn; ++i) {
            loops::FileDescriptor fd(
                ::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            // Aborted while queued, or out of descriptors: the next readiness tries again.
            if (!fd) break;
            const int on = 1;
            ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            accept_(std::make_unique<SystemConnection>(watcher_.loop(), std::move(fd), false),
                    context_);
            if (gone) {
                if (outer != nullptr) *outer = true;
                return;
            }
        }
        gone_ = outer;
    }

    loops::FileDescriptor fd_;
    AcceptFunction accept_;
    void* context_;
    bool* gone_ = nullptr;
    loops::Watcher watcher_;  // last: must go before the descriptor
};

SystemResult<loops::FileDescriptor> make_socket(bool v4, const SocketOptions& options) {
    loops::FileDescriptor fd(
        ::socket(v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
    if (!fd) return system_failure("socket", errno);
    const int on = 1;
    // Whole messages are handed over; waiting to join them would only delay keepalives.
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (auto done = apply_options(fd.get(), v4, options); !done) {
        return tl::unexpected<SystemError>(done.error());
    }
    return fd;
}

}  // namespace

SystemResult<std::unique_ptr<TcpConnection>> SystemNetwork::connect(loops::Loop& loop,
                                                                    const ConnectOptions& options,
                                                                    const TcpCallbacks& callbacks) {
    loop.domain().assert_held();
    const bool v4 = options.remote.address.is_v4();
    auto fd = make_socket(v4, options.socket);
    if (!fd) return tl::unexpected<SystemError>(fd.error());
    if (!options.local.is_unspecified() || options.local_port != 0) {
        const int on = 1;
        ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        net::IpAddress address = options.local;
        if (address.is_unspecified()) address = v4 ? net::IpAddress::v4(0) : net::IpAddress();
        const Endpoint local = {address, options.local_port, options.remote.interface_index};
        if (auto done = bind_socket(fd->get(), address, local); !done) {
            return tl::unexpected<SystemError>(done.error());
        }
    }
    const SocketAddress remote = to_socket_address(options.remote.address, options.remote.port,
                                                   options.remote.interface_index);
    if (::connect(fd->get(), remote.get(), remote.length) != 0 && errno != EINPROGRESS) {
        return system_failure("connect", errno);
    }
    auto connection = std::make_unique<SystemConnection>(loop, std::move(*fd), true);
    connection->set_callbacks(callbacks);
    return connection;
}

SystemResult<std::unique_ptr<TcpListener>> SystemNetwork::listen(loops::Loop& loop,
                                                                 const ListenOptions& options,
                                                                 AcceptFunction accept,
                                                                 void* context) {
    loop.domain().assert_held();
    const bool v4 = options.local.address.is_v4();
    auto fd = make_socket(v4, options.socket);
    if (!fd) return tl::unexpected<SystemError>(fd.error());
    const int on = 1;
    ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (!v4) {
        const int only = options.v6_only ? 1 : 0;
        if (::setsockopt(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) != 0) {
            return system_failure("set IPv6 only", errno);
        }
    }
    if (auto done = bind_socket(fd->get(), options.local.address, options.local); !done) {
        return tl::unexpected<SystemError>(done.error());
    }
    if (::listen(fd->get(), SOMAXCONN) != 0) return system_failure("listen", errno);
    return std::make_unique<SystemListener>(loop, std::move(*fd), accept, context);
}

}  // namespace tern::os
