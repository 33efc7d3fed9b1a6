#include "router/cli/command.h"

#include "locking/check.h"
#include "router/cli/reply.h"

#include <algorithm>

namespace tern::cli {
namespace {

/// `show commands` shows a row as one line of a reply.
constexpr std::size_t help_line_max = reply_line_max - 16;

}  // namespace

void CommandTable::add(const Command& command) {
    TERN_ASSERT(!command.words.empty(), "a command without words");
    const std::size_t length =
        command.words.size() + command.arguments.size() + command.help.size();
    TERN_ASSERT(length < help_line_max, "too long for a line of help: ", command.words);
    const auto place = std::lower_bound(
        rows_.begin(), rows_.end(), command,
        [](const Command& left, const Command& right) { return left.words < right.words; });
    TERN_ASSERT(place == rows_.end() || place->words != command.words,
                "two commands with the same words: ", command.words);
    rows_.insert(place, command);
}

void CommandTable::add(std::span<const Command> commands) {
    for (const Command& command : commands)
        add(command);
}

}  // namespace tern::cli
