#include "router/cli/server.h"

#include "loops/file_descriptor.h"
#include "loops/time.h"
#include "loops/timer.h"
#include "loops/watcher.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tern::cli {
namespace {

constexpr int backlog = 64;
constexpr int accepts_per_turn = 16;
/// How long a listener rests when the process has run out of descriptors.
constexpr loops::Duration accept_rest = loops::Duration::from_microseconds(1'000'000);

std::string errno_text(std::string_view what, const std::string& path) {
    return std::string(what) + " " + path + ": " + std::strerror(errno);
}

Result<sockaddr_un> socket_address(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof(address.sun_path)) {
        return fail("Control socket path is empty or too long: " + path);
    }
    std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
    return address;
}

const sockaddr* as_sockaddr(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

/// Only sockets are removed: a wrong path in the configuration must not cost a file.
void unlink_socket(const std::string& path) {
    struct stat status {};

    if (::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode)) ::unlink(path.c_str());
}

bool is_temporary(int error) {
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

Result<loops::FileDescriptor> make_listener(const std::string& path, SocketOwner owner) {
    const Result<sockaddr_un> address = socket_address(path);
    if (!address) return tl::unexpected<Error>(address.error());
    loops::FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return fail(errno_text("Cannot create control socket", path));
    unlink_socket(path);
    // The mode of the socket bounds the mode of its file, so nobody gets in before chmod().
    constexpr mode_t mode = 0660;
    (void)::fchmod(fd.get(), mode);
    if (::bind(fd.get(), as_sockaddr(*address), sizeof(*address)) != 0) {
        return fail(errno_text("Cannot create control socket", path));
    }
    const bool given = owner.user >= 0 || owner.group >= 0;
    if (given &&
        ::chown(path.c_str(),
                owner.user >= 0 ? static_cast<uid_t>(owner.user) : static_cast<uid_t>(-1),
                owner.group >= 0 ? static_cast<gid_t>(owner.group) : static_cast<gid_t>(-1)) != 0) {
        return fail(errno_text("Cannot change owner of control socket", path));
    }
    if (::chmod(path.c_str(), mode) != 0) {
        return fail(errno_text("Cannot change mode of control socket", path));
    }
    if (::listen(fd.get(), backlog) != 0) {
        return fail(errno_text("Cannot listen on control socket", path));
    }
    return fd;
}

}  // namespace

bool control_socket_answers(const std::string& path) {
    const Result<sockaddr_un> address = socket_address(path);
    if (!address) return false;
    const loops::FileDescriptor fd(
        ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return false;
    // A full backlog also means that somebody listens.
    return ::connect(fd.get(), as_sockaddr(*address), sizeof(*address)) == 0 || errno == EAGAIN;
}

// --- clients ------------------------------------------------------------------------------------

class Server::Client final : public SessionOwner {
  public:
    Client(Server& server, int fd, const Personality& personality)
        : server_(server),
          fd_(fd),
          session_(server.table_, *this, personality),
          watcher_(std::in_place,
                   server.loop_,
                   fd,
                   loops::Interest::readable,
                   loops::watch_function<&Client::ready, Client>(),
                   this),
          run_event_(loops::callback<&Client::run>(*this)) {
        session_.greet();
        run();
    }

    void session_ready(Session&) override { (void)run_event_.send(server_.loop_); }

    void command_received(Session&, std::string_view line) override {
        server_.events_.command_received(line);
    }

    [[nodiscard]] Session& session() { return session_; }

    [[nodiscard]] bool gone() const { return gone_; }

    [[nodiscard]] bool removable() const { return gone_ && session_.done(); }

    /// The socket goes at once; the session when nothing refers to it any more.
    void close() {
        if (!watcher_) return;
        watcher_.reset();
        fd_.reset();
        (void)session_.orphan();
    }

    void leave() {
        gone_ = true;
        server_.reap_soon();
    }

    bool flush() {
        while (!session_.pending_output().empty()) {
            const std::string_view bytes = session_.pending_output();
            const ssize_t sent =
                ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0) return is_temporary(errno);
            session_.sent(static_cast<std::size_t>(sent));
            if (static_cast<std::size_t>(sent) < bytes.size()) return true;
        }
        return true;
    }

  private:
    void ready(loops::Turn&, loops::Ready ready) {
        if (gone_) return;
        if (ready.readable || ready.hangup) receive();
        if (ready.hangup || ready.error) {
            // What it asked before it left is done, such as `configure`; nobody reads the answer.
            (void)session_.run();
            leave();
            return;
        }
        run();
    }

    void receive() {
        std::array<char, command_line_max + 1> bytes;
        const std::size_t room = session_.input_room();
        if (room == 0 || input_ended_) return;
        const ssize_t got = ::recv(fd_.get(), bytes.data(), room, MSG_DONTWAIT);
        if (got > 0) {
            session_.receive(std::span<const char>(bytes.data(), static_cast<std::size_t>(got)));
        } else if (got == 0 || !is_temporary(errno)) {
            input_ended_ = true;
            session_.end_of_input();
        }
    }

    void run() {
        if (!watcher_) {
            // An orphan's last operation ended.
            if (session_.run()) (void)run_event_.send(server_.loop_);
            if (session_.done()) server_.reap_soon();
            return;
        }
        if (gone_) return;
        (void)session_.run();
        if (!flush() || session_.done()) {
            leave();
            return;
        }
        const bool waits = !session_.pending_output().empty();
        // Other loops and sessions have their turn in between.
        if (!waits && session_.runnable()) (void)run_event_.send(server_.loop_);
        const bool reads = !input_ended_ && session_.input_room() > 0;
        const loops::Interest interest =
            (reads ? loops::Interest::readable : loops::Interest::none) |
            (waits ? loops::Interest::writable : loops::Interest::none);
        if (interest != watcher_->interest()) watcher_->set_interest(interest);
    }

    Server& server_;
    loops::FileDescriptor fd_;
    Session session_;
    std::optional<loops::Watcher> watcher_;
    loops::Event run_event_;
    bool gone_ = false;
    bool input_ended_ = false;
};

