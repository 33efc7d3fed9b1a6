#include "router/daemon/commands.h"
#include "router/daemon/dump.h"
#include "router/daemon/router.h"

#include <fmt/format.h>

namespace tern::daemon {

namespace {

using cli::CommandContext;
using cli::ReplyCode;

class DumpReply final : public cli::LongReply {
  public:
    DumpReply(std::unique_ptr<Dump> dump, const loops::Clock& clock)
        : dump_(std::move(dump)), clock_(clock), start_(clock.now()) {}

    cli::Step step(cli::Output& out) override {
        if (dump_->step()) return cli::Step::more;
        if (dump_->failure()) {
            out.finish(ReplyCode::file_failed, "Failed to write file: " + *dump_->failure());
            return cli::Step::finished;
        }
        const double seconds = static_cast<double>((clock_.now() - start_).microseconds()) / 1e6;
        out.finish(ReplyCode::status_report,
                   fmt::format("Dumped {} bytes in {:.3f} s", dump_->bytes(), seconds));
        return cli::Step::finished;
    }

  private:
    std::unique_ptr<Dump> dump_;
    const loops::Clock& clock_;
    loops::Instant start_;
};

void dump_topic(void* closure, CommandContext& context, const DumpTopic& topic) {
    Router& router = router_of(closure);
    Arguments arguments(router, context);
    const std::string path = arguments.parser().text();
    if (!arguments.finish()) return;
    Result<std::unique_ptr<Dump>> dump = Dump::create(router, path);
    if (!dump) {
        context.out().finish(ReplyCode::file_failed,
                             fmt::format("Failed to open file {}: {}", path, dump.error().text));
        return;
    }
    context.out().text(ReplyCode::status_report,
                       fmt::format("Dumping {} to {}", topic.words, path));
    (*dump)->begin(topic);
    context.continue_with(std::make_unique<DumpReply>(std::move(*dump), router.runtime().clock()));
}

template <std::size_t Topic>
void dump(void* closure, CommandContext& context) {
    dump_topic(closure, context, dump_topics()[Topic]);
}

/// What the language has and this build has not: told so, instead of not understood.
void refuse(void*, CommandContext& context) {
    context.out().finish(ReplyCode::parse_error, "This command is not available in this build");
}

}  // namespace

void add_dump_commands(Router& router) {
    using cli::Access;
    static constexpr std::string_view arguments = "\"<file>\"";
    static constexpr std::string_view refused = "Not available in this build";
    const cli::Command rows[] = {
        {"dump", "", "Dump the state of the router to a file", Access::unrestricted, nullptr,
         nullptr, true},
        {"dump resources", arguments, "Dump memory and threads", Access::unrestricted, dump<0>,
         &router},
        {"dump interfaces", arguments, "Dump interfaces", Access::unrestricted, dump<1>, &router},
        {"dump routes", arguments, "Dump all routes of all tables", Access::unrestricted, dump<2>,
         &router},
        {"dump tables", arguments, "Dump counts of all tables", Access::unrestricted, dump<3>,
         &router},
        {"dump protocols", arguments, "Dump all protocols", Access::unrestricted, dump<4>, &router},
        {"dump filter all", arguments, "Dump the code of all filters", Access::unrestricted,
         dump<5>, &router},
        {"dump sockets", arguments, refused, Access::everyone, refuse, &router},
        {"dump ao keys", arguments, refused, Access::everyone, refuse, &router},
        {"dump events", arguments, refused, Access::everyone, refuse, &router},
        {"dump neighbors", arguments, refused, Access::everyone, refuse, &router},
        {"dump attributes", arguments, refused, Access::everyone, refuse, &router},
        {"mrtdump", "<protocol> <mask>", refused, Access::everyone, refuse, &router},
        {"mrt dump", "<arguments>", refused, Access::everyone, refuse, &router},
    };
    router.commands().add(rows);
}

}  // namespace tern::daemon
