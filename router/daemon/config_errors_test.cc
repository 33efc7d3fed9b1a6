// What an operator reads after a mistake: each file in testdata/errors has one, the file beside it
// the message. TERN_UPDATE=1 rewrites the messages.
#include "router/daemon/testing.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

namespace tern::daemon {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<fs::path> mistakes() {
    std::vector<fs::path> paths;
    for (const fs::directory_entry& entry : fs::directory_iterator("testdata/errors")) {
        if (entry.path().extension() == ".conf") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

}  // namespace

TEST_CASE("each typical mistake is answered with its place, its line and a helpful text") {
    testing::Bench bench;
    const std::vector<fs::path> files = mistakes();
    REQUIRE(files.size() >= 20);
    for (const fs::path& path : files) {
        const std::string message = bench.start(read(path)) + "\n";
        fs::path expected = path;
        expected.replace_extension(".message");
        if (std::getenv("TERN_UPDATE") != nullptr) std::ofstream(expected) << message;
        INFO(path.filename());
        CHECK(message == read(expected));
    }
}

TEST_CASE("every message names file, line and column, and has a caret") {
    testing::Bench bench;
    for (const fs::path& path : mistakes()) {
        INFO(path.filename());
        const std::string message = bench.start(read(path));
        CHECK(message.starts_with("bird.conf:"));
        CHECK(std::count(message.begin(), message.end(), '\n') >= 2);
        CHECK(message.find('^') != std::string::npos);
    }
}

TEST_CASE("a mistake in an included file is shown with that file's name") {
    testing::Bench bench;
    bench.files.add("peers.conf", "protocol static {\n  ipv4;\n  rote 10.0.0.0/8 blackhole;\n}\n");
    const std::string message = bench.start("include \"peers.conf\";\n");
    CHECK(message.starts_with("peers.conf:3:3 syntax error"));
    CHECK(message.find("did you mean 'route'?") != std::string::npos);
}

}  // namespace tern::daemon
