#include "router/config/filter_bench.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

namespace tern::config {

using testing::Bench;
using testing::run_script;

TEST_CASE("filter scripts print what they say they do") {
    const std::filesystem::path folder = "../filter/testdata";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".filter") continue;
        std::ifstream file(entry.path());
        std::string line;
        std::string text;
        std::string wanted;
        while (std::getline(file, line)) {
            if (line.starts_with("# expect: ")) {
                wanted += line + "\n";
            } else {
                text += line + "\n";
            }
        }
        std::string got;
        for (const std::string& result : run_script(text))
            got += "# expect: " + result + "\n";
        if (std::getenv("TERN_UPDATE") != nullptr) std::ofstream(entry.path()) << text << got;
        INFO(entry.path().string());
        CHECK(got == wanted);
    }
}

TEST_CASE("a filter that does not look at the net says so") {
    Bench bench(
        "filter a { if bgp_path.len < 20 then accept; reject; }"
        "filter b { if net ~ [ 10.0.0.0/8+ ] then accept; reject; }"
        "function f() -> bool { return net.len > 8; } filter c { if f() then accept; reject; }"
        "filter d { bgp_med = 5; accept; }");
    REQUIRE(bench.definitions());
    const auto named = [&bench](std::string_view name) {
        return bench.config.scope().find(name)->as<const filter::Filter>();
    };
    CHECK_FALSE(named("a")->reads_net());
    CHECK_FALSE(named("a")->effects().writes);
    CHECK(named("b")->reads_net());
    CHECK(named("c")->reads_net());
    CHECK_FALSE(named("d")->reads_net());
    CHECK(named("d")->effects().writes);
}

TEST_CASE("filters are compared by structure, not by name or line") {
    const std::string text =
        "function f(int a) -> int { if a = 0 then return 0; return f(a - 1); }"
        "filter x { if f(3) = 0 && net ~ [ 10.0.0.0/8+ ] then accept; reject; }";
    Bench one(text);
    Bench two("\n\n" + text);
    Bench other(
        "function f(int a) -> int { if a = 0 then return 1; return f(a - 1); }"
        "filter x { if f(3) = 0 && net ~ [ 10.0.0.0/8+ ] then accept; reject; }");
    REQUIRE(one.definitions());
    REQUIRE(two.definitions());
    REQUIRE(other.definitions());
    const auto x = [](Bench& b) { return b.config.scope().find("x")->as<const filter::Filter>(); };
    CHECK(x(one)->same_as(*x(two)));
    CHECK(x(one)->hash() == x(two)->hash());
    CHECK_FALSE(x(one)->same_as(*x(other)));

    Bench constant("filter x { if net.len = 2 && net ~ [ 10.0.0.0/8+ ] then accept; reject; }");
    Bench another("filter x { if net.len = 3 && net ~ [ 10.0.0.0/8+ ] then accept; reject; }");
    REQUIRE(constant.definitions());
    REQUIRE(another.definitions());
    CHECK(x(constant)->hash() != x(another)->hash());
}

TEST_CASE("blocks of routes that say the same are one filter and leave nothing behind") {
    std::string text;
    for (int i = 0; i < 1000; ++i)
        text += "{ if net ~ [ 10.0.0.0/8 ] then bgp_med = 5; }\n{ bgp_path.prepend(7); }\n";
    Bench bench(text + "{ bgp_path.prepend(8); }");
    const filter::Filter* const first = bench.language.parse_route_block(*bench.parser);
    const filter::Filter* const second = bench.language.parse_route_block(*bench.parser);
    REQUIRE(second != nullptr);
    CHECK(first != second);
    const std::size_t held = bench.language.arena().held_bytes();
    const std::size_t codes = bench.language.library().mark().codes;
    for (int i = 1; i < 1000; ++i) {
        REQUIRE(bench.language.parse_route_block(*bench.parser)->same_as(*first));
        REQUIRE(bench.language.parse_route_block(*bench.parser) == second);
    }
    CHECK(bench.language.library().mark().codes < codes + 1000);
    CHECK(bench.language.arena().held_bytes() < held + 1000 * alloc::page_bytes);
    CHECK(bench.language.parse_route_block(*bench.parser) != second);
}

}  // namespace tern::config