// --- listeners ----------------------------------------------------------------------------------

struct Server::Listener {
    Listener(Server& owner, loops::FileDescriptor descriptor, std::string at, Personality manner)
        : server(owner),
          fd(std::move(descriptor)),
          path(std::move(at)),
          personality(std::move(manner)),
          watcher(server.loop_,
                  fd.get(),
                  loops::Interest::readable,
                  loops::watch_function<&Listener::ready, Listener>(),
                  this),
          rest(server.loop_, loops::callback<&Listener::rested>(*this)) {}

    void ready(loops::Turn&, loops::Ready) {
        for (int i = 0; i < accepts_per_turn; ++i) {
            const int client = ::accept4(fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (client >= 0) {
                server.add_client(client, personality);
                continue;
            }
            if (is_temporary(errno) || errno == ECONNABORTED) return;
            server.events_.server_error(errno_text("Cannot accept on control socket", path));
            watcher.set_interest(loops::Interest::none);
            rest.in(accept_rest);
            return;
        }
    }

    void rested() { watcher.set_interest(loops::Interest::readable); }

    Server& server;
    loops::FileDescriptor fd;
    std::string path;
    Personality personality;
    loops::Watcher watcher;
    loops::Timer rest;
};

// --- the server ---------------------------------------------------------------------------------

Server::Server(loops::Loop& loop, const CommandTable& table, ServerEvents& events)
    : loop_(loop),
      table_(table),
      events_(events),
      reap_event_(loops::callback<&Server::reap>(*this)) {}

Server::~Server() {
    for (const std::unique_ptr<Listener>& listener : listeners_)
        unlink_socket(listener->path);
    for (const std::unique_ptr<Client>& client : clients_)
        client->close();
}

Result<void> Server::open(const std::string& path,
                          SocketOwner owner,
                          const Personality& personality) {
    Result<loops::FileDescriptor> fd = make_listener(path, owner);
    if (!fd) return tl::unexpected<Error>(fd.error());
    listeners_.push_back(std::make_unique<Listener>(*this, *std::move(fd), path, personality));
    return {};
}

void Server::close(std::string_view path) {
    std::erase_if(listeners_, [&](const std::unique_ptr<Listener>& listener) {
        if (listener->path != path) return false;
        unlink_socket(listener->path);
        return true;
    });
}

void Server::add_client(int fd, const Personality& personality) {
    events_.client_connected();
    clients_.push_back(std::make_unique<Client>(*this, fd, personality));
}

void Server::reap() {
    for (const std::unique_ptr<Client>& client : clients_) {
        if (client->gone()) client->close();
    }
    const std::size_t left = std::erase_if(
        clients_, [](const std::unique_ptr<Client>& client) { return client->removable(); });
    for (std::size_t i = 0; i < left; ++i)
        events_.client_gone();
}

void Server::stop_long_replies(ReplyCode code, std::string_view text) {
    for (const std::unique_ptr<Client>& client : clients_) {
        client->session().stop_long_reply(code, text);
    }
}

void Server::notice_undo(std::string_view text) {
    for (const std::unique_ptr<Client>& client : clients_) {
        Session& session = client->session();
        if (!session.personality().told_of_undo) continue;
        session.personality().told_of_undo = false;
        session.notice(text);
    }
}

bool Server::drain() {
    for (const std::unique_ptr<Client>& client : clients_) {
        if (!client->gone()) (void)client->flush();
        client->leave();
    }
    reap();
    return clients_.empty();
}

std::size_t Server::session_count() const {
    return clients_.size();
}

}  // namespace tern::cli
