#include "router/config/parse_filter.h"
#include "router/daemon/commands.h"
#include "router/daemon/router.h"
#include "router/proto/static/static.h"

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
    const attr::Value value = language.evaluate(arguments.parser(), &router.filter_environment());
    if (!arguments.finish()) return;
    const std::string text = attr::to_text(value);
    context.out().fields({Field{"value", text}});
    context.out().finish(ReplyCode::evaluation, text);
}

void show_route(void* closure, CommandContext& context) {
    Router& router = router_of(closure);
    auto text = std::make_unique<config::CommandText>(*router.configurator().running(),
                                                      std::string(context.arguments()));
    const table::ShowRouteServices services = router.show_route_services();
    auto request = table::parse_show_route(text->parser(), services.host);
    if (!request) {
        context.fail_parse(request.error());
        return;
    }
    request->time_format = context.personality().time_format.value_or(
        router.configurator().running()->time_formats.route);
    request->v2_attributes = context.personality().v2_attributes;
    context.continue_with(table::make_show_route(std::move(*request), std::move(text), services));
}

/// `show static [NAME]`: goes on from protocol to protocol and from route to route.
class ShowStatic final : public cli::LongReply {
  public:
    ShowStatic(Router& router, std::vector<std::string> names)
        : router_(router), names_(std::move(names)) {}

    [[nodiscard]] cli::Step step(cli::Output& out) override {
        for (; next_ < names_.size(); ++next_, position_ = 0) {
            bool complete = true;
            router_.supervisor().with_instance(names_[next_], [&](engine::Instance& instance) {
                const auto* protocol =
                    static_cast<const static_routes::Static*>(instance.protocol());
                if (protocol == nullptr) return;
                if (shown_ && position_ == 0) out.text(ReplyCode::static_route, "");
                shown_ = true;
                complete = protocol->show(out, position_);
            });
            if (!complete) return cli::Step::more;
        }
        out.done();
        return cli::Step::finished;
    }

  private:
    Router& router_;
    std::vector<std::string> names_;
    std::size_t next_ = 0;
    std::uint32_t position_ = 0;
    bool shown_ = false;
};

void show_static(void* closure, CommandContext& context) {
    Router& router = router_of(closure);
    Arguments arguments(router, context);
    std::string wanted;
    if (!arguments.parser().at(config::TokenKind::end)) {
        wanted = std::string(arguments.parser().expect_name().text);
    }
    if (!arguments.finish()) return;
    std::vector<std::string> names;
    router.supervisor().for_each_instance([&](const engine::Instance& instance) {
        const bool is_static = &instance.descriptor() == &static_routes::descriptor();
        if (is_static && (wanted.empty() || instance.name() == wanted)) {
            names.emplace_back(instance.name());
        }
    });
    if (names.empty() && !wanted.empty()) {
        context.out().finish(ReplyCode::parse_error, wanted + ": Not a static protocol");
        return;
    }
    context.continue_with(std::make_unique<ShowStatic>(router, std::move(names)));
}

constexpr std::string_view route_details =
    R"(Arguments in any order, each once but `table`:

| argument | shows |
|---|---|
| `<prefix>` | the routes of exactly this network |
| `for <address or prefix>` | those of the longest network around it |
| `in <prefix>` | those of all networks within it |
| `table <name>`, `table all` | these tables, instead of `master4` and `master6` |
| `import table <protocol>.<channel>` | what a channel with `import table` has received |
| `protocol <name>` | routes that came from this protocol, out of its tables |
| `filter <name>`, `filter { ... }`, `where <expression>` | what passes, as it leaves the filter |
| `primary` | best routes only |
| `filtered` | only routes that were rejected and kept (`import keep filtered`) |
| `export <protocol>` | best routes that its export filter accepts |
| `noexport <protocol>` | those it does not accept |
| `preexport <protocol>` | those that reach its export filter |
| `exported <protocol>` | those it has been given |
| `all` | with all attributes |
| `count`, `stats` | numbers alone, or behind the routes |

`<protocol>.<channel>` asks one channel of several. A lookup that finds no network ends with
`8001 Network not found`; a reply that a reconfiguration interrupts ends with code 8004.)";

}  // namespace

void add_route_commands(Router& router) {
    const cli::Command rows[] = {
        {"show route",
         "[<net>] [for|in <net>] [table <t>] [filter <f>|where <c>] [all] [primary] [filtered] "
         "[(export|preexport|noexport|exported) <p>] [protocol <p>] [stats|count]",
         "Show routing table", cli::Access::everyone, show_route, &router, false, route_details},
        {"show static", "[<protocol>]", "Show details of static protocols", cli::Access::everyone,
         show_static, &router},
        {"eval", "<expr>", "Evaluate an expression", cli::Access::everyone, evaluate, &router,
         false,
         "Constants and functions of the running configuration can be used; there is no route."},
    };
    router.commands().add(rows);
}

}  // namespace tern::daemon
