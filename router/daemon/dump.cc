#include "router/daemon/dump.h"

#include "router/daemon/router.h"
#include "router/filter/disassembler.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace tern::daemon {

namespace {

constexpr std::array topics = {
    DumpTopic{"resources", "show memory\nshow threads all\n"},
    DumpTopic{"interfaces", "show interfaces\n"},
    DumpTopic{"routes", "show route table all all\nshow route table all filtered all\n"},
    DumpTopic{"tables", "show route table all count\n"},
    DumpTopic{"protocols", "show protocols all\n"},
    DumpTopic{.words = "filter all", .commands = "", .filters = true},
};

/// The line without what the control protocol puts in front.
std::string_view strip_code(std::string_view line) {
    constexpr std::size_t code_digits = 4;
    if (line.starts_with(' ')) return line.substr(1);
    return line.substr(std::min(line.size(), code_digits + 1));
}

}  // namespace

std::span<const DumpTopic> dump_topics() {
    return topics;
}

Dump::Dump(Router& router, loops::FileDescriptor file) : router_(router), file_(std::move(file)) {}

Dump::~Dump() = default;

Result<std::unique_ptr<Dump>> Dump::create(Router& router, const std::string& path) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    loops::FileDescriptor file(::open(path.c_str(), flags, 0400));
    if (!file.valid()) return fail(std::strerror(errno));
    return std::unique_ptr<Dump>(new Dump(router, std::move(file)));
}

void Dump::begin(const DumpTopic& topic) {
    if (topic.filters) write_filters();
    session_.emplace(router_.commands(), static_cast<cli::SessionOwner&>(*this),
                     cli::Personality());
    session_->receive(std::span<const char>(topic.commands.data(), topic.commands.size()));
    session_->end_of_input();
}

bool Dump::step() {
    (void)session_->run();
    std::string_view rest = session_->pending_output();
    const std::size_t size = rest.size();
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        write(strip_code(rest.substr(0, end)));
        write("\n");
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    session_->sent(size);
    return !session_->done() && !failure_;
}

void Dump::write(std::string_view text) {
    while (!text.empty() && !failure_) {
        const ssize_t written = ::write(file_.get(), text.data(), text.size());
        if (written < 0) {
            if (errno == EINTR) continue;
            failure_ = std::strerror(errno);
            return;
        }
        bytes_ += static_cast<std::size_t>(written);
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

void Dump::write_filters() {
    for (const config::Symbol& symbol : router_.configurator().running()->scope().symbols()) {
        const auto* filter = symbol.as<const filter::Filter>();
        if (filter == nullptr || filter->code() == nullptr) continue;
        write(fmt::format("filter {}\n{}\n", symbol.name, filter::disassemble(*filter->code())));
    }
}

Result<std::size_t> dump_everything(Router& router, const std::string& path) {
    Result<std::unique_ptr<Dump>> dump = Dump::create(router, path);
    if (!dump) return tl::unexpected<Error>(dump.error());
    for (const DumpTopic& topic : topics) {
        (*dump)->begin(topic);
        while ((*dump)->step()) {
        }
    }
    if ((*dump)->failure()) return fail(*(*dump)->failure());
    return (*dump)->bytes();
}

}  // namespace tern::daemon
