// The style guide as a test: it reads the tree and names each breach as file:line. Exemptions are
// one line each with a reason, and are printed with every run.

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_lines_max = 600;
constexpr std::size_t function_lines_max = 70;
constexpr std::size_t columns_max = 100;
constexpr std::size_t header_paragraph_min = 3;

struct Layer {
    std::string_view folder;
    int level;
};

/// Longest match counts. A folder includes only what has a lower level, and itself.
constexpr Layer layers[] = {
    {"locking/", 0},        {"alloc/", 1},         {"loops/", 2},           {"router/base/", 3},
    {"router/net/", 4},     {"router/crypto/", 4}, {"router/attr/", 5},     {"router/filter/", 6},
    {"router/os/", 6},      {"router/config/", 7}, {"router/metrics/", 7},  {"router/cli/", 8},
    {"router/iface/", 9},   {"router/table/", 10}, {"router/channel/", 11}, {"router/mpls/", 12},
    {"router/engine/", 13}, {"router/proto/", 14}, {"router/daemon/", 15},  {"router/client/", 15},
    {"fuzz/", 16},          {"stress/", 16},       {"docs/", 16},
};

/// Level of `router/proto/<name>/wire/`, below the protocol itself.
constexpr int wire_level = 6;

struct Banned {
    std::string_view word;
    std::string_view instead;
};

constexpr Banned banned[] = {
    {"std::shared_ptr", "Owned<T>, a use count or an id"},
    {"std::regex", "a hand-written scan"},
    {"#include <iostream>", "fmt"},
    {"#include <regex>", "a hand-written scan"},
    {"dynamic_cast", "a kind or a virtual function"},
    {"no_sanitize", "code that the sanitizers understand"},
    {"default_suppressions", "code that the sanitizers understand"},
    {"typeid(", "a kind"},
    {"using namespace ", "full names"},
    {"std::source_location", "locking::Here"},
    {"#include <ranges>", "plain loops"},
    {"co_await", "a step that can be read top to bottom"},
    {"goto ", "an early return"},
    {"malloc(", "alloc"},
    {"#ifndef TERN_H", "#pragma once"},
    {"FIXME", "TODO(kind): text"},
    {"TODO(now)", "the code itself"},
};

struct Exemption {
    std::string_view file;  ///< A path, or a folder with its slash.
    std::string_view rule;
    std::string_view reason;
};

constexpr Exemption exemptions[] = {
    {"stress/tidy_test.cc", "banned word", "it names the words"},
    {"alloc/", "banned word", "this is the place where memory comes from"},
    {"fuzz/", "banned word", "a target is one small file that names one decoder's namespace"},
    {"stress/bench/", "banned word", "peers are called by their names"},
    {"stress/bench/", "sleeping test", "memory is looked at again after a pause"},
    {"stress/locking/no_allocation_test.cc", "banned word", "it counts what malloc hands out"},
    {"stress/loops/ping_test.cc", "sleeping test", "latency is that of senders who pause"},
    {"stress/oom_regression/", "sleeping test", "it asks a daemon again and again"},
    {"stress/oom_regression/heap_malloc.cc", "banned word", "malloc is what alloc stands beside"},
    {"loops/mailbox_test.cc", "banned word", "its use count proves that messages are destroyed"},
    {"router/proto/pipe/pipe_test.cc", "layer", "static routes are what it sends through a pipe"},
    {"router/filter/opcodes.h", "length", "one opcode is one row, and one row one line"},
};

struct File {
    std::string path;  ///< From the root of the tree.
    std::vector<std::string> lines;
};

fs::path root() {
    fs::path path = fs::current_path();
    while (!fs::exists(path / "CMakePresets.json") && path.has_relative_path()) {
        path = path.parent_path();
    }
    return path;
}

bool is_source(const fs::path& path) {
    return path.extension() == ".cc" || path.extension() == ".h";
}

std::vector<File> read_tree() {
    std::vector<File> files;
    const fs::path top = root();
    for (const char* folder : {"locking", "alloc", "loops", "router", "fuzz", "stress"}) {
        if (!fs::exists(top / folder)) continue;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(top / folder)) {
            if (!entry.is_regular_file() || !is_source(entry.path())) continue;
            File file;
            file.path = fs::relative(entry.path(), top).generic_string();
            std::ifstream in(entry.path());
            for (std::string line; std::getline(in, line);)
                file.lines.push_back(line);
            files.push_back(std::move(file));
        }
    }
    std::sort(files.begin(), files.end(),
              [](const File& left, const File& right) { return left.path < right.path; });
    return files;
}

