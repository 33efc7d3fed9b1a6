#include "router/base/log_sink.h"

#include "router/base/limits.h"
#include "router/base/strong.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

namespace tern {

namespace {

constexpr std::size_t time_max = 128;

std::string time_text(const Record& record, const TimeFormat& format) {
    // The log has no "older" times: what it prints happens now.
    return expand_time(format.recent, record.time, time_max).value_or("<time format error>");
}

/// One write; what does not go out is lost, since nobody could be told.
void write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = ::write(fd, text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
}

class StderrSink final : public LogSink {
  public:
    explicit StderrSink(StderrSinkOptions options) : options_(std::move(options)) {}

    void write(const Record& record) override {
        write_all(STDERR_FILENO, options_.program + ": " + log_line(record, options_.format));
    }

    [[nodiscard]] std::string key() const override { return "stderr"; }

  private:
    StderrSinkOptions options_;
};

class FileSink final : public LogSink {
  public:
    FileSink(FileSinkOptions options, int fd, std::uint64_t size)
        : options_(std::move(options)), fd_(fd), size_(size) {}

    ~FileSink() override {
        if (fd_ >= 0) ::close(fd_);
    }

    void write(const Record& record) override {
        const std::string line = log_line(record, options_.format);
        if (options_.limit != 0 && size_ + line.size() >= options_.limit) rotate();
        write_all(fd_, line);
        size_ += line.size();
    }

    [[nodiscard]] std::string key() const override {
        // The limit is a part of it: a changed one must not keep the old sink.
        return fmt::format("file:{}:{}:{}", options_.path, options_.limit, options_.backup);
    }

  private:
    void rotate() {
        ::rename(options_.path.c_str(), options_.backup.c_str());
        const int fresh = ::open(options_.path.c_str(),
                                 O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        if (fresh < 0) return;  // go on in the renamed file
        ::close(fd_);
        fd_ = fresh;
        size_ = 0;
    }

    FileSinkOptions options_;
    int fd_;
    std::uint64_t size_;
};

class FixedSink final : public LogSink {
  public:
    FixedSink(FixedSinkOptions options, char* map) : options_(std::move(options)), map_(map) {}

    ~FixedSink() override { ::munmap(map_, options_.size); }

    void write(const Record& record) override {
        const std::string line = log_line(record, options_.format);
        for (std::string_view rest = line; !rest.empty();) {
            const std::size_t part = std::min<std::size_t>(rest.size(), options_.size - at_);
            std::memcpy(map_ + at_, rest.data(), part);
            at_ = at_ + part == options_.size ? 0 : at_ + part;
            rest.remove_prefix(part);
        }
    }

    [[nodiscard]] std::string key() const override {
        return fmt::format("fixed:{}:{}", options_.path, options_.size);
    }

  private:
    FixedSinkOptions options_;
    char* map_;
    std::size_t at_ = 0;
};

class SyslogSink final : public LogSink {
  public:
    explicit SyslogSink(std::string name) : name_(std::move(name)) {
        ::openlog(name_.c_str(), LOG_CONS | LOG_NDELAY, LOG_DAEMON);
    }

    ~SyslogSink() override { ::closelog(); }

    void write(const Record& record) override {
        ::syslog(severity_priority(record.severity), "%s", log_message(record).c_str());
    }

    [[nodiscard]] std::string key() const override { return "syslog:" + name_; }

  private:
    std::string name_;  // the C library keeps the pointer
};

class UdpSink final : public LogSink {
  public:
    UdpSink(UdpSinkOptions options, int fd) : options_(std::move(options)), fd_(fd) {}

    ~UdpSink() override { ::close(fd_); }

    void write(const Record& record) override {
        const int priority = LOG_DAEMON | severity_priority(record.severity);
        const std::string time =
            expand_time("%b %d %T.%6f", record.time, time_max).value_or("<time format error>");
        const std::string datagram =
            fmt::format("<{}>{} {} {}: {}", priority, time, options_.hostname, options_.program,
                        log_message(record));
        (void)::send(fd_, datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    }

    [[nodiscard]] std::string key() const override {
        return fmt::format("udp:{}:{}", options_.host, options_.port);
    }

  private:
    UdpSinkOptions options_;
    int fd_;
};

tl::unexpected<Error> open_error(const std::string& path) {
    return fail(fmt::format("Unable to open log file '{}': {}", path, std::strerror(errno)));
}

}  // namespace

std::string log_message(const Record& record) {
    std::string text;
    if (!record.object.empty()) text.append(record.object).append(": ");
    text.append(record.text);
    if (text.size() > limits::log_message) text.resize(limits::log_message);
    return text;
}

std::string log_line(const Record& record, const TimeFormat& format) {
    return fmt::format("{} [{:04x}] <{}> {}\n", time_text(record, format), record.thread,
                       severity_tag(record.severity), log_message(record));
}

std::unique_ptr<LogSink> make_stderr_sink(StderrSinkOptions options) {
    return std::make_unique<StderrSink>(std::move(options));
}

Result<std::unique_ptr<LogSink>> make_file_sink(FileSinkOptions options) {
    if (options.limit != 0 && options.limit < limits::log_file_limit_min) {
        return fail(fmt::format("Log file size limit too low, must be at least {}.",
                                limits::log_file_limit_min));
    }
    const int fd =
        ::open(options.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0) return open_error(options.path);
    struct stat status = {};
    const bool regular = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    const std::uint64_t size = regular ? static_cast<std::uint64_t>(status.st_size) : 0;
    return std::make_unique<FileSink>(std::move(options), fd, size);
}

Result<std::unique_ptr<LogSink>> make_fixed_sink(FixedSinkOptions options) {
    if (options.size == 0) return fail("Log file size must not be zero");
    const int fd = ::open(options.path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
    if (fd < 0) return open_error(options.path);
    void* map = MAP_FAILED;
    if (::ftruncate(fd, static_cast<off_t>(options.size)) == 0) {
        map = ::mmap(nullptr, options.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    const int saved = errno;
    ::close(fd);
    errno = saved;
    if (map == MAP_FAILED) return open_error(options.path);
    return std::make_unique<FixedSink>(std::move(options), static_cast<char*>(map));
}

std::unique_ptr<LogSink> make_syslog_sink(std::string name) {
    return std::make_unique<SyslogSink>(std::move(name));
}

Result<std::unique_ptr<LogSink>> make_udp_sink(UdpSinkOptions options) {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    const std::string port = fmt::format("{}", options.port);
    const int status = ::getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found);
    if (status != 0) {
        return fail(
            fmt::format("Cannot resolve log host '{}': {}", options.host, ::gai_strerror(status)));
    }
    int fd = -1;
    for (const addrinfo* at = found; at != nullptr && fd < 0; at = at->ai_next) {
        fd = ::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd >= 0 && ::connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            ::close(fd);
            fd = -1;
        }
    }
    const int saved = errno;
    ::freeaddrinfo(found);
    if (fd < 0) {
        return fail(fmt::format("Cannot send log to '{}': {}", options.host, std::strerror(saved)));
    }
    return std::make_unique<UdpSink>(std::move(options), fd);
}

void MemorySink::write(const Record& record) {
    if (lines_.size() == limit_) lines_.erase(lines_.begin());
    lines_.push_back(log_line(record, format_));
    lines_.back().pop_back();
}

}  // namespace tern
