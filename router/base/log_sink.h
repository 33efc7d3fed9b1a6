#pragma once

/// Destinations of the log: standard error, file with rotation, fixed ring file, syslog, UDP.
/// Each is made by the configuration and owned by the Logger, which calls it under its domain; so a
/// sink does one system call per record and never waits for a peer. A failing write is counted
/// and otherwise ignored: there is nowhere left to report it.

#include "router/base/log.h"
#include "router/base/time_format.h"

#include <cstdint>
#include <memory>
#include <string>

namespace tern {

/// `<time> [TTTT] <TAG> object: text` and a newline, as log files have it.
[[nodiscard]] std::string log_line(const Record& record, const TimeFormat& format);
/// `object: text`, cut to limits::log_message.
[[nodiscard]] std::string log_message(const Record& record);

struct StderrSinkOptions {
    std::string program;  ///< printed in front with a colon; BIRD prints "bird"
    TimeFormat format;
};

[[nodiscard]] std::unique_ptr<LogSink> make_stderr_sink(StderrSinkOptions options);

struct FileSinkOptions {
    std::string path;
    std::uint64_t limit = 0;  ///< bytes; 0: none
    std::string backup;       ///< where the file is renamed to at the limit
    TimeFormat format;
};

/// Error: `Unable to open log file 'F': reason`.
[[nodiscard]] Result<std::unique_ptr<LogSink>> make_file_sink(FileSinkOptions options);

struct FixedSinkOptions {
    std::string path;
    std::uint64_t size = 0;
    TimeFormat format;
};

/// A mapped file of fixed size, written circularly.
[[nodiscard]] Result<std::unique_ptr<LogSink>> make_fixed_sink(FixedSinkOptions options);

/// syslog(3); `name` is the ident. One per process, as the C library has it.
[[nodiscard]] std::unique_ptr<LogSink> make_syslog_sink(std::string name);

struct UdpSinkOptions {
    std::string host;  ///< address or name, resolved now
    std::uint16_t port = 514;
    std::string hostname;  ///< ours, for the header
    std::string program;
};

[[nodiscard]] Result<std::unique_ptr<LogSink>> make_udp_sink(UdpSinkOptions options);

/// Keeps the last `lines` lines in memory, for tests and `show log`.
class MemorySink final : public LogSink {
  public:
    MemorySink(std::size_t lines, TimeFormat format) : limit_(lines), format_(std::move(format)) {}

    void write(const Record& record) override;

    [[nodiscard]] std::string key() const override { return "memory"; }

    /// Read only while nobody logs.
    [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

  private:
    std::size_t limit_;
    TimeFormat format_;
    std::vector<std::string> lines_;
};

}  // namespace tern