bool exempt(std::string_view path, std::string_view rule) {
    return std::any_of(std::begin(exemptions), std::end(exemptions), [&](const Exemption& one) {
        const bool folder = one.file.ends_with('/');
        return one.rule == rule && (folder ? path.starts_with(one.file) : path == one.file);
    });
}

class Breaches {
  public:
    explicit Breaches(std::string_view rule) : rule_(rule) {}

    void add(const File& file, std::size_t line, const std::string& text) {
        if (exempt(file.path, rule_)) return;
        all_ += file.path + ":" + std::to_string(line) + " " + text + "\n";
    }

    void check() const {
        INFO(rule_ << ":\n" << all_);
        CHECK(all_.empty());
    }

  private:
    std::string rule_;
    std::string all_;
};

bool is_test(const File& file) {
    return file.path.ends_with("_test.cc") || file.path.starts_with("stress/");
}

/// The protocol a path belongs to, `bgp` in `router/proto/bgp/wire/open.h`; empty if none.
std::string_view protocol_of(std::string_view path) {
    constexpr std::string_view folder = "router/proto/";
    if (!path.starts_with(folder)) return {};
    path.remove_prefix(folder.size());
    return path.substr(0, path.find('/'));
}

int level_of(std::string_view path) {
    if (!protocol_of(path).empty() && path.find("/wire/") != std::string_view::npos) {
        return wire_level;
    }
    for (const Layer& layer : layers) {
        if (path.starts_with(layer.folder)) return layer.level;
    }
    return -1;
}

std::string_view folder_of(std::string_view path) {
    for (const Layer& layer : layers) {
        if (path.starts_with(layer.folder)) return layer.folder;
    }
    return {};
}

/// Why a file may not include another, or nothing.
std::string include_breach(const File& file, std::string_view included) {
    const int own = level_of(file.path);
    const int other = level_of(included);
    if (other < 0) return "includes no path from the root: " + std::string(included);
    const std::string_view own_protocol = protocol_of(file.path);
    const std::string_view other_protocol = protocol_of(included);
    if (!own_protocol.empty() && !other_protocol.empty() && own_protocol != other_protocol) {
        return "a protocol includes another: " + std::string(included);
    }
    const bool same = folder_of(file.path) == folder_of(included) && own_protocol == other_protocol;
    if (other > own) return "includes upward: " + std::string(included);
    if (other == own && !same) return "includes sideways: " + std::string(included);
    return {};
}

std::string_view quoted_include(std::string_view line) {
    constexpr std::string_view start = "#include \"";
    if (!line.starts_with(start)) return {};
    line.remove_prefix(start.size());
    return line.substr(0, line.find('"'));
}

std::string_view without_comment(std::string_view line) {
    return line.substr(0, line.find("//"));
}

/// With the formatting of this tree a function's body ends with a brace at the indentation of the
/// line that opened it, and a line that opens one ends with `) {`, `const {` or the like.
bool opens_function(std::string_view line) {
    if (!line.ends_with("{")) return false;
    const std::size_t indent = line.find_first_not_of(' ');
    const std::string_view text = line.substr(indent);
    for (const std::string_view word : {"namespace", "class", "struct", "enum", "union", "extern",
                                        "if ", "for ", "while ", "switch ", "else", "}", "do "}) {
        if (text.starts_with(word)) return false;
    }
    const std::size_t close = line.rfind(')');
    return close != std::string_view::npos && line.find('=', close) == std::string_view::npos &&
           !line.starts_with("TEST_CASE") && line.find("TEST_CASE") == std::string_view::npos;
}

}  // namespace

TEST_CASE("folders include only what stands below them", "[AT-IF-9]") {
    Breaches breaches("layer");
    for (const File& file : read_tree()) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const std::string_view included = quoted_include(file.lines[i]);
            if (included.empty()) continue;
            const std::string why = include_breach(file, included);
            if (!why.empty()) breaches.add(file, i + 1, why);
        }
    }
    breaches.check();
}

