#include "router/os/files.h"

#include "loops/file_descriptor.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tern::os {
namespace {

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t n = ::write(fd, content.data(), content.size());
        if (n < 0) {
            if (errno == EINTR) continue;
            return false;
        }
        content.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

}  // namespace

SystemResult<std::string> read_file(const std::string& path, std::size_t limit) {
    const loops::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) return system_failure("open " + path, errno);
    std::string content;
    char block[16384];
    while (true) {
        const ssize_t n = ::read(file.get(), block, sizeof block);
        if (n == 0) return content;
        if (n < 0) {
            if (errno == EINTR) continue;
            return system_failure("read " + path, errno);
        }
        content.append(block, static_cast<std::size_t>(n));
        if (content.size() > limit) return system_failure("read " + path, EFBIG);
    }
}

SystemResult<void> replace_file(const std::string& path, std::string_view content) {
    std::string temporary = path + ".XXXXXX";
    const loops::FileDescriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    if (file.get() < 0) return system_failure("create " + temporary, errno);
    const bool written = write_all(file.get(), content) && ::fchmod(file.get(), 0644) == 0 &&
                         ::fsync(file.get()) == 0 && ::rename(temporary.c_str(), path.c_str()) == 0;
    if (written) return {};
    const int number = errno;
    ::unlink(temporary.c_str());
    return system_failure("write " + path, number);
}

SystemResult<PidFile> PidFile::open(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0664);
    if (fd < 0) return system_failure("open " + path, errno);
    return PidFile(path, fd);
}

PidFile::PidFile(PidFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      writer_(std::exchange(other.writer_, 0)) {}

PidFile& PidFile::operator=(PidFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(fd_, other.fd_);
    std::swap(writer_, other.writer_);
    return *this;
}

PidFile::~PidFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    // The parent that forked the daemon must not remove the daemon's file.
    if (writer_ == ::getpid()) ::unlink(path_.c_str());
}

SystemResult<void> PidFile::write() {
    const std::string text = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd_, 0) != 0) return system_failure("truncate " + path_, errno);
    if (::lseek(fd_, 0, SEEK_SET) < 0 || !write_all(fd_, text)) {
        return system_failure("write " + path_, errno);
    }
    writer_ = ::getpid();
    return {};
}

}  // namespace tern::os
