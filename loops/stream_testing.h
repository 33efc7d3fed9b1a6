#pragma once

/// A pair of connected sockets for tests of watchers: one side writes the bytes 0, 1, 2, ..., the
/// other reads them and aborts when one is missing or comes twice. Owned by its test; each side is
/// used by one thread at a time.

#include "locking/check.h"
#include "loops/file_descriptor.h"

#include <cstddef>

#include <sys/socket.h>
#include <unistd.h>

namespace tern::loops::test {

struct ByteStream {
    ByteStream() {
        int fds[2];
        const int made = ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
        TERN_ASSERT(made == 0, "no pair of sockets");
        reads = FileDescriptor(fds[0]);
        writes = FileDescriptor(fds[1]);
    }

    /// One byte, unless the other side is full.
    void write() {
        const auto byte = static_cast<unsigned char>(sent);
        if (::write(writes.get(), &byte, 1) == 1) ++sent;
    }

    /// Some of what is there; false if nothing was.
    bool read() {
        unsigned char buffer[256];
        const ssize_t got = ::read(reads.get(), buffer, sizeof buffer);
        for (ssize_t i = 0; i < got; ++i) {
            TERN_ASSERT(buffer[i] == (received & 0xff), "stream out of order");
            ++received;
        }
        return got > 0;
    }

    FileDescriptor reads;
    FileDescriptor writes;
    std::size_t sent = 0;
    std::size_t received = 0;
};

}  // namespace tern::loops::test