TEST_CASE("the layer test can fail", "[AT-IF-9]") {
    const File low{.path = "router/net/prefix.cc", .lines = {}};
    CHECK(include_breach(low, "router/base/result.h").empty());
    CHECK_FALSE(include_breach(low, "router/table/route.h").empty());
    CHECK_FALSE(include_breach(low, "router/crypto/hash.h").empty());
    const File engine{.path = "router/engine/instance.cc", .lines = {}};
    CHECK_FALSE(include_breach(engine, "router/proto/device/device.h").empty());
    const File protocol{.path = "router/proto/bgp/bgp.cc", .lines = {}};
    CHECK(include_breach(protocol, "router/proto/bgp/wire/open.h").empty());
    CHECK_FALSE(include_breach(protocol, "router/proto/rip/rip.h").empty());
    const File wire{.path = "router/proto/bgp/wire/open.cc", .lines = {}};
    CHECK(include_breach(wire, "router/attr/as_path.h").empty());
    CHECK_FALSE(include_breach(wire, "router/proto/bgp/session.h").empty());
    CHECK_FALSE(include_breach(wire, "router/os/network.h").empty());
}

TEST_CASE("files and lines are short") {
    Breaches breaches("length");
    for (const File& file : read_tree()) {
        if (file.lines.size() > file_lines_max) {
            breaches.add(file, file.lines.size(), "a file has at most 600 lines");
        }
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            // Columns, not bytes: continuation bytes of UTF-8 take none.
            const auto columns = static_cast<std::size_t>(std::count_if(
                file.lines[i].begin(), file.lines[i].end(),
                [](char byte) { return (static_cast<unsigned char>(byte) & 0xc0U) != 0x80U; }));
            if (columns > columns_max) breaches.add(file, i + 1, "a line has at most 100 columns");
        }
    }
    breaches.check();
}

TEST_CASE("functions are one screen") {
    Breaches breaches("function length");
    for (const File& file : read_tree()) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const std::string& line = file.lines[i];
            if (!opens_function(line)) continue;
            // The indentation of the body's end is that of the signature's first line, which may
            // stand above; the first line with only a brace not deeper than this one ends it.
            const std::size_t indent = line.find_first_not_of(' ');
            std::size_t end = i + 1;
            while (end < file.lines.size()) {
                const std::string& at = file.lines[end];
                const std::size_t depth = at.find_first_not_of(' ');
                if (depth != std::string::npos && depth <= indent && at[depth] == '}') break;
                ++end;
            }
            if (end - i > function_lines_max) {
                breaches.add(file, i + 1, "a function has at most 70 lines");
            }
        }
    }
    breaches.check();
}

TEST_CASE("banned words are replaced") {
    Breaches breaches("banned word");
    for (const File& file : read_tree()) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const std::string_view code = without_comment(file.lines[i]);
            for (const Banned& word : banned) {
                // Marks of unfinished work hide in comments.
                const bool mark = word.instead.starts_with("TODO") || word.word == "TODO(now)";
                const std::string_view where = mark ? std::string_view(file.lines[i]) : code;
                if (where.find(word.word) == std::string_view::npos) continue;
                breaches.add(file, i + 1,
                             "`" + std::string(word.word) + "`: use " + std::string(word.instead));
            }
        }
    }
    breaches.check();
}

TEST_CASE("a header says first why it exists") {
    Breaches breaches("header paragraph");
    for (const File& file : read_tree()) {
        if (!file.path.ends_with(".h")) continue;
        std::size_t at = 0;
        while (at < file.lines.size() &&
               (file.lines[at].empty() || file.lines[at] == "#pragma once")) {
            ++at;
        }
        std::size_t count = 0;
        while (at + count < file.lines.size() && file.lines[at + count].starts_with("///"))
            ++count;
        if (file.lines.empty() || file.lines.front() != "#pragma once") {
            breaches.add(file, 1, "begins with #pragma once");
        }
        if (count < header_paragraph_min) {
            breaches.add(file, at + 1, "a `///` paragraph of three lines stands first");
        }
    }
    breaches.check();
}

TEST_CASE("tests do not sleep") {
    Breaches breaches("sleeping test");
    for (const File& file : read_tree()) {
        if (!is_test(file) || file.path == "stress/tidy_test.cc") continue;
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const std::string_view code = without_comment(file.lines[i]);
            if (code.find("sleep_for") != std::string_view::npos ||
                code.find("usleep(") != std::string_view::npos) {
                breaches.add(file, i + 1, "wait for the event itself");
            }
        }
    }
    breaches.check();
}

TEST_CASE("every exemption has a reason") {
    std::puts("exemptions from the style:");
    for (const Exemption& one : exemptions) {
        std::printf("  %-28.*s %-16.*s %.*s\n", static_cast<int>(one.file.size()), one.file.data(),
                    static_cast<int>(one.rule.size()), one.rule.data(),
                    static_cast<int>(one.reason.size()), one.reason.data());
        CHECK_FALSE(one.reason.empty());
        CHECK(fs::exists(root() / one.file));
    }
}
