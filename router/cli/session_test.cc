#include "router/cli/session.h"

#include "router/cli/session_commands.h"

#include <algorithm>
#include <string>

#include <catch2/catch.hpp>

namespace tern::cli {
namespace {

/// What the commands of these tests share.
struct Shared {
    int rows = 0;       ///< Rows of the long reply.
    bool keep = false;  ///< The long reply cannot be destroyed at once.
    bool wait = false;  ///< It waits after each step.
    int cancelled = 0;
    int destroyed = 0;
    std::size_t waiting_max = 0;
};

class Counting final : public LongReply {
  public:
    explicit Counting(Shared& shared) : shared_(shared) {}

    ~Counting() override { ++shared_.destroyed; }

    Step step(Output& out) override {
        if (cancelled_) return Step::finished;
        while (!out.full() && next_ < shared_.rows) {
            out.line(ReplyCode::route, "row {number}", {{"number", next_++}});
            if (shared_.wait) return Step::wait;
        }
        if (next_ < shared_.rows) return Step::more;
        out.done();
        return Step::finished;
    }

    bool cancel() override {
        ++shared_.cancelled;
        cancelled_ = true;
        return !shared_.keep;
    }

  private:
    Shared& shared_;
    int next_ = 0;
    bool cancelled_ = false;
};

void count(void* closure, CommandContext& context) {
    context.continue_with(std::make_unique<Counting>(*static_cast<Shared*>(closure)));
}

void show_arguments(void*, CommandContext& context) {
    context.out().finish(ReplyCode::evaluation, context.arguments());
}

void forbidden(void*, CommandContext& context) {
    context.out().finish(ReplyCode::shutdown_ordered, "Shutdown requested");
}

struct Fixture final : SessionOwner {
    Shared shared;
    CommandTable table;
    std::unique_ptr<Session> session;
    int ready = 0;
    int commands = 0;

    explicit Fixture(const Personality& personality = {}) {
        add_session_commands(table);
        table.add(
            {.words = "count", .arguments = "", .help = "", .handler = count, .closure = &shared});
        table.add({.words = "echo", .arguments = "", .help = "", .handler = show_arguments});
        table.add({.words = "down",
                   .arguments = "",
                   .help = "",
                   .access = Access::unrestricted,
                   .handler = forbidden});
        session = std::make_unique<Session>(table, *this, personality);
    }

    void session_ready(Session&) override { ++ready; }

    void command_received(Session&, std::string_view) override { ++commands; }

    /// Gives bytes as the server does, reads like a client that always has room.
    std::string talk(std::string_view bytes) {
        std::string out;
        do {
            const std::size_t some = std::min(bytes.size(), session->input_room());
            session->receive(std::span<const char>(bytes.data(), some));
            bytes.remove_prefix(some);
            out += turn();
        } while (!bytes.empty());
        return out;
    }

