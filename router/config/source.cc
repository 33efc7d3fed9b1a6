#include "router/config/source.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>

namespace tern::config {

namespace {

bool is_pattern(std::string_view path) {
    return path.find_first_of("?*[") != std::string_view::npos;
}

/// Shell pattern with * and ? over whole paths.
bool matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t retry = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

}  // namespace

Result<std::string> FileReader::read(const std::string& path) {
    std::FILE* file = std::fopen(path.c_str(), "re");
    if (file == nullptr) return tern::fail(std::strerror(errno));
    std::string text;
    std::array<char, 65536> buffer = {};
    for (;;) {
        const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file);
        text.append(buffer.data(), got);
        if (got < buffer.size()) break;
    }
    const bool failed = std::ferror(file) != 0;
    const int reason = errno;
    std::fclose(file);
    if (failed) return tern::fail(std::strerror(reason));
    return text;
}

Result<std::vector<std::string>> FileReader::match(const std::string& pattern) {
    glob_t found = {};
    const int outcome = glob(pattern.c_str(), GLOB_ERR | GLOB_NOESCAPE, nullptr, &found);
    std::vector<std::string> paths;
    if (outcome == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; ++i) {
            struct stat about = {};
            const char* path = found.gl_pathv[i];
            if (stat(path, &about) == 0 && !S_ISDIR(about.st_mode)) paths.emplace_back(path);
        }
    }
    globfree(&found);
    if (outcome == 0 || outcome == GLOB_NOMATCH) return paths;
    return tern::fail(outcome == GLOB_NOSPACE ? "out of memory" : "directory cannot be read");
}

Result<std::string> MemoryReader::read(const std::string& path) {
    const auto found = files_.find(path);
    if (found == files_.end()) return tern::fail("No such file or directory");
    return found->second;
}

Result<std::vector<std::string>> MemoryReader::match(const std::string& pattern) {
    std::vector<std::string> paths;
    for (const auto& [path, text] : files_) {
        if (matches(pattern, path)) paths.push_back(path);
    }
    return paths;
}

std::string Diagnostic::summary() const {
    if (!position.known()) return file.empty() ? text : fmt::format("{}: {}", file, text);
    if (file.empty()) return text;
    return fmt::format("{}:{}:{} {}", file, position.line, position.column, text);
}

std::string Diagnostic::render() const {
    std::string out = summary();
    if (position.known()) {
        out += fmt::format("\n  {}\n  ", line);
        // The caret line repeats tabs, so that it lines up whatever their width is.
        for (std::size_t i = 0; i + 1 < position.column; ++i) {
            out += i < line.size() && line[i] == '\t' ? '\t' : ' ';
        }
        out += '^';
    }
    if (!hint.empty()) out += "\n  " + hint;
    return out;
}

Result<std::uint32_t> SourceSet::open(const std::string& path) {
    Result<std::string> text = reader_->read(path);
    if (!text) return tl::unexpected<Error>(text.error());
    return add_text(path, std::move(*text));
}

std::uint32_t SourceSet::add_text(std::string name, std::string text) {
    files_.push_back(std::make_unique<File>(File{std::move(name), std::move(text)}));
    return static_cast<std::uint32_t>(files_.size() - 1);
}

Result<std::vector<std::string>> SourceSet::resolve(std::string_view include, std::uint32_t from) {
    std::string path(include);
    if (path.empty() || path.front() != '/') {
        const std::string& base = name(from);
        const std::size_t slash = base.rfind('/');
        if (slash != std::string::npos) path = base.substr(0, slash + 1) + path;
    }
    if (!is_pattern(path)) return std::vector<std::string>{path};
    return reader_->match(path);
}

Diagnostic SourceSet::explain(Position position, std::string text) const {
    Diagnostic out;
    out.position = position;
    out.text = std::move(text);
    if (position.file >= files_.size()) return out;
    out.file = name(position.file);
    std::string_view rest = this->text(position.file);
    for (std::uint32_t line = 1; line < position.line; ++line) {
        const std::size_t end = rest.find('\n');
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    constexpr std::size_t line_max = 400;
    out.line = std::string(rest.substr(0, std::min(rest.find('\n'), line_max)));
    return out;
}

}  // namespace tern::config
