#include "router/proto/pipe/pipe.h"

#include "router/engine/testing.h"
#include "router/proto/static/static.h"

namespace tern::pipe {
namespace {

using engine::testing::TestRouter;
using Routes = std::map<std::string, std::vector<std::string>>;

struct PipeRouter : TestRouter {
    explicit PipeRouter(std::uint64_t seed)
        : TestRouter(seed, {&descriptor(), &static_routes::descriptor()}) {}

    static std::string two_sides(const std::string& pipe,
                                 const std::string& left,
                                 const std::string& right) {
        return "ipv4 table other; ipv4 table third;"
               "protocol static left { ipv4; " +
               left + "} protocol static right { ipv4 { table other; }; " + right + "}" + pipe;
    }
};

constexpr const char* both = "protocol pipe p { table master4; peer table other; import all; }";

}  // namespace

TEST_CASE("routes go through a pipe in both directions and keep their protocol's name") {
    PipeRouter router(1);
    router.apply(
        PipeRouter::two_sides(both, "route 10.0.0.0/8 blackhole;", "route 20.0.0.0/8 blackhole;"));
    const Routes expected = {{"10.0.0.0/8", {"left"}}, {"20.0.0.0/8", {"right"}}};
    CHECK(router.routes("master4") == expected);
    CHECK(router.routes("other") == expected);
}

TEST_CASE("all routes of a network travel, and each goes away with its original") {
    PipeRouter router(2);
    const std::string three =
        "route 10.0.0.0/8 blackhole; route 10.0.0.0/8 prohibit;"
        "route 10.0.0.0/8 unreachable;";
    router.apply(PipeRouter::two_sides(both, three, "route 10.0.0.0/8 blackhole;"));
    CHECK(router.routes("other")["10.0.0.0/8"].size() == 4);
    CHECK(router.routes("master4")["10.0.0.0/8"].size() == 4);
    router.apply(
        PipeRouter::two_sides(both, "route 10.0.0.0/8 blackhole;", "route 10.0.0.0/8 blackhole;"));
    CHECK(router.routes("other")["10.0.0.0/8"].size() == 2);
    CHECK(router.routes("master4")["10.0.0.0/8"].size() == 2);
    router.apply(PipeRouter::two_sides(both, "", ""));
    CHECK(router.routes("other").empty());
    CHECK(router.routes("master4").empty());
}

TEST_CASE("filters of a pipe choose and change routes, preference included") {
    PipeRouter router(3);
    router.apply(PipeRouter::two_sides(
        "protocol pipe p { table master4; peer table other; import none;"
        " export filter { if net.len > 8 then reject; preference = 33; accept; }; }",
        "route 10.0.0.0/8 blackhole; route 10.1.0.0/16 blackhole;", "route 20.0.0.0/8 blackhole;"));
    CHECK(router.routes("master4").size() == 2);
    CHECK(router.routes("other") == Routes{{"10.0.0.0/8", {"left"}}, {"20.0.0.0/8", {"right"}}});
    router.each_route("other", [](const net::Prefix& net, const table::Route& route) {
        CHECK(route.preference == (net.address().v4_value() >> 24 == 10 ? 33 : 200));
    });
}

TEST_CASE("changed filters apply to what is there") {
    PipeRouter router(4);
    const auto with = [](const std::string& filter) {
        return PipeRouter::two_sides(
            "protocol pipe p { table master4; peer table other;"
            " import all; export " +
                filter + "; }",
            "route 10.0.0.0/8 blackhole; route 11.0.0.0/8 blackhole;", "");
    };
    router.apply(with("all"));
    CHECK(router.routes("other").size() == 2);
    router.apply(with("where net = 10.0.0.0/8"));
    CHECK(router.routes("other") == Routes{{"10.0.0.0/8", {"left"}}});
    router.apply(with("in 11.0.0.0/8 all"));
    CHECK(router.routes("other") == Routes{{"11.0.0.0/8", {"left"}}});
    router.apply(with("none"));
    CHECK(router.routes("other").empty());
}

TEST_CASE("a ring of pipes ends at the greatest generation") {
    PipeRouter router(5);
    router.apply(PipeRouter::two_sides(
        "protocol pipe a { table master4; peer table other; import none; max generation 5; }"
        "protocol pipe b { table other; peer table third; import none; max generation 5; }"
        "protocol pipe c { table third; peer table master4; import none; max generation 5; }",
        "route 10.0.0.0/8 blackhole;", ""));
    unsigned greatest = 0;
    for (const char* table : {"master4", "other", "third"}) {
        router.each_route(table, [&](const net::Prefix&, const table::Route& route) {
            greatest = std::max(greatest, router.sources.owner(route.source).generation());
            CHECK(router.sources.owner(route.source).protocol_name() == "left");
        });
    }
    CHECK(greatest == 5);
}

TEST_CASE("a pipe that stops takes its routes along, and only those") {
    PipeRouter router(6);
    router.apply(
        PipeRouter::two_sides(both, "route 10.0.0.0/8 blackhole;", "route 20.0.0.0/8 blackhole;"));
    router.order([](engine::Supervisor& s) { s.disable("p", ""); });
    router.run();
    CHECK(router.state("p") == engine::ProtocolState::down);
    CHECK(router.routes("other") == Routes{{"20.0.0.0/8", {"right"}}});
    CHECK(router.routes("master4") == Routes{{"10.0.0.0/8", {"left"}}});
    router.order([](engine::Supervisor& s) { s.enable("p", ""); });
    router.run();
    CHECK(router.routes("other").size() == 2);
}

TEST_CASE("an export limit of a pipe disables it") {
    PipeRouter router(7);
    router.apply(PipeRouter::two_sides(
        "protocol pipe p { table master4; peer table other; export limit 1; }",
        "route 10.0.0.0/8 blackhole; route 11.0.0.0/8 blackhole;", ""));
    CHECK(router.state("p") == engine::ProtocolState::down);
    CHECK(router.routes("other").empty());
}

TEST_CASE("a table that is made anew restarts its pipe") {
    PipeRouter router(8);
    const auto with = [](const std::string& table) {
        return table +
               "protocol static left { ipv4; route 10.0.0.0/8 blackhole; }"
               "protocol pipe p { table master4; peer table other; import all; }";
    };
    router.apply(with("ipv4 table other;"));
    CHECK(router.routes("other").size() == 1);
    router.apply(with("ipv4 table other sorted;"));
    CHECK(router.routes("other").size() == 1);
}

TEST_CASE("wrong pipes are refused with the words of the reference") {
    PipeRouter router(9);
    const std::string tables = "ipv4 table other; ipv6 table six;";
    CHECK(router.configure(tables + "protocol pipe { peer table other; }") ==
          "Primary routing table not specified");
    CHECK(router.configure(tables + "protocol pipe { table other; }") ==
          "Secondary routing table not specified");
    CHECK(router.configure(tables + "protocol pipe { table other; peer table other; }") ==
          "Primary table and peer table must be different");
    CHECK(router.configure(tables + "protocol pipe { table other; peer table six; }") ==
          "Primary table and peer table must have the same type");
    CHECK(router.configure(tables +
                           "protocol pipe { table other; peer table master4; receive limit 5; }") ==
          "Pipe protocol does not support receive limits");
    CHECK(
        router.configure(
            tables + "protocol pipe { table other; peer table master4; import keep filtered; }") ==
        "Pipe protocol prohibits keeping filtered routes");
}

}  // namespace tern::pipe
