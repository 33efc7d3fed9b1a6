// The words of replies: what tools parse must not change by accident.
#include "router/daemon/testing.h"

#include <catch2/catch.hpp>

namespace tern::daemon {
namespace {

using testing::Bench;

const std::string configuration =
    "router id 192.0.2.1; hostname \"test\";\n"
    "timeformat protocol \"then\"; timeformat route \"then\"; timeformat base \"second %S\";\n"
    "define LIMIT = 24;\n"
    "filter small { if net.len > LIMIT then accept; reject; }\n"
    "ipv4 table other;\n"
    "protocol static s4 { description \"four\"; ipv4 { import limit 10 action warn; };\n"
    "  route 10.0.0.0/8 blackhole; route 10.1.0.0/16 unreachable; route 10.1.2.0/25 prohibit; }\n"
    "protocol static s6 { ipv6; route 2001:db8::/32 blackhole; }\n"
    "protocol static resting { disabled; ipv4 { table other; }; route 11.0.0.0/8 blackhole; }\n"
    "protocol pipe p { table master4; peer table other; import none; export filter small; }\n";

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("show status says who it is and how it does") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("show status") ==
          "1000-BIRD 3.3.2\n1011-Router ID is 192.0.2.1\n Hostname is test\n"
          " Current server time is second 05\n"
          " Last reboot on second 00\n"
          " Last reconfiguration on second 00\n"
          "0013 Daemon is up and running\n");
    CHECK(bench.reply("show status now") ==
          "9001 syntax error, unexpected CF_SYM_UNDEFINED, expecting END\n");
}

TEST_CASE("show protocols has one row each, with the table even of one that does not run") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("show protocols") ==
          "2002-Name       Proto      Table      State  Since         Info\n"
          "1002-s4         Static     master4    up     then          \n"
          " s6         Static     master6    up     then          \n"
          " resting    Static     other      down   then          \n"
          " p          Pipe       ---        up     then          master4 <=> other\n"
          "0000 \n");
    CHECK(bench.reply("show protocols \"s*\"") ==
          "2002-Name       Proto      Table      State  Since         Info\n"
          "1002-s4         Static     master4    up     then          \n"
          " s6         Static     master6    up     then          \n"
          "0000 \n");
    CHECK(bench.reply("show protocols \"x*\"") == "8003 No protocols match\n");
    CHECK(bench.reply("show protocols nosuch") == "9002 nosuch does not exist\n");
    CHECK(bench.reply("show protocols other") == "9002 other is not a protocol\n");
}

TEST_CASE("show protocols all has the channel block in the columns that tools expect") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("show protocols all s4") ==
          "2002-Name       Proto      Table      State  Since         Info\n"
          "1002-s4         Static     master4    up     then          \n"
          "1006-  Description:        four\n"
          "   Created:            then\n"
          "   Channel ipv4\n"
          "     State:          UP\n"
          "     Import state:   UP\n"
          "     Export state:   DOWN\n"
          "     Table:          master4\n"
          "     Preference:     200\n"
          "     Input filter:   ACCEPT\n"
          "     Output filter:  REJECT\n"
          "     Import limit:   10\n"
          "       Action:       warn\n"
          "     Routes:         3 imported, 0 exported, 3 preferred\n"
          "     Route change stats:     received   rejected   filtered    ignored   RX limit      "
          "limit   accepted\n"
          "       Import updates:              3          0          0          0          0       "
          "   0          3\n"
          "       Import withdraws:            0          0        ---          0        ---       "
          " ---          0\n"
          "       Export updates:              0          0          0          0        ---       "
          "   0          0\n"
          "       Export withdraws:            0        ---        ---          0        ---       "
          " ---          0\n"
          " \n"
          "0000 \n");
}

TEST_CASE("a protocol that is down still shows its channels") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("show protocols all resting") ==
          "2002-Name       Proto      Table      State  Since         Info\n"
          "1002-resting    Static     other      down   then          \n"
          "1006-  Created:            then\n"
          "   Channel ipv4\n"
          "     State:          DOWN\n"
          "     Import state:   DOWN\n"
          "     Export state:   DOWN\n"
          "     Table:          other\n"
          "     Preference:     200\n"
          "     Input filter:   ACCEPT\n"
          "     Output filter:  REJECT\n"
          " \n"
          "0000 \n");
}

TEST_CASE("orders are answered per protocol, and once more with what is so already") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("disable s4") == "0009-s4: disabled\n0000 \n");
    bench.run();
    CHECK(bench.reply("disable s4") == "0008-s4: already disabled\n0000 \n");
    CHECK(bench.reply("reload s4") == "0008-s4: is not UP\n0000 \n");
    CHECK(bench.reply("restart s4") == "0008-s4: already disabled\n0000 \n");
    CHECK(bench.reply("enable s4 \"a reason\"") == "0011-s4: enabled\n0000 \n");
    bench.run();
    CHECK(has(bench.reply("show protocols all s4"), "  Message:            a reason\n"));
    CHECK(bench.reply("enable s4") == "0010-s4: already enabled\n0000 \n");
    CHECK(bench.reply("restart \"s*\"") == "0012-s4: restarted\n s6: restarted\n0000 \n");
    bench.run();
    CHECK(bench.reply("reload in s4") == "0015-s4: reloading\n0000 \n");
    CHECK(bench.reply("reload filters out p") == "0015-p: reloading\n0000 \n");
    CHECK(bench.reply("debug s4 { states, routes }") == "0000 \n");
    CHECK(bench.reply("debug s4 nonsense") ==
          "9001 syntax error, unexpected CF_SYM_UNDEFINED, expecting ALL or OFF or '{'\n");
    CHECK(bench.reply("disable nosuch") == "9002 nosuch does not exist\n");
    CHECK(bench.reply("disable \"x*\"") == "8003 No protocols match\n");
}

