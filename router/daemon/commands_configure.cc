#include "router/daemon/commands.h"
#include "router/daemon/router.h"

#include <fmt/format.h>

namespace tern::daemon {

namespace {

using cli::CommandContext;
using cli::ReplyCode;

constexpr unsigned default_undo_seconds = 300;

/// The last line of a configure command.
void finish_with(CommandContext& context, Configurator::Outcome outcome) {
    switch (outcome) {
        case Configurator::Outcome::done:
            context.out().finish(ReplyCode::reconfigured, "Reconfigured");
            return;
        case Configurator::Outcome::in_progress:
            context.out().finish(ReplyCode::reconfiguration_in_progress,
                                 "Reconfiguration in progress");
            return;
        case Configurator::Outcome::queued:
            context.out().finish(ReplyCode::reconfiguration_queued,
                                 "Reconfiguration already in progress, queueing new config");
            return;
        case Configurator::Outcome::removed:
            context.out().finish(ReplyCode::queued_configuration_removed,
                                 "Reconfiguration already in progress, removing queued config");
            return;
        case Configurator::Outcome::nothing:
            context.out().finish(ReplyCode::nothing_to_do, "Nothing to do");
            return;
    }
}

/// True if the router goes down: nothing is configured any more, and the reply is ended.
bool refused(Router& router, CommandContext& context) {
    if (!router.shutting_down()) return false;
    context.out().finish(ReplyCode::reconfiguration_ignored,
                         "Reconfiguration ignored, shutting down");
    return true;
}

/// Announces and reads the file; on an error the reply is ended.
std::unique_ptr<config::Config> read(Router& router,
                                     CommandContext& context,
                                     const std::string& path) {
    context.out().text(ReplyCode::reading_configuration,
                       fmt::format("Reading configuration from {}", path));
    config::ParsedConfig parsed = router.configurator().read(path);
    if (!parsed) {
        router.log().log(Severity::error, {}, "{}", parsed.error().summary());
        context.out().finish(ReplyCode::configuration_error, parsed.error().summary());
        return nullptr;
    }
    for (const config::Diagnostic& warning : (*parsed)->warnings) {
        router.log().log(Severity::warning, {}, "{}", warning.summary());
    }
    return std::move(*parsed);
}

std::string path_argument(Router& router, Arguments& arguments) {
    const std::string path = arguments.optional_text();
    return path.empty() ? router.configurator().file() : path;
}

void configure_with(Router& router, CommandContext& context, bool soft) {
    Arguments arguments(router, context);
    const std::string path = path_argument(router, arguments);
    Configurator::How how{.soft = soft, .undo_after = std::nullopt};
    unsigned seconds = default_undo_seconds;
    if (arguments.parser().accept("timeout")) {
        if (!arguments.parser().at(config::TokenKind::end)) seconds = arguments.parser().number();
        how.undo_after = loops::seconds(seconds);
    }
    if (!arguments.finish()) return;
    if (refused(router, context)) return;
    std::unique_ptr<config::Config> next = read(router, context, path);
    if (next == nullptr) return;
    if (how.undo_after) {
        context.out().text(ReplyCode::undo_scheduled,
                           fmt::format("Undo scheduled in {} s", seconds));
    }
    context.personality().told_of_undo = how.undo_after.has_value();
    router.log().log(Severity::info, {}, "Reconfiguring");
    finish_with(context, router.configurator().configure(std::move(next), how));
}

void configure(void* closure, CommandContext& context) {
    configure_with(router_of(closure), context, false);
}

void configure_soft(void* closure, CommandContext& context) {
    configure_with(router_of(closure), context, true);
}

/// Beyond BIRD's answer the plan is told: one line per step that would do something.
void configure_check(void* closure, CommandContext& context) {
    Router& router = router_of(closure);
    Arguments arguments(router, context);
    const std::string path = path_argument(router, arguments);
    if (!arguments.finish()) return;
    const std::unique_ptr<config::Config> next = read(router, context, path);
    if (next == nullptr) return;
    const config::Plan plan = router.configurator().plan_for(*next, false);
    context.out().fields({cli::Field{"plan", plan.render()}});
    context.out().finish(ReplyCode::configuration_ok, "Configuration OK");
}

void configure_undo(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    Router& router = router_of(closure);
    context.out().text(ReplyCode::undo_requested, "Undo requested");
    if (refused(router, context)) return;
    finish_with(context, router.configurator().undo());
}

void configure_confirm(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    if (router_of(closure).configurator().confirm()) {
        context.out().finish(ReplyCode::configuration_confirmed, "Reconfiguration confirmed");
    } else {
        context.out().finish(ReplyCode::nothing_to_do, "Nothing to do");
    }
}

void configure_status(void* closure, CommandContext& context) {
    if (!context.expect_no_arguments()) return;
    Router& router = router_of(closure);
    const Configurator& configurator = router.configurator();
    if (router.shutting_down()) {
        context.out().text(ReplyCode::reconfiguration_ignored, "Shutdown in progress");
    } else if (configurator.has_queued()) {
        context.out().text(ReplyCode::reconfiguration_queued,
                           "Reconfiguration in progress, next one enqueued");
    } else if (router.supervisor().committing()) {
        context.out().text(ReplyCode::reconfiguration_in_progress, "Reconfiguration in progress");
    } else {
        context.out().text(ReplyCode::reconfigured, "Daemon is up and running");
    }
    if (const auto left = configurator.undo_in()) {
        context.out().text(ReplyCode::undo_scheduled,
                           fmt::format("Configuration unconfirmed, undo in {} s", left->seconds()));
    }
    context.out().done();
}

constexpr std::string_view configure_details =
    "Without a file the one is read that the daemon was started with. Only what differs is\n"
    "touched: `configure check` says what that would be. With `timeout` the\n"
    "old configuration comes back unless `configure confirm` is said within that many seconds\n"
    "(300 by default). A configuration with an error changes nothing.";

}  // namespace

void add_configure_commands(Router& router) {
    using cli::Access;
    const cli::Command rows[] = {
        {"configure", "[\"<file>\"] [timeout [<sec>]]", "Reload configuration",
         Access::unrestricted, configure, &router, false, configure_details},
        {"configure soft", "[\"<file>\"] [timeout [<sec>]]",
         "Reload configuration and ignore changes in filters", Access::unrestricted, configure_soft,
         &router},
        {"configure check", "[\"<file>\"]", "Parse configuration and check its validity",
         Access::unrestricted, configure_check, &router, false,
         "In JSON the member `plan` has one line for each table and protocol that would change."},
        {"configure undo", "", "Undo last configuration change", Access::unrestricted,
         configure_undo, &router},
        {"configure confirm", "", "Confirm last configuration change - deactivate undo timeout",
         Access::unrestricted, configure_confirm, &router},
        {"configure status", "", "Show configuration status", Access::everyone, configure_status,
         &router},
    };
    router.commands().add(rows);
}

}  // namespace tern::daemon
