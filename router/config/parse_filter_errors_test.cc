#include "router/config/filter_bench.h"

#include <catch2/catch.hpp>

namespace tern::config {

using testing::Bench;
using testing::run_script;

namespace {

struct Mistake {
    const char* text;
    const char* complaint;  ///< line:column and the text
};

constexpr Mistake mistakes[] = {
    // names and scopes
    {"filter a { foo; }", "1:12 syntax error, unexpected CF_SYM_UNDEFINED"},
    {"filter a { accept; } filter a { accept; }", "1:29 Symbol 'a' already defined"},
    {"filter a { int n; int n; accept; }", "1:23 Symbol 'n' already defined"},
    {"filter a { { int n; } n = 1; accept; }", "1:23 syntax error, unexpected CF_SYM_UNDEFINED"},
    {"define N = 1; filter a { N = 2; accept; }", "1:26 Constant is read-only"},
    {"define N = bgp_path.len;", "1:12 syntax error, unexpected CF_SYM_UNDEFINED"},
    {"function f() { g(); } function g() { }", "1:16 syntax error, unexpected CF_SYM_UNDEFINED"},
    {"filter a { if ospf_tag = 1 then accept; }",
     "1:15 Attribute 'ospf_tag' is not available in this build"},
    // types
    {"filter a { if 1 then accept; }", "1:15 Argument 1 of 'if' must be bool, got int"},
    {"filter a { if 1 + true = 2 then accept; }", "1:19 Argument 2 of '+' must be int, got bool"},
    {"filter a { if !5 then accept; }", "1:16 Argument 1 of '!' must be bool, got int"},
    {"filter a { print 1 < \"x\"; }", "1:20 Arguments 1 and 2 of '<' must be of the same type"},
    {"filter a { print bgp_community < bgp_community; }",
     "1:32 Can't compare values of incompatible types"},
    {"filter a { bgp_med = \"x\"; accept; }", "1:22 Argument 2 of '=' must be int, got string"},
    {"filter a { int n = true; accept; }", "1:20 Argument 2 of '=' must be int, got bool"},
    {"filter a { net = 1.0.0.0/8; accept; }", "1:12 This static attribute is read-only."},
    {"filter a { unset(net); accept; }", "1:18 Can't unset net"},
    {"filter a { bgp_path.shrink; accept; }", "1:21 Method 'shrink' not found for type bgppath"},
    {"filter a { bgp_path.prepend(1, 2); accept; }",
     "1:21 Method 'prepend' expects 1 arguments, got 2 arguments"},
    {"filter a { bgp_path.prepend(\"x\"); accept; }",
     "1:29 Argument 1 of 'prepend' must be int, got string"},
    {"filter a { string set s; }", "1:19 You can't create sets of this type."},
    {"filter a { if 1 = 1 = true then accept; }", "1:21 syntax error, unexpected '='"},
    // functions
    {"function f(int n) -> int { return n; } filter a { print f(); }",
     "1:57 Function 'f' expects 1 arguments, got 0 arguments"},
    {"function f(int n) -> int { return n; } filter a { print f(\"x\"); }",
     "1:59 Argument 1 of 'f' must be int, got string"},
    {"function f() -> int { return true; }",
     "1:23 Can't return bool from a function that returns int"},
    {"filter a { return 1; }",
     "1:12 Can't return from a non-function, use accept or reject instead."},
    {"filter a { print format(1, 2); }",
     "1:18 Function 'format' expects 1 arguments, got 2 arguments"},
    // sets, prefixes, masks
    {"define S = [10.0.0.1/8];",
     "1:13 Invalid IPv4 prefix 10.0.0.1/8, maybe you wanted 10.0.0.0/8"},
    {"define S = 10.0.0.0/33;", "1:12 Invalid prefix length 33"},
    {"define S = [10.0.0.0/8{9,33}];", "1:13 Invalid prefix pattern range: {9, 33}"},
    {"define S = [10.0.0.0/8{20,16}];", "1:13 Invalid prefix pattern range: {20, 16}"},
    {"define S = [10.0.0.0/8, ::/0];", "1:25 Mixed IPv4/IPv6 prefixes in prefix set"},
    {"define S = [(5,1)..(4,0)];", "1:13 From value cannot be higher that To value in pair sets"},
    {"filter a { case 1 { (1,2): accept; } }", "1:21 Type mismatch in set: int and pair"},
    {"define S = [(1, 70000)];", "1:17 Can't operate with value out of bounds in pair constructor"},
    {"define S = [\"x\"];", "1:13 You can't create sets of this type."},
    {"filter a { int n; print 1 ~ [n]; }", "1:30 Constant expression expected"},
    {"filter a { print 1 ~ [(bgp_path.len)]; }", "1:24 Constant expression expected"},
    {"define S = [= + 1 =];", "1:15 Path mask iterator '+' cannot be first"},
    {"define S = [= \"x\" =];", "1:15 Error resolving path mask template: value not an integer"},
    {"define S = 1 / 0;", "1:14 filter preevaluation, line 1: Mother told me not to divide by 0"},
    {"define N = 4294967296;", "1:12 Number out of range"},
    // case and for
    {"filter a { case 1 { 1..5: accept; 5: reject; } }",
     "1:12 Overlaping intervals in switch cases not allowed"},
    {"filter a { for pair p in bgp_path do accept; }",
     "1:12 Loop variable 'p' in FOR must be of type int, got pair"},
    {"filter a { for int p in net do accept; }",
     "1:25 Type expression in FOR must be an iterable value"},
    {"filter a { int p; for p in bgp_path do accept; }",
     "1:23 Use of a pre-defined variable in for loop is not allowed"},
    // what other builds can do
    {"filter a { print roa_check(a); }", "1:28 Expected routing table, but symbol 'a' is filter"},
    {"filter a { print roa_check(aspas); }", "1:28 'aspas' is not a ROA table"},
    {"filter a { print aspa_check_upstream(roas); }", "1:38 'roas' is not an ASPA table"},
    {"define R = 10.0.0.0/8 max 24 as 1;",
     "1:12 Networks of this type are not available in this build"},
    {"define F = flow4 { dst 10.0.0.0/8; };",
     "1:12 Networks of type flow4 are not available in this build"},
    {"define V = 1:2 10.0.0.0/8;", "1:12 Networks of this type are not available in this build"},
    // structure
    {"filter a { accept }", "1:19 syntax error, unexpected '}'"},
    {"filter a { if true accept; }", "1:20 syntax error, unexpected ACCEPT, expecting THEN"},
    {"filter a { accept;", "1:19 syntax error, unexpected END, expecting '}'"},
};

}  // namespace

TEST_CASE("mistakes in filters are told with their place") {
    for (const Mistake& mistake : mistakes) {
        Bench bench(mistake.text);
        const bool good = bench.definitions();
        INFO(mistake.text);
        CHECK_FALSE(good);
        if (good) continue;
        const ConfigError& error = bench.parser->error();
        CHECK(fmt::format("{}:{} {}", error.position.line, error.position.column, error.text) ==
              mistake.complaint);
    }
}

TEST_CASE("older forms are read and a warning names the new one") {
    Bench bench("function f(int n) { return n + 1; } filter a { print f(1); accept; }");
    REQUIRE(bench.definitions());
    REQUIRE(bench.config.warnings.size() == 1);
    CHECK(bench.config.warnings[0].text ==
          "Inferring function f return type from its return value: int");
    CHECK(run_script("filter a { case 2 { 1: print 1; print 2; 2: print 3; print 4; } accept; }") ==
          std::vector<std::string>{"3", "4", "a: accept"});
}

TEST_CASE("at most 255 variables fit into a function") {
    std::string text = "filter a { ";
    for (int i = 0; i < 255; ++i)
        text += fmt::format("int x{}; ", i);
    Bench good(text + "accept; }");
    CHECK(good.definitions());
    Bench bad(text + "int more; accept; }");
    REQUIRE_FALSE(bad.definitions());
    CHECK(bad.parser->error().text == "Too many variables, at most 255 allowed");
}

TEST_CASE("long chains are no nesting") {
    std::string text = "filter a { if bgp_path.len = 0 then accept; ";
    for (int i = 1; i < 1000; ++i)
        text += fmt::format("else if bgp_path.len = {} then {{ print {}; accept; }} ", i, i);
    CHECK(run_script(text + "reject; }") == std::vector<std::string>{"2", "a: accept"});
    text = "filter a { if false ";
    for (int i = 1; i < 1000; ++i)
        text += fmt::format("|| bgp_path.len = {} ", i);
    CHECK(run_script(text + "then accept; reject; }") == std::vector<std::string>{"a: accept"});
}

TEST_CASE("nesting has a limit instead of an end of the stack") {
    for (const auto& [open, close] : {std::pair("(", ")"), std::pair("!", ""), std::pair("{", "}"),
                                      std::pair("if true then ", "")}) {
        const bool statement = *open == '{' || *open == 'i';
        std::string text = statement ? "filter a { " : "filter a { print ";
        for (int i = 0; i < 100'000; ++i)
            text += open;
        text += statement ? "accept;" : "true";
        for (int i = 0; i < 100'000; ++i)
            text += close;
        Bench bench(text + (statement ? " }" : "; }"));
        INFO(open);
        REQUIRE_FALSE(bench.definitions());
        CHECK(bench.parser->error().text == "Too deeply nested");
    }
}

}  // namespace tern::config