TEST_CASE("traced routes are logged with the way they took") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("debug s4 { routes }") == "0000 \n");
    CHECK(bench.reply("debug p { routes, filters }") == "0000 \n");
    bench.reply("disable s4");
    bench.run();
    bench.reply("enable s4");
    bench.run();
    CHECK(bench.logged("s4.ipv4 > added 10.1.0.0/16"));
    CHECK(bench.logged("p: < removed 10.1.2.0/25"));
    CHECK(bench.logged("p: < added 10.1.2.0/25"));
    CHECK(bench.logged("p: < filtered out 10.0.0.0/8"));
}

TEST_CASE("symbols are listed by class, a single one ends the reply") {
    Bench bench;
    bench.files.add("/etc/iproute2/rt_protos", "186 bgp\n");
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("show symbols table") ==
          "1010-master4 \trouting table\n master6 \trouting table\n other   \trouting table\n"
          "0000 \n");
    CHECK(bench.reply("show symbols small") == "1010 small   \tfilter\n");
    CHECK(bench.reply("show symbols nosuch") == "9002 nosuch does not exist\n");
    CHECK(has(bench.reply("show symbols"), " ipp_bgp \tconstant\n"));
    CHECK(bench.reply("eval ipp_bgp + 1") == "0023 187\n");
}

TEST_CASE("static protocols are shown one after the other with a blank line between") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("show static s6") == "1009-2001:db8::/32\tblackhole\n0000 \n");
    CHECK(has(bench.reply("show static"), "\n \n 2001:db8::/32\tblackhole\n"));
    CHECK(bench.reply("show static p") == "9001 p: Not a static protocol\n");
}

TEST_CASE("threads are shown with their loops, and the last line ends the reply") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    const std::string brief = bench.reply("show threads");
    CHECK(brief.starts_with(
        "1027-Thread ID       Working         Overhead        Idle        Loops  Group\n 0000 "));
    CHECK(
        brief.ends_with("\n All loops in group worker are assigned.\n"
                        "1027 All loops in group express are assigned.\n"));
    const std::string all = bench.reply("show threads all");
    CHECK(has(all, "Thread 0000  (group main"));
    CHECK(has(all, "\n   Loop p\n     Working  total time: "));
    CHECK(has(all, "\n   Total working time: "));
    CHECK(all.ends_with("1027 All loops in group express are assigned.\n"));
}

TEST_CASE("thread groups take over their limits while they run") {
    Bench bench;
    const std::string tail = "protocol static { ipv4; }";
    REQUIRE(bench
                .start("router id 1; thread group big { threads 2; default; max time 50 ms; "
                       "wakeup time 2 s; } " +
                       tail)
                .empty());
    const auto limits = [&] {
        const locking::TransitLock lock(bench.main);
        for (const loops::GroupReport& each : bench.router().runtime().report_groups()) {
            if (each.name == "big") return each;
        }
        return loops::GroupReport();
    };
    CHECK(limits().threads == 2);
    CHECK(limits().limits.max_slice == loops::milliseconds(50));
    CHECK(limits().limits.max_latency == loops::milliseconds(300));
    CHECK(limits().limits.max_sleep == loops::seconds(2));
    REQUIRE(
        bench.start("router id 1; thread group big { default; min time 30 ms; } " + tail).empty());
    CHECK(limits().threads == 1);
    CHECK(limits().limits.min_slice == loops::milliseconds(30));
    CHECK(limits().limits.max_slice == loops::milliseconds(30));
}

TEST_CASE("what does not exist in this build says so") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    for (const char* line : {"mrtdump s4 all", "dump sockets \"f\"", "mrt dump table t"}) {
        CHECK(bench.reply(line) == "9001 This command is not available in this build\n");
    }
    CHECK(has(bench.reply("show bfd sessions"), "9001 "));
}

TEST_CASE("a restricted session may look, not touch") {
    Bench bench;
    REQUIRE(bench.start(configuration).empty());
    CHECK(bench.reply("restrict") == "0016 Access restricted\n");
    for (const char* line : {"configure", "down", "disable s4", "reload s4", "debug s4 all",
                             "dump routes \"f\"", "graceful restart", "restart all"}) {
        CHECK(bench.reply(line) == "8007 Access denied\n");
    }
    CHECK(bench.reply("eval 1 + 1") == "0023 2\n");
    CHECK(bench.reply("timeformat iso long") == "0000 \n");
    CHECK(bench.reply("configure status") == "0003-Daemon is up and running\n0000 \n");
}

}  // namespace tern::daemon
