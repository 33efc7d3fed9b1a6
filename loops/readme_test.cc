// The README shows a program; it is the one that is built and run beside this test.
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

namespace {

std::string text_of(const char* name) {
    std::filesystem::path folder = std::filesystem::current_path();
    while (!std::filesystem::exists(folder / "loops/README.md") && folder.has_relative_path())
        folder = folder.parent_path();
    std::ifstream file(folder / "loops" / name);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

TEST_CASE("the program in the README is the one that is compiled and run") {
    const std::string program = text_of("first_program.cc");
    REQUIRE_FALSE(program.empty());
    CHECK(text_of("README.md").find(program) != std::string::npos);
}
