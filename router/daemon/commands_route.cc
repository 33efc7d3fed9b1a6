#include "router/config/parse_filter.h"
#include "router/daemon/commands.h"
#include "router/daemon/router.h"

namespace tern::daemon {

namespace {

using cli::CommandContext;
using cli::Field;
using cli::ReplyCode;

/// `eval TERM`: a term without a route.
void evaluate(void* closure, CommandContext& context) {
    Router& router = router_of(closure);
    Arguments arguments(router, context);
    auto& language = static_cast<config::FilterSyntax&>(arguments.parser().language());
    const attr::Value value =
        language.evaluate(arguments.parser(), &router.filter_environment());
    if (!arguments.finish()) return;
    const std::string text = attr::to_text(value);
    context.out().fields({Field{"value", text}});
    context.out().finish(ReplyCode::evaluation, text);
}

}  // namespace

void add_route_commands(Router& router) {
    const cli::Command rows[] = {
        {"eval", "<expr>", "Evaluate an expression", cli::Access::everyone, evaluate, &router},
    };
    router.commands().add(rows);
}

}  // namespace tern::daemon
