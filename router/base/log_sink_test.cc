#include "router/base/log_sink.h"

#include "router/base/limits.h"

#include <cstdio>
#include <fstream>
#include <iterator>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace tern {
namespace {

const TimeFormat fixed_time{.recent = "T", .limit_us = 0, .older = {}};

std::string temp_name(const char* name) {
    return std::string("/tmp/tern_log_sink_test_") + std::to_string(::getpid()) + name;
}

std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

Record record(std::string_view text) {
    Record r;
    r.severity = Severity::fatal;
    r.thread = 0x1f;
    r.object = "x";
    r.text = text;
    return r;
}

TEST_CASE("a file gets lines appended") {
    const std::string path = temp_name("a");
    {
        auto sink = make_file_sink({.path = path, .limit = 0, .backup = {}, .format = fixed_time});
        REQUIRE(sink);
        (*sink)->write(record("one"));
    }
    {
        auto sink = make_file_sink({.path = path, .limit = 0, .backup = {}, .format = fixed_time});
        (*sink)->write(record("two"));
    }
    CHECK(content(path) == "T [001f] <FATAL> x: one\nT [001f] <FATAL> x: two\n");
    std::remove(path.c_str());
}

TEST_CASE("a file at its limit becomes the backup") {
    const std::string path = temp_name("b");
    const std::string backup = temp_name("b.old");
    auto sink = make_file_sink({.path = path,
                                .limit = limits::log_file_limit_min,
                                .backup = backup,
                                .format = fixed_time});
    REQUIRE(sink);
    const std::string text(1000, 'x');
    for (int i = 0; i < 17; ++i)
        (*sink)->write(record(text));
    CHECK(content(backup).size() < limits::log_file_limit_min);
    CHECK(content(backup).size() > limits::log_file_limit_min - 1100);
    CHECK(content(path).size() < 3000);
    CHECK_FALSE(content(path).empty());
    std::remove(path.c_str());
    std::remove(backup.c_str());
}

TEST_CASE("file sinks explain why they cannot be") {
    const auto low = make_file_sink({.path = "x", .limit = 1, .backup = "y", .format = fixed_time});
    CHECK(low.error().text == "Log file size limit too low, must be at least 16384.");
    const auto missing = make_file_sink(
        {.path = "/nonexistent/log", .limit = 0, .backup = {}, .format = fixed_time});
    CHECK(missing.error().text ==
          "Unable to open log file '/nonexistent/log': No such file or directory");
}

TEST_CASE("a fixed file is written round and round") {
    const std::string path = temp_name("c");
    auto sink = make_fixed_sink({.path = path, .size = 40, .format = fixed_time});
    REQUIRE(sink);
    (*sink)->write(record("aaaa"));  // 25 bytes
    (*sink)->write(record("bbbb"));
    const std::string text = content(path);
    CHECK(text.size() == 40);
    CHECK(text.substr(25) == "T [001f] <FATAL");
    CHECK(text.substr(0, 10) == "> x: bbbb\n");
    std::remove(path.c_str());
}

TEST_CASE("a long message is cut") {
    const std::string text(limits::log_message * 2, 'y');
    CHECK(log_message(record(text)).size() == limits::log_message);
}

}  // namespace
}  // namespace tern
