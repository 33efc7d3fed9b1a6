#include "router/config/values.h"
#include "router/daemon/commands.h"
#include "router/daemon/router.h"

#include <fmt/format.h>

namespace tern::daemon {

namespace {

using cli::CommandContext;
using cli::Field;
using cli::ReplyCode;
using engine::OrderResult;

using Order = OrderResult (engine::Supervisor::*)(std::string_view, std::string_view);

struct OrderText {
    ReplyCode done;
    std::string_view done_text;
    ReplyCode already;
    std::string_view already_text;
};

/// `enable|disable|restart P ["MESSAGE"]`: one line per protocol, then the usual end.
void give_order(Router& router, CommandContext& context, Order order, const OrderText& text) {
    Arguments arguments(router, context);
    const std::vector<std::string> names = arguments.protocols(router);
    if (names.empty()) return;
    const std::string message = arguments.optional_text();
    if (!arguments.finish()) return;
    for (const std::string& name : names) {
        const bool done = (router.supervisor().*order)(name, message) == OrderResult::done;
        context.out().begin("protocol");
        context.out().line(
            done ? text.done : text.already, "{name}: {result}",
            {Field{"name", name}, Field{"result", done ? text.done_text : text.already_text}});
        context.out().end();
    }
    context.out().done();
}

void enable(void* closure, CommandContext& context) {
    give_order(router_of(closure), context, &engine::Supervisor::enable,
               {ReplyCode::enabled, "enabled", ReplyCode::already_enabled, "already enabled"});
}

void disable(void* closure, CommandContext& context) {
    give_order(router_of(closure), context, &engine::Supervisor::disable,
               {ReplyCode::disabled, "disabled", ReplyCode::already_disabled, "already disabled"});
}

void restart(void* closure, CommandContext& context) {
    give_order(
        router_of(closure), context, &engine::Supervisor::restart,
        {ReplyCode::restarted, "restarted", ReplyCode::already_disabled, "already disabled"});
}

void reload_one(Router& router,
                CommandContext& context,
                const std::string& name,
                const engine::Instance::Reload& which) {
    bool up = false;
    router.supervisor().with_instance(name, [&](engine::Instance& instance) {
        up = instance.state() == engine::ProtocolState::up;
    });
    ReplyCode code = ReplyCode::reloading;
    std::string_view result = "reloading";
    if (!up) {
        code = ReplyCode::already_disabled;
        result = "is not UP";
    } else if (router.supervisor().reload(name, which) != OrderResult::done) {
        code = ReplyCode::reload_failed;
        result = "reload failed";
    }
    context.out().begin("protocol");
    context.out().line(code, "{name}: {result}", {Field{"name", name}, Field{"result", result}});
    context.out().end();
}

/// `reload [filters|bgp] [in|out] P`.
void reload(void* closure, CommandContext& context) {
    Router& router = router_of(closure);
    Arguments arguments(router, context);
    config::Parser& p = arguments.parser();
    if (!p.accept("filters")) p.accept("bgp");
    engine::Instance::Reload which;
    if (p.accept("in")) {
        which.out = false;
    } else if (p.accept("out")) {
        which.in = false;
    }
    const std::vector<std::string> names = arguments.protocols(router);
    if (names.empty() || !arguments.finish()) return;
    for (const std::string& name : names)
        reload_one(router, context, name, which);
    context.out().done();
}

void debug(void* closure, CommandContext& context) {
    Router& router = router_of(closure);
    Arguments arguments(router, context);
    const std::vector<std::string> names = arguments.protocols(router);
    if (names.empty()) return;
    const config::TraceMask mask = config::parse_trace(arguments.parser());
    if (!arguments.finish()) return;
    for (const std::string& name : names) {
        router.supervisor().with_instance(
            name, [&](engine::Instance& instance) { instance.set_debug(mask); });
    }
    context.out().done();
}

void down(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    context.out().finish(ReplyCode::shutdown_ordered, "Shutdown requested");
    router_of(closure).shutdown(false);
}

void graceful_restart(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    context.out().finish(ReplyCode::graceful_restart_ordered, "Graceful restart requested");
    router_of(closure).shutdown(true);
}

}  // namespace

void add_control_commands(Router& router) {
    using cli::Access;
    const cli::Command rows[] = {
        {"enable", "(<protocol> | \"<pattern>\" | all) [\"<text>\"]", "Start protocols",
         Access::unrestricted, enable, &router},
        {"disable", "(<protocol> | \"<pattern>\" | all) [\"<text>\"]", "Shut protocols down",
         Access::unrestricted, disable, &router},
        {"restart", "(<protocol> | \"<pattern>\" | all) [\"<text>\"]", "Restart protocols",
         Access::unrestricted, restart, &router},
        {"reload", "[filters | bgp] [in | out] (<protocol> | \"<pattern>\" | all)",
         "Filter routes again", Access::unrestricted, reload, &router, false,
         "`in` is what the protocol gives to its tables, `out` what it gets; neither word means "
         "both.\n"
         "Imports need routes that the protocol still has or can ask its neighbour for again."},
        {"debug", "(<protocol> | \"<pattern>\" | all) (all | off | { states, routes, ... })",
         "Set what protocols trace", Access::unrestricted, debug, &router},
        {"graceful restart", "", "Shut the daemon down, to be followed by another one",
         Access::unrestricted, graceful_restart, &router, false,
         "Routes stay in the kernel. Start the next daemon with `-R`: it touches them only when "
         "its\n"
         "protocols have learnt theirs, where `protocol kernel` has `graceful restart`."},
        {"down", "", "Shut the daemon down", Access::unrestricted, down, &router},
    };
    router.commands().add(rows);
}

}  // namespace tern::daemon
