#pragma once

/// The texts a configuration is read from, and how a place in them is shown to a human.
/// A SourceSet owns every file's text for as long as tokens or positions are used; texts never
/// move. Files are reached through a SourceReader, so tests and simulation use texts in memory.
/// It never interprets the text; includes are found by the lexer.

#include "router/base/result.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tern::config {

/// Where files come from.
class SourceReader {
  public:
    virtual ~SourceReader() = default;

    /// The whole file, or the operating system's reason ("No such file or directory").
    virtual Result<std::string> read(const std::string& path) = 0;

    /// Files (no directories) that match, sorted; empty if none.
    virtual Result<std::vector<std::string>> match(const std::string& pattern) = 0;
};

/// Files of this machine.
class FileReader final : public SourceReader {
  public:
    Result<std::string> read(const std::string& path) override;
    Result<std::vector<std::string>> match(const std::string& pattern) override;
};

/// Texts in memory, by path; patterns know `*` and `?`.
class MemoryReader final : public SourceReader {
  public:
    void add(std::string path, std::string text) { files_[std::move(path)] = std::move(text); }

    Result<std::string> read(const std::string& path) override;
    Result<std::vector<std::string>> match(const std::string& pattern) override;

  private:
    std::map<std::string, std::string> files_;
};

/// A complaint about a configuration, complete: it can be shown when the texts are gone.
struct Diagnostic {
    Position position = {};
    std::string file;
    std::string text;
    std::string line;  ///< the source line, without its end
    std::string hint;  ///< a further sentence for the reader, may be empty

    /// `file:line:column text`, one line; without the place if it is not known.
    [[nodiscard]] std::string summary() const;

    /// The summary, the source line and a caret under the column, and the hint.
    [[nodiscard]] std::string render() const;
};

using ConfigError = Diagnostic;

class SourceSet {
  public:
    static constexpr std::uint32_t depth_max = 8;  ///< nesting of includes

    explicit SourceSet(SourceReader& reader) : reader_(&reader) {}

    SourceSet(const SourceSet&) = delete;
    SourceSet& operator=(const SourceSet&) = delete;

    /// Reads a file and gives its number.
    Result<std::uint32_t> open(const std::string& path);

    /// A text that is no file (a command line, a test).
    std::uint32_t add_text(std::string name, std::string text);

    [[nodiscard]] std::string_view text(std::uint32_t file) const { return files_[file]->text; }

    [[nodiscard]] const std::string& name(std::uint32_t file) const { return files_[file]->name; }

    [[nodiscard]] std::size_t size() const { return files_.size(); }

    /// Files an include names, seen from `from`; a pattern may name none.
    Result<std::vector<std::string>> resolve(std::string_view include, std::uint32_t from);

    /// Makes a complaint complete with file name and line.
    [[nodiscard]] Diagnostic explain(Position position, std::string text) const;

  private:
    struct File {
        std::string name;
        std::string text;
    };

    SourceReader* reader_;
    std::vector<std::unique_ptr<File>> files_;
};

}  // namespace tern::config
