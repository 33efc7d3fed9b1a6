// Rows P15 and P16: TCP echo over the loopback, server and client in two threads of one process.

#include "loops/file_descriptor.h"
#include "loops/watcher.h"
#include "stress/bench/loops_fixture.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <thread>

#include <arpa/inet.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tern::bench {
namespace {

using loops::FileDescriptor;

constexpr std::size_t message_bytes = 64;
using Message = std::array<char, message_bytes>;

struct Workload {
    std::size_t connections;
    std::size_t messages;  ///< each
};

constexpr Workload many{.connections = 64, .messages = 300};
constexpr Workload one{.connections = 1, .messages = 2000};

void no_delay(int fd) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// A listening socket on the loopback and the way to it.
struct Listener {
    Listener() : fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
        if (::listen(fd.get(), 128) != 0) std::abort();
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size);
    }

    FileDescriptor fd;
    sockaddr_in address{};
};

/// Sends on all connections and answers each echo with the next message, in a thread of its own.
struct Client {
    Client(const sockaddr_in& address_, Workload workload_, const Placement& placement_)
        : address(address_),
          workload(workload_),
          placement(placement_),
          thread([this] { run(); }) {}

    void run() {
        placement.take(1);
        const FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
        std::vector<FileDescriptor> connections;
        std::vector<std::size_t> left(workload.connections, workload.messages);
        Message message{};
        for (std::size_t i = 0; i < workload.connections; ++i) {
            FileDescriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address))
                std::abort();
            no_delay(fd.get());
            epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
            epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &event);
            connections.push_back(std::move(fd));
        }
        start = Clock::now();
        for (const FileDescriptor& fd : connections)
            ::send(fd.get(), message.data(), message.size(), 0);
        std::size_t open = workload.connections;
        std::array<epoll_event, 64> events;
        while (open > 0) {
            const int found = epoll_wait(epoll.get(), events.data(), 64, -1);
            for (int i = 0; i < found; ++i) {
                const std::size_t at = events[static_cast<std::size_t>(i)].data.u64;
                const int fd = connections[at].get();
                ::recv(fd, message.data(), message.size(), MSG_WAITALL);
                if (--left[at] > 0) {
                    ::send(fd, message.data(), message.size(), 0);
                } else {
                    connections[at] = FileDescriptor();
                    --open;
                }
            }
        }
        ns = ns_since(start);
    }

    sockaddr_in address;
    Workload workload;
    const Placement& placement;
    Clock::time_point start;
    double ns = 0;
    std::thread thread;
};

/// Runs `serve(listener, connections)` beside a client; microseconds per message: of CPU at both
/// ends for many connections, of time for one.
template <class F>
Sample echo(Workload workload, Cores cores, F&& serve) {
    const Placement placement(cores);
    placement.take(0);  // what threads the server makes are there as well
    const Listener listener;
    const double cpu = cpu_seconds();
    Client client(listener.address, workload, placement);
    serve(listener.fd.get(), workload.connections);
    client.thread.join();
    const double messages = static_cast<double>(workload.connections * workload.messages);
    if (workload.connections == 1) return client.ns / messages / 1000;
    return (cpu_seconds() - cpu) * 1e6 / messages;
}

/// Echoes one message; false when the peer has closed.
bool echo_once(int fd) {
    Message message;
    const ssize_t got = ::recv(fd, message.data(), message.size(), MSG_DONTWAIT);
    if (got < 0) return true;
    if (got == 0) return false;
    ::send(fd, message.data(), static_cast<std::size_t>(got), 0);
    return true;
}

// ---- tern ----

class TernServer {
  public:
    TernServer(int listener, std::size_t connections, loops::GroupKind kind)
        : machine_(options(kind)), loop_(machine_.group, "server"), left_(connections) {
        machine_.run([&](loops::Turn&) {
            const loops::LoopEntry entry(loop_.loop);
            listener_.emplace(loop_.loop, listener, loops::Interest::readable,
                              loops::watch_function<&TernServer::accept, TernServer>(), this);
        });
        const loops::LoopEntry entry(loop_.loop);
        listener_.reset();
    }

