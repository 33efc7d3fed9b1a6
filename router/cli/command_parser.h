#pragma once

/// From a line to a row of the command table, and from a prefix of a line to completions and help.
/// Pure. Full words always win; an unambiguous abbreviation is taken where only a command word can
/// stand, so that it never hides an argument. BIRD takes full words only; this is a superset.

#include "router/base/result.h"
#include "router/cli/command.h"

#include <string>
#include <string_view>
#include <vector>

namespace tern::cli {

struct ParsedCommand {
    const Command* command = nullptr;
    std::string_view arguments;
};

/// The longest row whose words begin the line. Errors are the texts of `9001` replies.
[[nodiscard]] Result<ParsedCommand> parse_command(const CommandTable& table, std::string_view line);

/// The line with its command words in full, for clients that expand before they send: there an
/// abbreviation may also stand where an argument could, as in `show protocols al`. The error is
/// empty for an unknown command and has the possible words for an ambiguous one.
[[nodiscard]] Result<std::string> expand_command(const CommandTable& table, std::string_view line);

/// Words that can follow `line` (whose last word may be incomplete), in order, each once.
[[nodiscard]] std::vector<std::string_view> complete_command(const CommandTable& table,
                                                             std::string_view line);

/// The rows that `line` can still become, for `?`.
[[nodiscard]] std::vector<const Command*> matching_commands(const CommandTable& table,
                                                            std::string_view line);

/// Name of the token at the start of `text`, as syntax errors name it: END, NUM, TEXT,
/// CF_SYM_UNDEFINED or the character in quotes.
[[nodiscard]] std::string unexpected_token(std::string_view text);

}  // namespace tern::cli
