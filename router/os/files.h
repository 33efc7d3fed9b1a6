#pragma once
/// Files the daemon writes for others: replaced atomically, so that a reader never sees half of
/// one. Used from the main loop only; each call does its own blocking file I/O on small files.
/// Nothing here keeps state but PidFile, which owns one descriptor and unlinks its file at the end.

#include "router/os/system_error.h"

#include <string>
#include <string_view>

namespace tern::os {

/// The whole file; fails if it is larger than `limit` bytes.
[[nodiscard]] SystemResult<std::string> read_file(const std::string& path, std::size_t limit);
/// Writes a temporary file beside `path`, syncs it and renames it over `path`.
SystemResult<void> replace_file(const std::string& path, std::string_view content);

/// Opened early (so that failure is fatal before the daemon forks), written late, removed at the
/// end.
class PidFile {
  public:
    [[nodiscard]] static SystemResult<PidFile> open(const std::string& path);
    PidFile(PidFile&& other) noexcept;
    PidFile& operator=(PidFile&& other) noexcept;
    PidFile(const PidFile&) = delete;
    PidFile& operator=(const PidFile&) = delete;
    ~PidFile();

    /// Truncates and writes "<pid>\n" of the calling process, which becomes the one that unlinks.
    SystemResult<void> write();

  private:
    PidFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

    std::string path_;
    int fd_ = -1;
    int writer_ = 0;
};

}  // namespace tern::os
