#include "router/client/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace tern::client {

Result<Connection> Connection::open(const std::string& path) {
    const std::string what = "Unable to connect to server control socket (" + path + "): ";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return fail(what + std::strerror(ENAMETOOLONG));
    std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return fail(std::string("Cannot create socket: ") + std::strerror(errno));
    Connection connection(fd);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail(what + std::strerror(errno));
    }
    return connection;
}

Connection::Connection(Connection&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      closed_(other.closed_),
      reader_(std::move(other.reader_)) {}

Connection::~Connection() {
    if (fd_ >= 0) ::close(fd_);
}

bool Connection::send_line(std::string_view line) {
    std::string bytes(line);
    bytes += '\n';
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const ssize_t sent = ::send(fd_, rest.data(), rest.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) {
            closed_ = true;
            return false;
        }
        rest.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

void Connection::read_some(int flags) {
    std::array<char, 65536> bytes;
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), flags);
    if (got > 0) {
        reader_.feed(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    } else if (got == 0 || (errno != EINTR && errno != EAGAIN)) {
        closed_ = true;
    }
}

std::optional<ReplyLine> Connection::receive() {
    while (true) {
        std::optional<ReplyLine> line = reader_.next();
        if (line || closed_) return line;
        read_some(0);
    }
}

std::optional<ReplyLine> Connection::poll() {
    std::optional<ReplyLine> line = reader_.next();
    if (line || closed_) return line;
    read_some(MSG_DONTWAIT);
    return reader_.next();
}

}  // namespace tern::client
