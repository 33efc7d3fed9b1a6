// docs/config.md and docs/cli.md are what the program says about itself. TERN_UPDATE=1 rewrites
// them.
#include "router/cli/reference.h"

#include "router/config/reference.h"
#include "router/daemon/testing.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

namespace tern::daemon {
namespace {

void check_page(const std::string& name, const std::string& wanted) {
    const std::filesystem::path path = std::filesystem::path("../../docs") / name;
    if (std::getenv("TERN_UPDATE") != nullptr) std::ofstream(path) << wanted;
    std::ifstream file(path);
    std::stringstream present;
    present << file.rdbuf();
    INFO(name << " is not what the tables say; TERN_UPDATE=1 rewrites it");
    const bool same = present.str() == wanted;  // not both pages in the report
    CHECK(same);
}

}  // namespace

TEST_CASE("docs/config.md is what the option tables say") {
    testing::Bench bench;
    check_page("config.md", config::write_reference(bench.router().syntax()));
}

TEST_CASE("docs/cli.md is what the command table says") {
    testing::Bench bench;
    check_page("cli.md", cli::command_reference(bench.router().commands()));
}

TEST_CASE("every option and command of this build says what it is for") {
    testing::Bench bench;
    for (const config::ProtocolSyntax* protocol : bench.router().syntax().protocols()) {
        CHECK_FALSE(protocol->doc.empty());
        for (const config::OptionRow& row : protocol->rows) {
            INFO(protocol->type << ": " << row.words);
            CHECK_FALSE(row.doc.empty());
        }
    }
    for (const cli::Command& row : bench.router().commands().rows()) {
        INFO(row.words);
        CHECK_FALSE(row.help.empty());
    }
}

}  // namespace tern::daemon
