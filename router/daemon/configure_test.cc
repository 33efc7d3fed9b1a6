// `configure` on a running router: what changes is touched, what does not is left alone.
#include "router/daemon/testing.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace tern::daemon {
namespace {

using testing::Bench;

const std::string head = "router id 192.0.2.1; timeformat protocol \"%T\";\n";
const std::string bystander = "protocol static bystander { ipv4; route 10.9.0.0/16 blackhole; }\n";

/// A router with a file that can be changed and configured again.
struct Fixture {
    explicit Fixture(const std::string& text) {
        REQUIRE(bench.start(head + bystander + text).empty());
        since = state("bystander");
    }

    /// The last line of the reply; the bystander must not have been touched.
    std::string configure(const std::string& text, const std::string& command = "configure") {
        bench.files.add("bird.conf", head + bystander + text);
        const std::string reply = bench.reply(command);
        bench.run();
        CHECK(state("bystander") == since);
        const std::size_t last = reply.rfind('\n', reply.size() - 2);
        return reply.substr(last + 1);
    }

    /// State and time of the last change.
    std::string state(std::string_view protocol) {
        std::string result;
        const locking::TransitLock lock(bench.main);
        bench.router().supervisor().with_instance(protocol, [&](engine::Instance& instance) {
            result = fmt::format("{} {}", engine::name(instance.state()),
                                 instance.last_change().microseconds());
        });
        return result;
    }

    std::string count(const std::string& what) {
        const std::string reply = bench.reply("show route " + what + " count");
        return reply.substr(5, reply.find(" of") - 5);
    }

    Bench bench;
    std::string since;
};

}  // namespace

TEST_CASE("an equal configuration touches nothing") {
    const std::string text = "ipv4 table t; protocol pipe p { table master4; peer table t; }\n";
    Fixture f(text);
    const std::string before = f.state("p");
    CHECK(f.configure(text) == "0003 Reconfigured\n");
    CHECK(f.state("p") == before);
}

TEST_CASE("a table is added with its users, and removed with them") {
    Fixture f("");
    CHECK(f.configure("ipv4 table extra; protocol static e { ipv4 { table extra; };"
                      " route 10.1.0.0/16 blackhole; }\n") == "0003 Reconfigured\n");
    CHECK(f.count("table extra") == "1");
    f.configure("");
    CHECK(f.bench.reply("show route table extra") ==
          "9001 syntax error, unexpected CF_SYM_UNDEFINED, expecting CF_SYM_KNOWN or ALL\n");
    CHECK(f.bench.reply("show route table bystander") == "9001 Table name required\n");
    CHECK(f.state("e").empty());
    CHECK(f.count("table master4") == "1");
}

TEST_CASE("a changed import filter is applied without a restart") {
    const std::string text =
        "protocol static s {{ ipv4 {{ import {}; }}; route 10.1.0.0/16 blackhole;"
        " route 10.2.0.0/24 blackhole; }}\n";
    Fixture f(fmt::format(fmt::runtime(text), "all"));
    const std::string before = f.state("s");
    CHECK(f.count("protocol s") == "2");
    f.configure(fmt::format(fmt::runtime(text), "where net.len > 20"));
    CHECK(f.count("protocol s") == "1");
    f.configure(fmt::format(fmt::runtime(text), "all"));
    CHECK(f.count("protocol s") == "2");
    CHECK(f.state("s") == before);
}

TEST_CASE("a changed export filter is applied without a restart") {
    const std::string text =
        "ipv4 table t; protocol pipe p {{ table master4; peer table t; export {}; }}\n";
    Fixture f(fmt::format(fmt::runtime(text), "all"));
    const std::string before = f.state("p");
    CHECK(f.count("table t") == "1");
    f.configure(fmt::format(fmt::runtime(text), "none"));
    CHECK(f.count("table t") == "0");
    f.configure(fmt::format(fmt::runtime(text), "where net.len = 16"));
    CHECK(f.count("table t") == "1");
    CHECK(f.state("p") == before);
}

TEST_CASE("soft changes filters and leaves routes as they are until a reload") {
    const std::string text =
        "protocol static s {{ ipv4 {{ import {}; }}; route 10.1.0.0/16 blackhole; }}\n";
    Fixture f(fmt::format(fmt::runtime(text), "all"));
    CHECK(f.configure(fmt::format(fmt::runtime(text), "none"), "configure soft") ==
          "0003 Reconfigured\n");
    CHECK(f.count("protocol s") == "1");
    CHECK(f.bench.reply("reload in s") == "0015-s: reloading\n0000 \n");
    f.bench.run();
    CHECK(f.count("protocol s") == "0");
}

TEST_CASE("a renamed protocol is another protocol") {
    Fixture f("protocol static old { ipv4; route 10.1.0.0/16 blackhole; }\n");
    f.configure("protocol static new { ipv4; route 10.1.0.0/16 blackhole; }\n");
    CHECK(f.state("old").empty());
    CHECK(f.count("protocol new") == "1");
    CHECK(f.count("table master4") == "2");
}