  private:
    struct Connection {
        Connection(TernServer& server_, int fd_)
            : server(server_),
              fd(fd_),
              watcher(std::in_place,
                      server_.loop_.loop,
                      fd_,
                      loops::Interest::readable,
                      loops::watch_function<&Connection::ready, Connection>(),
                      this) {}

        void ready(loops::Turn&, loops::Ready) {
            if (echo_once(fd.get())) return;
            TernServer& owner = server;
            watcher.reset();
            if (--owner.left_ == 0) owner.finished_.event.send(owner.machine_.runtime.main_loop());
        }

        TernServer& server;
        FileDescriptor fd;
        std::optional<loops::Watcher> watcher;
    };

    static loops::GroupOptions options(loops::GroupKind kind) {
        loops::GroupOptions result = workers(1);
        result.kind = kind;
        return result;
    }

    void accept(loops::Turn&, loops::Ready) {
        const int fd = ::accept4(listener_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        no_delay(fd);
        connections_.emplace_back(*this, fd);
    }

    Machine machine_;
    OwnLoop loop_;
    std::size_t left_;
    std::optional<loops::Watcher> listener_;
    std::deque<Connection> connections_;
    Job finished_{[this](loops::Turn&) { machine_.runtime.quit(); }};
};

// ---- peers ----

void epoll_serve(int listener, std::size_t left) {
    const FileDescriptor epoll(epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLIN, .data = {.fd = listener}};
    epoll_ctl(epoll.get(), EPOLL_CTL_ADD, listener, &event);
    std::array<epoll_event, 64> events;
    while (left > 0) {
        const int found = epoll_wait(epoll.get(), events.data(), 64, -1);
        for (int i = 0; i < found; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                const int child = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
                no_delay(child);
                event.data.fd = child;
                epoll_ctl(epoll.get(), EPOLL_CTL_ADD, child, &event);
            } else if (!echo_once(fd)) {
                ::close(fd);
                --left;
            }
        }
    }
}

class AsioServer {
  public:
    AsioServer(int listener, std::size_t connections)
        : acceptor_(context_, boost::asio::ip::tcp::v4(), ::dup(listener)), left_(connections) {
        accept();
        context_.run();
    }

  private:
    using Socket = boost::asio::ip::tcp::socket;

    struct Connection {
        Connection(AsioServer& server_, Socket socket_)
            : server(server_), socket(std::move(socket_)) {
            read();
        }

        void read() {
            socket.async_read_some(boost::asio::buffer(message),
                                   [this](const boost::system::error_code& error, std::size_t got) {
                                       if (error) {
                                           socket.close();
                                           if (--server.left_ == 0) server.context_.stop();
                                       } else {
                                           write(got);
                                       }
                                   });
        }

        void write(std::size_t bytes) {
            boost::asio::async_write(socket, boost::asio::buffer(message.data(), bytes),
                                     [this](auto, std::size_t) { read(); });
        }

        AsioServer& server;
        Socket socket;
        Message message{};
    };

    void accept() {
        acceptor_.async_accept([this](const boost::system::error_code& error, Socket socket) {
            if (error) return;
            socket.set_option(boost::asio::ip::tcp::no_delay(true));
            connections_.emplace_back(*this, std::move(socket));
            accept();
        });
    }

    boost::asio::io_context context_{1};
    boost::asio::ip::tcp::acceptor acceptor_;
    std::size_t left_;
    std::deque<Connection> connections_;
};

#ifdef TERN_BENCH_LIBEVENT
class LibeventServer {
  public:
    LibeventServer(int listener, std::size_t connections)
        : base_(event_base_new()), left_(connections) {
        event* const accepting = event_new(base_, listener, EV_READ | EV_PERSIST, accept, this);
        event_add(accepting, nullptr);
        event_base_dispatch(base_);
        event_free(accepting);
        event_base_free(base_);
    }

  private:
    struct Connection {
        LibeventServer* server;
        event* ready;
    };

    static void accept(evutil_socket_t listener, short, void* context) {
        auto& self = *static_cast<LibeventServer*>(context);
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        no_delay(fd);
        Connection& connection = self.connections_.emplace_back();
        connection.server = &self;
        connection.ready = event_new(self.base_, fd, EV_READ | EV_PERSIST, ready, &connection);
        event_add(connection.ready, nullptr);
    }

