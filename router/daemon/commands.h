#pragma once
/// The router's commands, one table per file: what is shown, what is ordered, how it is configured.
/// Handlers run in the main loop with its domain held; their closure is the Router.
/// Called once, when a Router is made.

#include "router/cli/command.h"
#include "router/cli/command_context.h"
#include "router/config/parse_config.h"

#include <string>
#include <string_view>
#include <vector>

namespace tern::daemon {

class Router;

void add_commands(Router& router);

void add_status_commands(Router& router);
void add_thread_commands(Router& router);
void add_dump_commands(Router& router);
void add_control_commands(Router& router);
void add_configure_commands(Router& router);
void add_route_commands(Router& router);

/// The arguments of a command as a parser in the scope of the running configuration; ends the reply
/// with `9001` itself when they do not parse.
class Arguments {
  public:
    Arguments(Router& router, cli::CommandContext& context);

    [[nodiscard]] config::Parser& parser() { return text_.parser(); }

    /// Nothing may follow; false (and the reply is ended) if something does or an error was met.
    [[nodiscard]] bool finish();

    /// `NAME`, `"PATTERN"` or `all`: the names of the instances meant. Empty: the reply is ended.
    [[nodiscard]] std::vector<std::string> protocols(Router& router);
    /// A quoted text if there is one.
    [[nodiscard]] std::string optional_text();

  private:
    cli::CommandContext& context_;
    config::CommandText text_;
};

/// The Router behind a handler's closure.
[[nodiscard]] inline Router& router_of(void* closure) {
    return *static_cast<Router*>(closure);
}

}  // namespace tern::daemon