TEST_CASE("a protocol whose table is made anew starts again, others stay") {
    Fixture f(
        "ipv4 table t; protocol static s { ipv4 { table t; }; route 10.1.0.0/16 blackhole; }\n"
        "protocol static other { ipv4 { preference 10; }; route 10.5.0.0/16 blackhole; }\n");
    const std::string before = f.state("s");
    const std::string other = f.state("other");
    f.configure(
        "ipv4 table t sorted; protocol static s { ipv4 { table t; };"
        " route 10.1.0.0/16 blackhole; }\n"
        "protocol static other { ipv4 { preference 10; }; route 10.5.0.0/16 blackhole; }\n");
    CHECK(f.state("s") != before);
    CHECK(f.count("table t") == "1");
    CHECK(f.state("other") == other);
}

TEST_CASE("upkeep, settle times and tracing of a table change in place") {
    Fixture f(
        "ipv4 table t; protocol static s { ipv4 { table t; }; route 10.1.0.0/16 blackhole; }\n");
    const std::string before = f.state("s");
    f.configure(
        "ipv4 table t { gc period 1 s; gc threshold 5; export settle time 1 s 2 s;"
        " route refresh export settle time 2 s 3 s; }"
        " protocol static s { ipv4 { table t; }; route 10.1.0.0/16 blackhole; }\n");
    CHECK(f.state("s") == before);
    CHECK(f.count("table t") == "1");
}

TEST_CASE("routes of a static protocol come and go in place") {
    Fixture f("protocol static s { ipv4; route 10.1.0.0/16 blackhole; }\n");
    const std::string before = f.state("s");
    f.configure(
        "protocol static s { ipv4; route 10.2.0.0/16 blackhole;"
        " route 10.3.0.0/16 blackhole; }\n");
    CHECK(f.count("protocol s") == "2");
    CHECK(f.state("s") == before);
}

TEST_CASE("what an operator disabled is started again by the next configuration") {
    Fixture f("protocol static s { ipv4; route 10.1.0.0/16 blackhole; }\n");
    f.bench.reply("disable s");
    f.bench.run();
    CHECK(f.count("protocol s") == "0");
    f.configure("protocol static s { ipv4; route 10.1.0.0/16 blackhole; }\n");
    CHECK(f.count("protocol s") == "1");
}

TEST_CASE("a bad or missing file changes nothing") {
    Fixture f("protocol static s { ipv4; route 10.1.0.0/16 blackhole; }\n");
    const std::string before = f.state("s");
    CHECK(f.configure("protocol static s { ipv5; }\n") ==
          "8002 bird.conf:3:21 syntax error, unexpected CF_SYM_UNDEFINED\n");
    CHECK(f.bench.reply("configure \"nosuch.conf\"") ==
          "0002-Reading configuration from nosuch.conf\n"
          "8002 nosuch.conf: No such file or directory\n");
    CHECK(f.state("s") == before);
}

TEST_CASE("check says in JSON what would change, and changes nothing") {
    Fixture f("protocol static s { ipv4; route 10.1.0.0/16 blackhole; }\n");
    f.bench.files.add("bird.conf", head + bystander + "protocol static t { ipv4; }\n");
    CHECK(f.bench.reply("configure check") ==
          "0002-Reading configuration from bird.conf\n0020 Configuration OK\n");
    CHECK(f.bench.reply("json configure check").find("stop s") != std::string::npos);
    f.bench.run();
    CHECK(f.count("protocol s") == "1");
}

TEST_CASE("limits of kept memory apply at once, and without them the defaults do") {
    const std::string kept = "Pages to keep:    ";
    Fixture f("memory { keep pages min 1000; keep pages max 4096; cleanup pages bulk 4096; }\n");
    CHECK(f.bench.reply("show memory").find(kept + "1000 to 4096\n") != std::string::npos);
    CHECK(f.configure("memory { keep pages max 512; }\n") == "0003 Reconfigured\n");
    CHECK(f.bench.reply("show memory").find(kept + "64 to 512\n") != std::string::npos);
    f.configure("");
    CHECK(f.bench.reply("show memory").find(kept + "64 to 1024\n") != std::string::npos);
}

TEST_CASE("undo brings the one before back, once") {
    Fixture f("protocol static s { ipv4; route 10.1.0.0/16 blackhole; }\n");
    CHECK(f.bench.reply("configure undo") == "0021-Undo requested\n0019 Nothing to do\n");
    f.configure("");
    CHECK(f.state("s").empty());
    CHECK(f.bench.reply("configure undo") == "0021-Undo requested\n0003 Reconfigured\n");
    f.bench.run();
    CHECK(f.count("protocol s") == "1");
    CHECK(f.bench.reply("configure undo") == "0021-Undo requested\n0019 Nothing to do\n");
}

