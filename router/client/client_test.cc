#include "router/client/command_list.h"
#include "router/client/reply_reader.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::client {
namespace {

CommandList some_list() {
    CommandList list;
    for (const char* row :
         {"show\t...\tShow status information", "show status\t\tShow router status",
          "show protocols\t[<protocol>]\tShow protocols",
          "show protocols all\t[<protocol>]\tShow details", "dump routes\t\tDump routes",
          "configure\t[\"<file>\"]\tReload", "configure check\t[\"<file>\"]\tCheck", "nonsense"}) {
        list.add_row(row);
    }
    return list;
}

}  // namespace

TEST_CASE("lines of a reply are told apart by their fifth byte") {
    ReplyReader reader;
    reader.feed("1007-first\n second\n0000 \n+not");
    std::optional<ReplyLine> line = reader.next();
    REQUIRE(line);
    CHECK((line->code == 1007 && !line->last && line->text == "first"));
    line = reader.next();
    REQUIRE(line);
    CHECK((line->code == 1007 && line->continuation && line->text == "second"));
    line = reader.next();
    REQUIRE(line);
    CHECK((line->code == 0 && line->last && line->text.empty()));
    CHECK_FALSE(reader.next());
    reader.feed("ice\n");
    line = reader.next();
    REQUIRE(line);
    CHECK((line->notice && line->text == "notice" && !line->last));
}

TEST_CASE("lines without a proper code end no reply") {
    ReplyReader reader;
    reader.feed("\n12\n00000\nabcd x\n0000\n");
    for (int i = 0; i < 5; ++i) {
        const std::optional<ReplyLine> line = reader.next();
        REQUIRE(line);
        CHECK((!line->last && line->code == -1 && line->text == line->raw));
    }
}

TEST_CASE("abbreviations are expanded with the daemon's rows") {
    const CommandList list = some_list();
    CHECK(list.expand("sh pr al x").value() == "show protocols all x");
    CHECK(list.expand("conf ch").value() == "configure check");
    CHECK(list.expand("json sh pr al").value() == "json show protocols all");
    CHECK_FALSE(list.expand("json nonsense"));
    CHECK(list.expand("sh").error().text == "No such command. Press `?' for help.");
    CHECK(list.expand("nonsense").error().text == "No such command. Press `?' for help.");
}

TEST_CASE("an ambiguous command lists its expansions") {
    CommandList list;
    list.add_row("show status\t\tA");
    list.add_row("show symbols\t\tB");
    CHECK(list.expand("show s").error().text ==
          "Ambiguous command, possible expansions are:\n"
          "show status                                    A\n"
          "show symbols                                   B");
}

TEST_CASE("without rows of the daemon lines are sent as they are") {
    const CommandList list;
    CHECK(list.expand("sh pr").value() == "sh pr");
}

TEST_CASE("help shows one line for each word that can follow") {
    const CommandList list = some_list();
    CHECK(list.help("") ==
          std::vector<std::string>{
              "configure [\"<file>\"]                           Reload",
              "dump ...                                       ",
              "exit                                           Quit the client",
              "quit                                           Quit the client",
              "show ...                                       Show status information"});
    CHECK(list.help("show ") ==
          std::vector<std::string>{
              "show protocols [<protocol>]                    Show protocols",
              "show status                                    Show router status"});
    CHECK(list.help("configure ").size() == 2);
    CHECK(list.help("xyzzy ").empty());
}

TEST_CASE("an argument can follow the words of a command") {
    const CommandList list = some_list();
    CHECK(list.at_argument("show protocols b"));
    CHECK_FALSE(list.at_argument("show "));
    CHECK(list.complete("show p") == std::vector<std::string_view>{"protocols"});
    CHECK(list.complete("json show p") == std::vector<std::string_view>{"protocols"});
    CHECK(list.help("json show p") == list.help("show p"));
}

}  // namespace tern::client
