#pragma once

/// The control sockets: the main one, and those of `cli "path" { … }` statements.
/// Owned by the daemon, lives in the main loop with all of its sessions. A client that vanishes
/// frees its descriptor at once and the rest when its running command has ended.
/// It never blocks and never writes to a log; what happens is told to ServerEvents.

#include "loops/event.h"
#include "loops/loop.h"
#include "router/base/result.h"
#include "router/cli/session.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tern::cli {

/// Told by the server, in the main loop.
class ServerEvents {
  public:
    virtual ~ServerEvents() = default;
    virtual void client_connected() = 0;
    virtual void client_gone() = 0;
    virtual void command_received(std::string_view line) = 0;
    /// accept() or a socket operation failed.
    virtual void server_error(std::string_view text) = 0;
};

/// Who owns the file of a control socket; negative: left as it is.
struct SocketOwner {
    std::int64_t user = -1;
    std::int64_t group = -1;
};

/// True if something answers on that path, so another daemon is running.
[[nodiscard]] bool control_socket_answers(const std::string& path);

class Server {
  public:
    Server(loops::Loop& loop, const CommandTable& table, ServerEvents& events);
    /// Closes all sockets and unlinks their files. Long replies must be cancellable at once by then
    /// (see drain()).
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Unlinks a stale socket, binds, mode 0660. Errors: text with errno.
    [[nodiscard]] Result<void> open(const std::string& path,
                                    SocketOwner owner,
                                    const Personality& personality);
    /// Stops listening there and unlinks the file; its sessions go on.
    void close(std::string_view path);

    /// Ends running long replies with this line: they may refer to a configuration that goes.
    void stop_long_replies(ReplyCode code, std::string_view text);
    /// `+TEXT` to the sessions that wait for the end of a trial (`told_of_undo`).
    void notice_undo(std::string_view text);
    /// Sends what is queued as far as sockets take it, then drops every session that can go.
    /// True if none is left.
    [[nodiscard]] bool drain();
    [[nodiscard]] std::size_t session_count() const;

  private:
    struct Listener;
    class Client;

    void add_client(int fd, const Personality& personality);
    void reap();

    void reap_soon() { (void)reap_event_.send(loop_); }

    loops::Loop& loop_;
    const CommandTable& table_;
    ServerEvents& events_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::vector<std::unique_ptr<Client>> clients_;
    loops::Event reap_event_;
};

}  // namespace tern::cli
