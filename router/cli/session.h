#pragma once

/// One client of the control socket, without its socket: bytes in, bytes out.
/// Lines are executed strictly in order, the next only after the reply of the one before; a long
/// reply goes on in steps as its bytes leave, so memory per session is bounded by design.
/// Lives in the main loop. It never reads or writes a descriptor; the server does.

#include "router/cli/command.h"
#include "router/cli/command_context.h"
#include "router/cli/reply.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tern::cli {

/// Longest command line; more ends in `9000 Command too long` and the line is skipped.
inline constexpr std::size_t command_line_max = 4096;
/// Bytes of replies that may wait in a session; about a hundred lines above it at the worst.
inline constexpr std::size_t reply_bytes_max = 65536;

/// What a session needs of its surroundings.
class SessionOwner {
  public:
    virtual ~SessionOwner() = default;
    /// A waiting session can run again, or has bytes to send.
    virtual void session_ready(Session& session) = 0;
    /// For `debug commands`.
    virtual void command_received(Session& session, std::string_view line) = 0;
};

class Session {
  public:
    Session(const CommandTable& table, SessionOwner& owner, const Personality& personality);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Queues the greeting line.
    void greet();

    /// Takes bytes of the client, at most input_room(); executes nothing.
    void receive(std::span<const char> bytes);
    [[nodiscard]] std::size_t input_room() const;
    /// The client will send nothing more; what it has sent is still answered.
    void end_of_input();

    /// Executes lines and steps while there is room for output. True if it should be called again
    /// soon without new input (its share of work is done, not all work).
    [[nodiscard]] bool run();

    [[nodiscard]] std::string_view pending_output() const { return buffer_.pending(); }

    void sent(std::size_t bytes) { buffer_.sent(bytes); }

    /// A LongReply that waited can go on.
    void resume();
    /// Ends a running long reply with this line, e.g. `8004 Stopped due to reconfiguration`.
    void stop_long_reply(ReplyCode code, std::string_view text);
    /// The socket is gone. True if the session can be destroyed now, otherwise when done() is.
    [[nodiscard]] bool orphan();

    /// Asynchronous message to the client, `+text`.
    void notice(std::string_view text);
    /// All input answered and sent after end_of_input(), or an orphan whose last step ended.
    [[nodiscard]] bool done() const;

    [[nodiscard]] Personality& personality() { return personality_; }

    [[nodiscard]] bool has_long_reply() const { return long_reply_ != nullptr; }

    /// run() would do something if there were room for output.
    [[nodiscard]] bool runnable() const;

    [[nodiscard]] const CommandTable& table() const { return table_; }

  private:
    /// A line, or the rest of one that was too long.
    enum class Input : unsigned char { line, skipping };
    enum class Next : unsigned char { nothing, line, too_long };

    [[nodiscard]] Next next_line(std::string& line);
    [[nodiscard]] bool run_once();
    void execute(std::string_view line);
    void begin_reply(bool json);
    void step();
    void mute();

    const CommandTable& table_;
    SessionOwner& owner_;
    Personality personality_;
    ReplyBuffer buffer_;
    std::string input_;
    Input input_state_ = Input::line;
    bool input_ended_ = false;
    bool waiting_ = false;
    bool orphaned_ = false;
    bool in_step_ = false;
    bool resumed_ = false;
    bool muted_ = false;
    std::unique_ptr<Output> output_;
    std::unique_ptr<LongReply> long_reply_;
};

}  // namespace tern::cli
