#include "router/cli/server.h"

#include "locking/domain.h"
#include "loops/runtime.h"
#include "router/base/lock_order.h"
#include "router/cli/session_commands.h"

#include <algorithm>
#include <array>
#include <string>
#include <thread>

#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace tern::cli {
namespace {

/// Rows of the long answer: some megabytes, far above what sockets hold.
constexpr int many_rows = 200'000;

class Rows final : public LongReply {
  public:
    Step step(Output& out) override {
        while (!out.full() && next_ < many_rows) {
            out.line(ReplyCode::route, "row {number}", {{"number", next_++}});
        }
        if (next_ < many_rows) return Step::more;
        out.done();
        return Step::finished;
    }

  private:
    int next_ = 0;
};

void rows(void*, CommandContext& context) {
    context.continue_with(std::make_unique<Rows>());
}

struct Events final : ServerEvents {
    int connected = 0;
    int gone = 0;
    int expected = 0;
    loops::Runtime* runtime = nullptr;

    void client_connected() override { ++connected; }

    void client_gone() override {
        if (++gone == expected) runtime->quit();
    }

    void command_received(std::string_view) override {}

    void server_error(std::string_view) override {}
};

int connect_to(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(path.begin(), path.end(), static_cast<char*>(address.sun_path));
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) return -1;
    return fd;
}

/// Sends the text, reads at most `limit` bytes, closes.
std::string converse(const std::string& path, std::string_view text, std::size_t limit) {
    const int fd = connect_to(path);
    if (fd < 0) return "no connection";
    (void)::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    (void)::shutdown(fd, SHUT_WR);
    std::string got;
    std::array<char, 8192> bytes;
    while (got.size() < limit) {
        const ssize_t some = ::recv(fd, bytes.data(), bytes.size(), 0);
        if (some <= 0) break;
        got.append(bytes.data(), static_cast<std::size_t>(some));
    }
    ::close(fd);
    return got;
}

struct Fixture {
    std::string directory = "/tmp/tern-cli-XXXXXX";
    std::string path;
    locking::Domain<level::Control> domain{"main"};
    loops::Runtime runtime{loops::RuntimeOptions{.main_domain = &domain}};
    CommandTable table;
    Events events;
    std::unique_ptr<Server> server;

    explicit Fixture(int clients) {
        REQUIRE(::mkdtemp(directory.data()) != nullptr);
        path = directory + "/ctl";
        add_session_commands(table);
        table.add({.words = "rows", .arguments = "", .help = "", .handler = rows});
        events.expected = clients;
        events.runtime = &runtime;
        const loops::LoopEntry entry(runtime.main_loop());
        server = std::make_unique<Server>(runtime.main_loop(), table, events);
    }

    ~Fixture() {
        {
            const loops::LoopEntry entry(runtime.main_loop());
            server.reset();
        }
        ::rmdir(directory.c_str());
    }

    Result<void> open() {
        const loops::LoopEntry entry(runtime.main_loop());
        return server->open(path, {}, {});
    }
};

}  // namespace

TEST_CASE("the socket has mode 0660, replaces a stale one and goes with the server") {
    std::string path;
    {
        Fixture fixture(0);
        path = fixture.path;
        CHECK_FALSE(control_socket_answers(path));
        REQUIRE(fixture.open());

        struct stat status {};

        REQUIRE(::stat(path.c_str(), &status) == 0);
        CHECK((status.st_mode & 0777) == 0660);
        CHECK(control_socket_answers(path));
        CHECK(fixture.open());
    }
    CHECK(::access(path.c_str(), F_OK) != 0);
}

TEST_CASE("a path that cannot be a socket is an error with its name") {
    Fixture fixture(0);
    fixture.path = "/nonexistent/ctl";
    const Result<void> opened = fixture.open();
    REQUIRE_FALSE(opened);
    CHECK(opened.error().text.find("/nonexistent/ctl: No such file") != std::string::npos);
    fixture.path = std::string(200, 'x');
    CHECK_FALSE(fixture.open());
}

TEST_CASE("a client that closed its side gets every answer, however long") {
    Fixture fixture(1);
    REQUIRE(fixture.open());
    std::string got;
    std::jthread client([&] { got = converse(fixture.path, "rows\nrestrict\n", SIZE_MAX); });
    fixture.runtime.run();
    client.join();
    CHECK(got.starts_with("0001 BIRD 3.3.2 ready.\n1007-row 0\n row 1\n"));
    CHECK(got.ends_with(" row 199999\n0000 \n0016 Access restricted\n"));
    CHECK(std::count(got.begin(), got.end(), '\n') == many_rows + 3);
}

TEST_CASE("clients that vanish in the middle of an answer are forgotten") {
    constexpr int clients = 20;
    Fixture fixture(clients);
    REQUIRE(fixture.open());
    std::jthread client([&] {
        for (std::size_t i = 0; i < clients; ++i) {
            (void)converse(fixture.path, "rows\nrows\n", 1 + i * 1000);
        }
    });
    fixture.runtime.run();
    client.join();
    CHECK(fixture.events.gone == clients);
    CHECK(fixture.server->session_count() == 0);
}

TEST_CASE("a megabyte without line feed is refused once and the session stays") {
    Fixture fixture(1);
    REQUIRE(fixture.open());
    std::string got;
    std::jthread client([&] {
        got = converse(fixture.path, std::string(1 << 20, 'x') + "\nrestrict\n", SIZE_MAX);
    });
    fixture.runtime.run();
    client.join();
    CHECK(got == "0001 BIRD 3.3.2 ready.\n9000 Command too long\n0016 Access restricted\n");
}

}  // namespace tern::cli
