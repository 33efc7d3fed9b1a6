// A session of the control socket must survive any bytes: replies stay framed, memory bounded.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/cli/session.h"
#include "router/cli/session_commands.h"

#include <algorithm>
#include <span>
#include <string_view>

namespace {

using tern::cli::Session;

struct Owner final : tern::cli::SessionOwner {
    void session_ready(Session&) override {}

    void command_received(Session&, std::string_view) override {}
};

bool is_framed(std::string_view line) {
    if (line.size() > tern::cli::reply_line_max) return false;
    if (line.starts_with(' ') || line.starts_with('+')) return true;
    const auto digit = [](char byte) { return byte >= '0' && byte <= '9'; };
    return line.size() > 4 && std::all_of(line.begin(), line.begin() + 4, digit) &&
           (line[4] == ' ' || line[4] == '-');
}

void drain(Session& session) {
    bool more = true;
    while (more) {
        more = session.run();
        std::string_view out = session.pending_output();
        const std::size_t size = out.size();
        TERN_ASSERT(size <= 2 * tern::cli::reply_bytes_max, "output is bounded");
        while (!out.empty()) {
            const std::string_view line = out.substr(0, out.find('\n'));
            TERN_ASSERT(is_framed(line), "a line without framing");
            out.remove_prefix(std::min(out.size(), line.size() + 1));
        }
        session.sent(size);
        more = more || session.runnable();
    }
}

}  // namespace

TERN_FUZZ(control_line, data, size) {
    tern::cli::CommandTable table;
    tern::cli::add_session_commands(table);
    Owner owner;
    Session session(table, owner, tern::cli::Personality{});
    const char* bytes = reinterpret_cast<const char*>(data);
    while (size > 0) {
        const std::size_t some = std::min(size, session.input_room());
        session.receive(std::span<const char>(bytes, some));
        bytes += some;
        size -= some;
        drain(session);
    }
    session.end_of_input();
    drain(session);
    TERN_ASSERT(session.done(), "all input is answered");
}
