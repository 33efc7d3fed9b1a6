#pragma once

/// The client's end of the control socket: connect, send a line, wait for lines.
/// Blocking, for one thread; owns the descriptor.
/// It knows framing, no commands.

#include "router/base/result.h"
#include "router/client/reply_reader.h"

#include <optional>
#include <string>
#include <string_view>

namespace tern::client {

class Connection {
  public:
    /// The error is what the user sees.
    [[nodiscard]] static Result<Connection> open(const std::string& path);

    Connection(Connection&& other) noexcept;
    Connection& operator=(Connection&&) = delete;
    ~Connection();

    /// False if the server is gone.
    [[nodiscard]] bool send_line(std::string_view line);
    /// Waits for the next line; none if the server is gone.
    [[nodiscard]] std::optional<ReplyLine> receive();
    /// A line that is here already, after one read without waiting.
    [[nodiscard]] std::optional<ReplyLine> poll();

    [[nodiscard]] int descriptor() const { return fd_; }

    [[nodiscard]] bool closed() const { return closed_; }

  private:
    explicit Connection(int fd) : fd_(fd) {}

    void read_some(int flags);

    int fd_;
    bool closed_ = false;
    ReplyReader reader_;
};

}  // namespace tern::client
