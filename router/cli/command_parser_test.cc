#include "router/cli/command_parser.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::cli {
namespace {

void nothing(void*, CommandContext&) {}

CommandTable some_commands() {
    CommandTable table;
    for (const char* words :
         {"show status", "show symbols", "show protocols", "show protocols all", "show route",
          "configure", "configure check", "configure confirm", "down"}) {
        table.add(Command{.words = words, .arguments = "", .help = "", .handler = nothing});
    }
    table.add(Command{.words = "show", .arguments = "...", .help = "Show", .heading = true});
    return table;
}

std::string words_of(const Result<ParsedCommand>& parsed) {
    return parsed ? std::string(parsed->command->words) + "|" + std::string(parsed->arguments)
                  : parsed.error().text;
}

std::string parse(std::string_view line) {
    const CommandTable table = some_commands();
    return words_of(parse_command(table, line));
}

std::string expand(std::string_view line) {
    const CommandTable table = some_commands();
    const Result<std::string> text = expand_command(table, line);
    return text ? *text : "error:" + text.error().text;
}

}  // namespace

TEST_CASE("the longest row of full words is taken and the rest are arguments") {
    CHECK(parse("show status") == "show status|");
    CHECK(parse("show protocols all") == "show protocols all|");
    CHECK(parse("show protocols all \"b*\"") == "show protocols all|\"b*\"");
    CHECK(parse("  show\t route  10.0.0.0/8 all \r") == "show route|10.0.0.0/8 all");
    CHECK(parse("configure \"file\"") == "configure|\"file\"");
    CHECK(parse("configure\"file\"") == "configure|\"file\"");
}

TEST_CASE("a word is abbreviated only where no argument can stand") {
    CHECK(parse("sh st") == "show status|");
    CHECK(parse("sh p al") == "show protocols|al");
    CHECK(parse("conf c") == "configure|c");
    CHECK(parse("sh s") == "ambiguous command, possible words are status symbols");
}

TEST_CASE("wrong commands get the errors that clients know") {
    CHECK(parse("") == "syntax error, unexpected END");
    CHECK(parse("   ") == "syntax error, unexpected END");
    CHECK(parse("show") == "syntax error, unexpected END");
    CHECK(parse("show nothing") == "syntax error, unexpected CF_SYM_UNDEFINED");
    CHECK(parse("12") == "syntax error, unexpected NUM");
    CHECK(parse("\"x\"") == "syntax error, unexpected TEXT");
    CHECK(parse("{") == "syntax error, unexpected '{'");
    CHECK(parse("\x01\xff") == "syntax error, unexpected invalid character");
}

TEST_CASE("a client expands abbreviations as far as words go") {
    CHECK(expand("sh p al") == "show protocols all");
    CHECK(expand("sh p x1") == "show protocols x1");
    CHECK(expand("conf ch \"f\"") == "configure check \"f\"");
    CHECK(expand("configure c") == "configure c");
    CHECK(expand("sh s") == "error: status symbols");
    CHECK(expand("sh") == "error:");
    CHECK(expand("xyzzy") == "error:");
}

TEST_CASE("completion offers the words that can follow") {
    const CommandTable table = some_commands();
    using Words = std::vector<std::string_view>;
    CHECK(complete_command(table, "") == Words{"configure", "down", "show"});
    CHECK(complete_command(table, "sh") == Words{"show"});
    CHECK(complete_command(table, "show ") == Words{"protocols", "route", "status", "symbols"});
    CHECK(complete_command(table, "show s") == Words{"status", "symbols"});
    CHECK(complete_command(table, "show protocols a") == Words{"all"});
    CHECK(complete_command(table, "show protocols x").empty());
    CHECK(complete_command(table, "show route 10.").empty());
}

TEST_CASE("help lists the rows that a line can become") {
    const CommandTable table = some_commands();
    CHECK(matching_commands(table, "").size() == table.rows().size());
    CHECK(matching_commands(table, "show s").size() == 2);
    REQUIRE(matching_commands(table, "down ").size() == 1);
    REQUIRE(matching_commands(table, "show route 10.0.0.0/8 ").size() == 1);
    CHECK(matching_commands(table, "show route 10.0.0.0/8 ")[0]->words == "show route");
}

}  // namespace tern::cli
