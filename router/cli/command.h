#pragma once

/// Commands are rows: words, arguments, one line of help, a function, and what there is to explain.
/// Parser, help, completion and docs/cli.md read the same rows. The table is an object filled by
/// the daemon in one visible list; this folder knows no command but those of a session.
/// Built once in the main loop before the first session; read-only afterwards.

#include "router/cli/output.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tern::cli {

class CommandContext;

/// What a session that gave up its rights (`restrict`) may still use.
enum class Access : std::uint8_t { everyone, unrestricted };

/// A handler writes its reply to `context.out()` and ends it with finish() or done(), or leaves a
/// LongReply behind. It runs in the main loop and must not block.
using CommandHandler = void (*)(void* closure, CommandContext& context);

/// All texts are literals or live as long as the table.
struct Command {
    std::string_view words;      ///< Full lower-case words, e.g. `show route`.
    std::string_view arguments;  ///< Grammar for help, e.g. `[<prefix>] [table <t>]`.
    std::string_view help;       ///< One line, without full stop.
    Access access = Access::everyone;
    CommandHandler handler = nullptr;
    void* closure = nullptr;
    /// Only stands in help for all rows that begin with its words, e.g. `show`.
    bool heading = false;
    /// What the arguments mean and what to expect, for docs/cli.md; Markdown, may be empty.
    std::string_view details = {};
};

/// What a long answer asks for after a step.
enum class Step : std::uint8_t {
    more,      ///< Call again: the output was full, or the step's share of time is over.
    wait,      ///< Something elsewhere is asked; Session::resume() will be called by its answer.
    finished,  ///< The reply has ended; the object can go.
};

/// An answer too long or too late for one call. Owned by the session. It must stop a step when the
/// output is full or after about a millisecond.
class LongReply {
  public:
    LongReply() = default;
    LongReply(const LongReply&) = delete;
    LongReply& operator=(const LongReply&) = delete;
    virtual ~LongReply() = default;

    [[nodiscard]] virtual Step step(Output& out) = 0;

    /// The client is gone, or the reply is stopped. True: destroy me now. False: something still
    /// refers to me; the session stays without its socket until resume() finds step() finished
    /// (output goes nowhere from now on).
    [[nodiscard]] virtual bool cancel() { return true; }
};

class CommandTable {
  public:
    /// Two rows with the same words are a bug.
    void add(const Command& command);
    void add(std::span<const Command> commands);

    /// Rows in order of words.
    [[nodiscard]] std::span<const Command> rows() const { return rows_; }

  private:
    std::vector<Command> rows_;
};

}  // namespace tern::cli
