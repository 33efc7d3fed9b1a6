#include "router/config/parser.h"

#include "router/config/test_protocol.h"

#include <catch2/catch.hpp>

namespace tern::config {

namespace {

using testing::Bench;

/// A parser over a text in the scope of a small configuration.
struct Line {
    explicit Line(std::string text) {
        ParsedConfig parsed = bench.parse(
            "define five = 5; define word = \"w\"; define yes_ = true;"
            "define home = 10.0.0.1; protocol tube { table master4; };");
        REQUIRE(parsed);
        config = std::move(*parsed);
        command = std::make_unique<CommandText>(*config, std::move(text));
    }

    Parser& operator*() { return command->parser(); }

    Bench bench;
    std::unique_ptr<Config> config;
    std::unique_ptr<CommandText> command;
};

}  // namespace

TEST_CASE("numbers come from literals, constants and expressions in parentheses") {
    Line line("7 five (5) word");
    Parser& p = *line;
    CHECK(p.number() == 7);
    CHECK(p.number() == 5);
    CHECK(p.number() == 5);
    p.number();
    CHECK(p.error().text == "Number expected");
}

TEST_CASE("an unknown word where a number belongs is a syntax error") {
    Line line("six");
    (*line).number();
    CHECK((*line).error().text ==
          "syntax error, unexpected CF_SYM_UNDEFINED, expecting NUM or CF_SYM_KNOWN or '('");
    CHECK((*line).error().hint == "'six' is not defined here");
}

TEST_CASE("a switch is on when nothing is said") {
    Line line("; off ; yes ; yes_ ; 0 ; word");
    Parser& p = *line;
    for (const bool wanted : {true, false, true, true, false}) {
        CHECK(p.boolean() == wanted);
        p.expect(TokenKind::semicolon);
    }
    CHECK(line.config->warnings.size() == 1);
    p.boolean();
    CHECK(p.error().text == "Switch value expected");
}

TEST_CASE("times need a unit") {
    Line line("3 s 20 ms 7us 5");
    Parser& p = *line;
    CHECK(p.time() == 3'000'000);
    CHECK(p.time() == 20'000);
    CHECK(p.time() == 7);
    p.time();
    CHECK(p.error().text == "syntax error, unexpected END, expecting S or MS or US");
}

TEST_CASE("texts, addresses and identifiers take constants of their type") {
    Line line("\"x\" word home fe80::1 home 1.2.3.4 9 word");
    Parser& p = *line;
    CHECK(p.text() == "x");
    CHECK(p.text() == "w");
    CHECK(p.address().to_string() == "10.0.0.1");
    CHECK(p.address().to_string() == "fe80::1");
    CHECK(p.identifier() == 0x0a000001);
    CHECK(p.identifier() == 0x01020304);
    CHECK(p.identifier() == 9);
    p.address();
    CHECK(p.error().text == "IP address expected");
}

TEST_CASE("after the first error nothing is accepted and the error stays") {
    Line line("a b");
    Parser& p = *line;
    p.expect("x");
    p.expect("y");
    CHECK(p.error().text == "syntax error, unexpected CF_SYM_UNDEFINED, expecting X");
    CHECK(p.at(TokenKind::end));
    CHECK_FALSE(p.accept("a"));
    CHECK_FALSE(p.more(TokenKind::right_brace));
}

TEST_CASE("words are compared over many tokens of lookahead") {
    Line line("min long lived stale time 5");
    Parser& p = *line;
    CHECK(p.at_words("min long lived stale time"));
    CHECK_FALSE(p.at_words("min long lived time"));
    CHECK_FALSE(p.at_words("min long lived stale time 5"));
    CHECK(p.accept_words("min long lived stale time"));
    CHECK(p.number() == 5);
    CHECK(p.at(TokenKind::end));
}

TEST_CASE("names that commands define do not stay in the configuration") {
    Line line("fresh master4");
    Parser& p = *line;
    CHECK(p.define_symbol(SymbolClass::filter) != nullptr);
    CHECK(p.scope().find("fresh") != nullptr);
    CHECK(line.config->scope().find("fresh") == nullptr);
    CHECK(p.expect_symbol(SymbolClass::table)->name == "master4");
}

TEST_CASE("a symbol of another class is named in the complaint") {
    Line line("five");
    (*line).expect_symbol(SymbolClass::table);
    CHECK((*line).error().text == "Expected routing table, but symbol 'five' is constant");
}

TEST_CASE("inner scopes hide outer names and end") {
    Line line("five");
    Parser& p = *line;
    {
        const ScopeEntry inner(p);
        CHECK(p.define_symbol(SymbolClass::variable) != nullptr);
        CHECK(p.scope().find("five")->kind == SymbolClass::variable);
    }
    CHECK(p.scope().find("five")->kind == SymbolClass::constant);
}

TEST_CASE("includes are refused in commands") {
    Line line("include \"x\";");
    (*line).take();
    CHECK((*line).error().text == "Include not allowed in CLI");
}

}  // namespace tern::config
