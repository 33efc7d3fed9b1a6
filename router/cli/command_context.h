#pragma once

/// What a command's handler gets: where to write, who asks, and the arguments.
/// Lives on the stack of the session for one call; handlers keep nothing of it, but may leave a
/// LongReply, which gets the output again with each step.

#include "router/base/result.h"
#include "router/base/time_format.h"
#include "router/cli/command.h"

#include <memory>
#include <optional>
#include <string_view>

namespace tern::cli {

class Session;

/// How a session wants its replies; a new session copies it from its socket.
struct Personality {
    bool restricted = false;
    /// `show route all` with BIRD 2's attribute names.
    bool v2_attributes = false;
    bool json = false;
    /// It has put a configuration on trial and wants to hear if that ends.
    bool told_of_undo = false;
    /// `timeformat` of this session; without it the configured formats hold.
    std::optional<TimeFormat> time_format;
};

class CommandContext {
  public:
    CommandContext(Output& out, Session& session, std::string_view arguments)
        : out_(out), session_(session), arguments_(arguments) {}

    [[nodiscard]] Output& out() { return out_; }

    [[nodiscard]] Session& session() { return session_; }

    [[nodiscard]] Personality& personality();

    /// The text behind the command's words, without blanks around it. Handlers parse it with
    /// config::Parser in the scope of the running configuration.
    [[nodiscard]] std::string_view arguments() const { return arguments_; }

    /// Ends the reply with `9001 TEXT`.
    void fail_parse(const Error& error) { out_.finish(ReplyCode::parse_error, error.text); }

    /// Ends the reply with `9001 syntax error, unexpected X` if there are arguments; true if none.
    [[nodiscard]] bool expect_no_arguments();

    /// Leaves an answer that goes on in steps.
    void continue_with(std::unique_ptr<LongReply> reply) { long_reply_ = std::move(reply); }

    [[nodiscard]] std::unique_ptr<LongReply> take_long_reply() { return std::move(long_reply_); }

  private:
    Output& out_;
    Session& session_;
    std::string_view arguments_;
    std::unique_ptr<LongReply> long_reply_;
};

}  // namespace tern::cli
