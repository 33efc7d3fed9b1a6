#pragma once

/// What the client knows of commands: rows asked from the daemon, and those of its own.
/// It expands abbreviations before a line is sent, lists help, and completes words. Owned by the
/// client; filled once. A daemon that cannot list its commands leaves it empty: then lines are
/// sent as they are.

#include "router/cli/command.h"
#include "router/cli/command_parser.h"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace tern::client {

/// The daemon's word in front of any command whose reply is to be a JSON document.
inline constexpr std::string_view json_prefix = "json ";

class CommandList {
  public:
    CommandList();

    /// A row of `show commands`: words, arguments and description with tabs between.
    void add_row(std::string_view row);

    [[nodiscard]] bool known() const { return known_; }

    /// What is sent for a line, or in `error` the message for the user.
    [[nodiscard]] Result<std::string> expand(std::string_view line) const;
    /// Lines of help for what can follow.
    [[nodiscard]] std::vector<std::string> help(std::string_view line) const;
    [[nodiscard]] std::vector<std::string_view> complete(std::string_view line) const;
    /// The line's words are those of a command, so an argument can follow.
    [[nodiscard]] bool at_argument(std::string_view line) const;

  private:
    void add(std::string words, std::string arguments, std::string help);

    std::deque<std::string> texts_;
    cli::CommandTable table_;
    bool known_ = false;
};

}  // namespace tern::client
