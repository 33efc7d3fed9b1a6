#pragma once

/// Owns a file descriptor and closes it.
/// Move-only; empty is -1. Belongs to one thread at a time like any value; never duplicates, never
/// reads errno for its user. A Watcher only borrows the number: destroy the watcher first.

#include <utility>

namespace tern::loops {

/// One descriptor or none (-1); moving it leaves none behind. The destructor closes it.
class FileDescriptor {
  public:
    FileDescriptor() = default;

    explicit FileDescriptor(int fd) : fd_(fd) {}

    ~FileDescriptor() { reset(); }

    FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

    FileDescriptor& operator=(FileDescriptor&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }

    int get() const { return fd_; }

    bool valid() const { return fd_ >= 0; }

    explicit operator bool() const { return valid(); }

    /// Gives the number to the caller, who closes it.
    int release() { return std::exchange(fd_, -1); }

    void reset();

  private:
    int fd_ = -1;
};

}  // namespace tern::loops
