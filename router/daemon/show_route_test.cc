// `show route` of a whole router: arguments, big answers, slow and vanishing clients.
#include "router/daemon/testing.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace tern::daemon {
namespace {

using testing::Bench;

std::string big_configuration(unsigned routes) {
    std::string text =
        "router id 192.0.2.1; timeformat route \"then\"; ipv4 table other;\n"
        "protocol pipe p { table master4; peer table other; export where net.len = 32; }\n"
        "protocol static s { ipv4 { import keep filtered; import where net != 10.0.0.3/32; };\n";
    for (unsigned i = 0; i < routes; ++i) {
        text += fmt::format("route 10.{}.{}.{}/32 blackhole;\n", i >> 16, i >> 8 & 255, i & 255);
    }
    return text + "route 11.0.0.0/8 unreachable { preference = 150; }; }\n";
}

bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
}

constexpr unsigned many = 20'000;

}  // namespace

TEST_CASE("networks are found exactly, by address, and within another") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(6)).empty());
    CHECK(bench.reply("show route 10.0.0.1/32") ==
          "1007-Table master4:\n 10.0.0.1/32          blackhole [s then] * (200)\n0000 \n");
    CHECK(bench.reply("show route for 11.2.3.4 count") ==
          "1007-1 of 1 routes for 1 networks in table master4\n0000 \n");
    CHECK(bench.reply("show route in 10.0.0.0/30 count") ==
          "1007-3 of 3 routes for 3 networks in table master4\n0000 \n");
    CHECK(bench.reply("show route 12.0.0.0/8") == "8001 Network not found\n");
    CHECK(bench.reply("show route for 12.0.0.1") == "8001 Network not found\n");
    CHECK(bench.reply("show route for 2001:db8::1 table master4") ==
          "9001 Incompatible type of prefix/ip for table master4\n");
}

TEST_CASE("rejected routes that were kept are shown when asked for") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(6)).empty());
    CHECK(bench.reply("show route filtered") ==
          "1007-Table master4:\n 10.0.0.3/32          blackhole [s then] (200)\n0000 \n");
    CHECK(has(bench.reply("show protocols all s"), "6 imported, 1 filtered, 0 exported"));
}

TEST_CASE("exports of a protocol: given, not given, offered") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(6)).empty());
    const std::string of_six = " of 6 routes for 6 networks in table master4\n";
    CHECK(bench.reply("show route export p count") == "1007-5" + of_six + "0000 \n");
    CHECK(bench.reply("show route noexport p count") == "1007-1" + of_six + "0000 \n");
    CHECK(bench.reply("show route preexport p count") == "1007-6" + of_six + "0000 \n");
    const std::string refusal =
        "9001 Requested 'show route export' to protocols which aren't accepting exports at all.\n";
    CHECK(bench.reply("show route export s") == refusal);
    CHECK(bench.reply("show route noexport s") == refusal);
    CHECK(bench.reply("show route export nosuch") == "9001 nosuch is not a protocol\n");
    CHECK(bench.reply("show route export p noexport p") == "9001 Export specified twice\n");
}

TEST_CASE("filters of the command see and change what is shown") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(6)).empty());
    CHECK(bench.reply("show route where preference < 200") ==
          "1007-Table master4:\n 11.0.0.0/8           unreachable [s then] * (150)\n0000 \n");
    CHECK(bench.reply("show route 11.0.0.0/8 filter { preference = 7; accept; }") ==
          "1007-Table master4:\n 11.0.0.0/8           unreachable [s then] * (7)\n0000 \n");
    CHECK(bench.reply("show route where 1 = 1 where 2 = 2") == "9001 Filter specified twice\n");
}

TEST_CASE("a mistake in the command's filter is told, an error at run time hides the route") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(6)).empty());
    CHECK(bench.reply("show route where net.len = \"a\" && nosuch") ==
          "9001 syntax error, unexpected CF_SYM_UNDEFINED\n");
    CHECK(bench.reply("show route where net.len") ==
          "9001 Argument 1 of 'if' must be bool, got int\n");
    CHECK(bench.reply("show route where 10 / (net.len - 8) > 0 count") ==
          "1007-0 of 6 routes for 6 networks in table master4\n0000 \n");
    CHECK(bench.logged("Mother told me not to divide by 0"));
}