TEST_CASE("a configuration on trial goes when nobody confirms it, and its session is told") {
    Fixture f("protocol static s { ipv4; route 10.1.0.0/16 blackhole; }\n");
    f.bench.files.add("bird.conf", head + bystander);
    CHECK(f.bench.reply("configure timeout 20") ==
          "0002-Reading configuration from bird.conf\n0022-Undo scheduled in 20 s\n"
          "0004 Reconfiguration in progress\n");
    f.bench.run();
    CHECK(f.state("s").empty());
    CHECK(f.bench.reply("configure status") ==
          "0003-Daemon is up and running\n0022-Configuration unconfirmed, undo in 15 s\n0000 \n");
    f.bench.sim.run_for(loops::seconds(20));
    CHECK(f.count("protocol s") == "1");
    CHECK(f.bench.logged("Config timeout expired, starting undo"));
    CHECK(f.bench.undo_notices == 1);
    CHECK(f.bench.reply("configure confirm") == "0019 Nothing to do\n");
}

TEST_CASE("a confirmed configuration stays") {
    Fixture f("protocol static s { ipv4; }\n");
    f.bench.files.add("bird.conf", head + bystander);
    f.bench.reply("configure timeout 20");
    CHECK(f.bench.reply("configure confirm") == "0018 Reconfiguration confirmed\n");
    f.bench.sim.run_for(loops::seconds(60));
    CHECK(f.state("s").empty());
    CHECK(f.bench.undo_notices == 0);
}

TEST_CASE("a configuration that comes during another one waits for it") {
    Fixture f("ipv4 table t; protocol pipe p { table master4; peer table t; }\n");
    f.bench.files.add("bird.conf", head + bystander);
    CHECK(f.bench.begin("configure").ends_with("0004 Reconfiguration in progress\n"));
    f.bench.read_on();
    f.bench.files.add("bird.conf", head + bystander + "protocol static late { ipv4; }\n");
    CHECK(f.bench.reply("configure")
              .ends_with("0005 Reconfiguration already in progress, queueing new config\n"));
    CHECK(f.bench.reply("configure status") ==
          "0005-Reconfiguration in progress, next one enqueued\n0000 \n");
    f.bench.run();
    CHECK(f.state("p").empty());
    CHECK(f.state("late").starts_with("up "));
}

TEST_CASE("what waits for a commit can be replaced and taken back while that goes on") {
    const std::string queued = "0005 Reconfiguration already in progress, queueing new config\n";
    Fixture f("ipv4 table t; protocol pipe p { table master4; peer table t; }\n");
    f.bench.files.add("bird.conf", head + bystander);
    CHECK(f.bench.reply("configure").ends_with("0004 Reconfiguration in progress\n"));
    CHECK(f.bench.reply("configure undo") == "0021-Undo requested\n" + queued);
    CHECK(f.bench.reply("configure").ends_with(queued));
    CHECK(f.bench.reply("configure undo") ==
          "0021-Undo requested\n"
          "0017 Reconfiguration already in progress, removing queued config\n");
    CHECK(f.bench.reply("configure undo") == "0021-Undo requested\n0019 Nothing to do\n");
    // The pipe on its way out still refers to the configuration before.
    CHECK(f.bench.reply("show protocols all p").find("master4") != std::string::npos);
    f.bench.run();
    CHECK(f.state("p").empty());
}

TEST_CASE("an undo waits for the commit that it undoes") {
    Fixture f("ipv4 table t; protocol pipe p { table master4; peer table t; }\n");
    f.bench.files.add("bird.conf", head + bystander);
    CHECK(f.bench.reply("configure").ends_with("0004 Reconfiguration in progress\n"));
    CHECK(f.bench.reply("configure undo").ends_with("queueing new config\n"));
    f.bench.run();
    CHECK(f.state("p").starts_with("up "));
}

TEST_CASE("configure without a file reads the one of the start") {
    Fixture f("protocol static s { ipv4; }\n");
    f.bench.files.add("other.conf", head + bystander);
    CHECK(f.bench.reply("configure \"other.conf\"")
              .starts_with("0002-Reading configuration from other.conf\n"));
    f.bench.run();
    CHECK(f.state("s").empty());
    CHECK(f.bench.reply("configure check")
              .starts_with("0002-Reading configuration from bird.conf\n"));
    CHECK(f.bench.reply("configure").starts_with("0002-Reading configuration from bird.conf\n"));
    f.bench.run();
    CHECK(f.state("s").starts_with("up "));
}

TEST_CASE("nothing is configured any more during a shutdown") {
    Fixture f("protocol static s { ipv4; }\n");
    f.bench.files.add("bird.conf", head + bystander);
    f.bench.reply("configure timeout 20");
    CHECK(f.bench.reply("down") == "0007 Shutdown requested\n");
    CHECK(f.bench.reply("configure") == "0006 Reconfiguration ignored, shutting down\n");
    CHECK(f.bench.reply("configure undo") ==
          "0021-Undo requested\n0006 Reconfiguration ignored, shutting down\n");
    f.bench.sim.run_for(loops::seconds(60));
    CHECK(f.bench.undo_notices == 0);
}

}  // namespace tern::daemon