    std::string turn() {
        std::string out;
        bool again = true;
        while (again) {
            again = session->run();
            shared.waiting_max = std::max(shared.waiting_max, session->pending_output().size());
            if (!session->pending_output().empty()) again = true;
            out += session->pending_output();
            session->sent(session->pending_output().size());
        }
        return out;
    }
};

}  // namespace

TEST_CASE("a session greets with digits and dots only") {
    Fixture fixture;
    fixture.session->greet();
    CHECK(fixture.turn() == "0001 BIRD 3.3.2 ready.\n");
}

TEST_CASE("pipelined commands are answered in order") {
    Fixture fixture;
    fixture.shared.rows = 2;
    CHECK(fixture.talk("echo 1\ncount\necho 2\r\n\n") ==
          "0023 1\n1007-row 0\n row 1\n0000 \n0023 2\n9001 syntax error, unexpected END\n");
    CHECK(fixture.commands == 4);
}

TEST_CASE("a line may come byte by byte") {
    Fixture fixture;
    std::string out;
    for (const char byte : std::string("echo abc\n"))
        out += fixture.talk({&byte, 1});
    CHECK(out == "0023 abc\n");
}

TEST_CASE("a restricted session is denied what changes the router, and stays restricted") {
    Fixture fixture;
    CHECK(fixture.talk("down\n") == "0007 Shutdown requested\n");
    CHECK(fixture.talk("restrict\ndown\necho x\n") ==
          "0016 Access restricted\n8007 Access denied\n0023 x\n");
    Fixture restricted(Personality{.restricted = true, .time_format = {}});
    CHECK(restricted.talk("down\n") == "8007 Access denied\n");
}

TEST_CASE("a line over the limit is refused and the session stays") {
    Fixture fixture;
    const std::string longest = "echo " + std::string(command_line_max - 5, 'x');
    CHECK(fixture.talk(longest + "\n").starts_with("0023 xxx"));
    CHECK(fixture.talk(longest + "x\necho after\n") == "9000 Command too long\n0023 after\n");
}

TEST_CASE("a megabyte without line feed keeps memory bounded") {
    Fixture fixture;
    CHECK(fixture.talk(std::string(1 << 20, 'x')) == "9000 Command too long\n");
    CHECK(fixture.session->input_room() <= command_line_max + 1);
    CHECK(fixture.talk("\necho x\n") == "0023 x\n");
}

TEST_CASE("garbage gets parse errors only") {
    Fixture fixture;
    std::string garbage;
    for (int i = 0; i < 512; ++i)
        garbage += static_cast<char>(i * 37 % 251);
    garbage += '\n';
    const std::string out = fixture.talk(garbage);
    CHECK(out.starts_with("9001 syntax error"));
    CHECK(fixture.talk("echo x\n") == "0023 x\n");
}

TEST_CASE("a long reply waits for the client and memory stays bounded") {
    Fixture fixture;
    fixture.shared.rows = 100000;
    const std::string out = fixture.talk("count\n");
    CHECK(std::count(out.begin(), out.end(), '\n') == 100001);
    CHECK(out.ends_with(" row 99999\n0000 \n"));
    CHECK(fixture.shared.waiting_max < reply_bytes_max + 2 * reply_line_max);
    CHECK(fixture.shared.destroyed == 1);
}

TEST_CASE("nothing runs while the client does not read") {
    Fixture fixture;
    fixture.shared.rows = 100000;
    const std::string_view line = "count\necho x\n";
    fixture.session->receive({line.data(), line.size()});
    while (fixture.session->run()) {
    }
    const std::size_t waiting = fixture.session->pending_output().size();
    CHECK(waiting >= reply_bytes_max);
    CHECK_FALSE(fixture.session->run());
    CHECK(fixture.session->pending_output().size() == waiting);
    CHECK(fixture.commands == 1);
}

TEST_CASE("a client that vanishes in the middle of an answer cancels it") {
    Fixture fixture;
    fixture.shared.rows = 100000;
    const std::string_view line = "count\n";
    fixture.session->receive({line.data(), line.size()});
    while (fixture.session->run()) {
    }
    CHECK(fixture.session->orphan());
    CHECK(fixture.session->pending_output().empty());
    CHECK(fixture.session->done());
    CHECK(fixture.shared.cancelled == 1);
    CHECK(fixture.shared.destroyed == 1);
}

TEST_CASE("an orphan stays until what it asked elsewhere has ended") {
    Fixture fixture;
    fixture.shared = {.rows = 10, .keep = true, .wait = true};
    CHECK(fixture.talk("count\n") == "1007-row 0\n");
    CHECK_FALSE(fixture.session->orphan());
    CHECK_FALSE(fixture.session->done());
    fixture.session->resume();
    CHECK(fixture.ready == 1);
    CHECK(fixture.turn().empty());
    CHECK(fixture.session->done());
    CHECK(fixture.shared.destroyed == 1);
}

TEST_CASE("a waiting reply goes on when it is resumed") {
    Fixture fixture;
    fixture.shared = {.rows = 2, .wait = true};
    CHECK(fixture.talk("count\n") == "1007-row 0\n");
    CHECK(fixture.turn().empty());
    fixture.session->resume();
    CHECK(fixture.turn() == " row 1\n");
    fixture.session->resume();
    CHECK(fixture.turn() == "0000 \n");
}

TEST_CASE("a long reply that is stopped ends with the reason and the next command runs") {
    Fixture fixture;
    fixture.shared = {.rows = 5, .wait = true};
    CHECK(fixture.talk("count\necho x\n") == "1007-row 0\n");
    fixture.session->stop_long_reply(ReplyCode::stopped, "Stopped due to reconfiguration");
    CHECK(fixture.turn() == "8004 Stopped due to reconfiguration\n0023 x\n");
    CHECK(fixture.shared.destroyed == 1);
}

TEST_CASE("a stopped reply that something refers to holds the session until it ends") {
    Fixture fixture;
    fixture.shared = {.rows = 5, .keep = true, .wait = true};
    CHECK(fixture.talk("count\necho x\n") == "1007-row 0\n");
    fixture.session->stop_long_reply(ReplyCode::stopped, "Stopped");
    CHECK(fixture.turn() == "8004 Stopped\n");
    fixture.session->resume();
    CHECK(fixture.turn() == "0023 x\n");
    CHECK(fixture.shared.destroyed == 1);
}

TEST_CASE("what a client sent before it closed its side is still answered") {
    Fixture fixture;
    const std::string_view lines = "echo 1\necho 2\nrest";
    fixture.session->receive({lines.data(), lines.size()});
    fixture.session->end_of_input();
    CHECK_FALSE(fixture.session->done());
    CHECK(fixture.turn() == "0023 1\n0023 2\n");
    CHECK(fixture.session->done());
}

TEST_CASE("JSON is asked for by prefix or for the session") {
    Fixture fixture;
    CHECK(fixture.talk("json echo x\n") == "1100-[{\"code\":23,\"message\":\"x\"}\n ]\n0023 x\n");
    CHECK(fixture.talk("echo x\n") == "0023 x\n");
    CHECK(fixture.talk("format json\n") == "0000 \n");
    CHECK(fixture.talk("nonsense\n").starts_with("1100-[{\"code\":9001,"));
    CHECK(fixture.talk("format text\necho x\n").ends_with("]\n0000 \n0023 x\n"));
}

TEST_CASE("a session has a time format of its own") {
    Fixture fixture;
    CHECK(fixture.talk("timeformat iso long ms\n") == "0000 \n");
    CHECK(fixture.session->personality().time_format.has_value());
    CHECK(fixture.talk("timeformat \"%T\" 3600 \"%F\"\n") == "0000 \n");
    CHECK(fixture.session->personality().time_format->older == "%F");
    CHECK(fixture.session->personality().time_format->limit_us == 3600000000);
    CHECK(fixture.talk("timeformat\n") == "9001 syntax error, unexpected END, expecting TEXT\n");
    CHECK(fixture.talk("timeformat \"%T\n") == "9001 Unterminated string\n");
    CHECK(fixture.talk("timeformat \"%T\" x\n") ==
          "9001 syntax error, unexpected CF_SYM_UNDEFINED, expecting NUM\n");
    CHECK(fixture.talk("timeformat \"" + std::string(100, 'x') + "\"\n") ==
          "9003 Format string too long\n");
}

TEST_CASE("show commands lists the table with tabs") {
    Fixture fixture;
    CHECK(fixture.talk("show commands restr\n") ==
          "1101-restrict\t\tRestrict current CLI session to safe commands\n0000 \n");
}

}  // namespace tern::cli
