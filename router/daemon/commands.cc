#include "router/daemon/commands.h"

#include "router/cli/session_commands.h"
#include "router/daemon/router.h"
#include "router/engine/show.h"

#include <fmt/format.h>

namespace tern::daemon {

void add_commands(Router& router) {
    cli::add_session_commands(router.commands());
    add_status_commands(router);
    add_thread_commands(router);
    add_route_commands(router);
    add_dump_commands(router);
    add_control_commands(router);
    add_configure_commands(router);
}

Arguments::Arguments(Router& router, cli::CommandContext& context)
    : context_(context),
      text_(*router.configurator().running(), std::string(context.arguments())) {}

bool Arguments::finish() {
    config::Parser& p = parser();
    if (p.ok()) p.expect(config::TokenKind::end);
    if (p.ok()) return true;
    context_.out().finish(cli::ReplyCode::parse_error, p.error().text);
    return false;
}

std::string Arguments::optional_text() {
    return parser().at(config::TokenKind::string) ? parser().text() : std::string();
}

std::vector<std::string> Arguments::protocols(Router& router) {
    config::Parser& p = parser();
    std::string pattern;
    bool exact = false;
    if (p.accept("all")) {
        pattern.assign(1, '*');
    } else if (p.at(config::TokenKind::string)) {
        pattern = p.text();
    } else {
        const config::Token name = p.expect_name();
        pattern = std::string(name.text);
        exact = true;
    }
    if (!p.ok()) {
        context_.out().finish(cli::ReplyCode::parse_error, p.error().text);
        return {};
    }
    std::vector<std::string> names;
    router.supervisor().for_each_instance([&](const engine::Instance& instance) {
        const bool fits =
            exact ? instance.name() == pattern : engine::name_matches(instance.name(), pattern);
        if (fits) names.emplace_back(instance.name());
    });
    if (!names.empty()) return names;
    if (exact) {
        const bool known = router.configurator().running()->scope().find(pattern) != nullptr;
        context_.out().finish(
            cli::ReplyCode::invalid_symbol,
            fmt::format("{} {}", pattern, known ? "is not a protocol" : "does not exist"));
    } else {
        context_.out().finish(cli::ReplyCode::no_protocols_match, "No protocols match");
    }
    return {};
}

}  // namespace tern::daemon