    static void ready(evutil_socket_t fd, short, void* context) {
        if (echo_once(fd)) return;
        auto& connection = *static_cast<Connection*>(context);
        event_free(connection.ready);
        ::close(fd);
        LibeventServer& server = *connection.server;
        if (--server.left_ == 0) event_base_loopbreak(server.base_);
    }

    event_base* base_;
    std::size_t left_;
    std::deque<Connection> connections_;
};
#endif

#ifdef TERN_BENCH_LIBUV
class UvServer {
  public:
    UvServer(int listener, std::size_t connections) : left_(connections) {
        uv_loop_init(&loop_);
        uv_poll_init(&loop_, &accepting_, listener);
        accepting_.data = this;
        uv_poll_start(&accepting_, UV_READABLE, accept);
        uv_run(&loop_, UV_RUN_DEFAULT);
        uv_loop_close(&loop_);
    }

  private:
    static void accept(uv_poll_t* handle, int, int) {
        auto& self = *static_cast<UvServer*>(handle->data);
        uv_os_fd_t listener = -1;
        uv_fileno(reinterpret_cast<uv_handle_t*>(handle), &listener);
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) return;
        no_delay(fd);
        uv_poll_t& connection = self.connections_.emplace_back();
        uv_poll_init(&self.loop_, &connection, fd);
        connection.data = &self;
        uv_poll_start(&connection, UV_READABLE, ready);
    }

    static void ready(uv_poll_t* handle, int, int) {
        uv_os_fd_t fd = -1;
        uv_fileno(reinterpret_cast<uv_handle_t*>(handle), &fd);
        if (echo_once(fd)) return;
        auto& self = *static_cast<UvServer*>(handle->data);
        uv_poll_stop(handle);
        uv_close(reinterpret_cast<uv_handle_t*>(handle), nullptr);
        ::close(fd);
        if (--self.left_ == 0) {
            uv_close(reinterpret_cast<uv_handle_t*>(&self.accepting_), nullptr);
        }
    }

    uv_loop_t loop_{};
    uv_poll_t accepting_{};
    std::size_t left_;
    std::deque<uv_poll_t> connections_;
};
#endif

void add_servers(Row& row, Workload workload, Cores cores, loops::GroupKind kind) {
    const auto add = [&](std::string_view name, auto serve) {
        row.add(name, [workload, cores, serve] { return echo(workload, cores, serve); });
    };
    add("tern", [kind](int listener, std::size_t n) { TernServer(listener, n, kind); });
    add("epoll", epoll_serve);
    add("asio", [](int listener, std::size_t n) { AsioServer(listener, n); });
#ifdef TERN_BENCH_LIBUV
    add("libuv", [](int listener, std::size_t n) { UvServer(listener, n); });
#else
    row.leave_out("libuv", "not installed");
#endif
#ifdef TERN_BENCH_LIBEVENT
    add("libevent", [](int listener, std::size_t n) { LibeventServer(listener, n); });
#else
    row.leave_out("libevent", "not installed");
#endif
}

}  // namespace

void add_socket_rows(Suite& suite) {
    add_servers(suite.add({.id = "P15",
                           .group = "sockets",
                           .text = "TCP echo, 64 connections, CPU per message of both ends",
                           .unit = "us",
                           .target = {.ratio = 1.02, .peer = "epoll"},
                           .rounds = 10}),
                many, Cores::any, loops::GroupKind::worker);
    add_servers(suite.add({.id = "P16",
                           .group = "sockets",
                           .text = "TCP echo, 1 connection, low-latency class, both ends on a core "
                                   "of their own, time per message",
                           .unit = "us",
                           .target = {.value = 30, .ratio = 0.4, .peer = "epoll"},
                           .rounds = 10}),
                one, Cores::two, loops::GroupKind::latency);
    add_servers(suite.add({.id = "P16-one-core",
                           .group = "sockets",
                           .text = "the same with both ends on one core",
                           .unit = "us",
                           .target = {.ratio = 1.02, .peer = "epoll"},
                           .rounds = 10}),
                one, Cores::one, loops::GroupKind::latency);
}

}  // namespace tern::bench