TEST_CASE("attributes have BIRD 2's names on a socket that wants them") {
    Bench modern;
    REQUIRE(modern.start(big_configuration(1)).empty());
    const std::string all = modern.reply("show route 11.0.0.0/8 all");
    CHECK(has(all, "1012-\tpreference: 150\n \tsource: static\n"));
    CHECK(has(all, "1008-\tInternal route handling values: "));
    cli::Personality old;
    old.v2_attributes = true;
    Bench bench(old);
    REQUIRE(bench.start(big_configuration(1)).empty());
    CHECK(bench.reply("show route 11.0.0.0/8 all") ==
          "1007-Table master4:\n 11.0.0.0/8           unreachable [s then] * (150)\n"
          "1008-\tType: static univ\n0000 \n");
}

TEST_CASE("JSON has tables, routes and attributes") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(2)).empty());
    std::string json;
    const std::string reply = bench.reply("json show route 11.0.0.0/8 all");
    for (std::size_t at = 0; at < reply.size();) {
        const std::size_t end = reply.find('\n', at);
        std::string_view line(reply.data() + at, end - at);
        if (line.starts_with("1100")) json += line.substr(5);
        if (line.starts_with(' ')) json += line.substr(1);
        at = end + 1;
    }
    CHECK(has(json, "\"record\":\"table\""));
    CHECK(has(json, "\"name\":\"master4\""));
    CHECK(has(json, "\"network\":\"11.0.0.0/8\""));
    CHECK(has(json, "\"primary\":true"));
    CHECK(has(json, "\"preference\":\"150\""));
    CHECK(reply.ends_with("0000 \n"));
}

TEST_CASE("a client that does not read holds back its own answer, and nothing piles up") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(many)).empty());
    bench.begin("show route");
    const std::size_t waiting = bench.session().pending_output().size();
    CHECK(waiting >= cli::reply_bytes_max);
    CHECK(waiting < 2 * cli::reply_bytes_max);
    bench.run();
    CHECK(bench.session().pending_output().size() == waiting);
    std::size_t lines = 0;
    std::size_t most = 0;
    std::string last;
    do {
        const std::string_view bytes = bench.session().pending_output();
        most = std::max(most, bytes.size());
        lines += static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\n'));
        last = bytes;
    } while (!bench.read_on().empty());
    CHECK(lines == many + 2);  // heading, routes but the rejected one, the other one, the end
    CHECK(most < 2 * cli::reply_bytes_max);
    CHECK(last.ends_with("0000 \n"));
}

TEST_CASE(
    "a reconfiguration ends an answer in progress with 8004, and the next command is answered") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(many)).empty());
    bench.begin("show route where net.len > 4");
    bench.files.add("bird.conf", big_configuration(10));
    {
        const locking::TransitLock lock(bench.main);
        auto next = bench.router().configurator().read("bird.conf");
        REQUIRE(next);
        bench.router().configurator().configure(std::move(*next), {});
    }
    std::string rest(bench.session().pending_output());
    for (std::string more = bench.read_on(); !more.empty(); more = bench.read_on())
        rest += more;
    CHECK(rest.ends_with("8004 Stopped due to reconfiguration\n"));
    bench.run();
    CHECK(bench.reply("show route count") ==
          "1007-10 of 10 routes for 10 networks in table master4\n0000 \n");
}

TEST_CASE("a client that leaves in the middle of an answer leaves nothing behind") {
    Bench bench;
    REQUIRE(bench.start(big_configuration(many)).empty());
    bench.begin("show route all filter { preference = 3; accept; }");
    bench.read_on();
    {
        const locking::TransitLock lock(bench.main);
        CHECK(bench.session().orphan());
    }
    bench.run();
    CHECK(bench.session().done());
}

}  // namespace tern::daemon
