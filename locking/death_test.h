#pragma once

/// Tests that something aborts with the right words: runs it in a child process and reads what the
/// child says last. For tests only; owned by the test that calls. The child may start threads.
/// It never lets the child run the rest of the test program.

#include <array>
#include <csignal>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace tern::locking {

struct Death {
    bool aborted = false;
    std::string report;

    /// Aborted, and the report has all of the words.
    template <class... W>
    bool says(W... words) const {
        return aborted && (... && (report.find(words) != std::string::npos));
    }
};

template <class F>
Death death_of(F&& action) {
    std::array<int, 2> ends{};
    Death death;
    if (::pipe(ends.data()) != 0) return death;
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDERR_FILENO);
        ::signal(SIGABRT, SIG_DFL);  // Catch2 would report on the signal itself.
        action();
        ::_exit(0);
    }
    ::close(ends[1]);
    std::array<char, 4096> block;
    for (ssize_t got = 0; (got = ::read(ends[0], block.data(), block.size())) > 0;) {
        death.report.append(block.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    death.aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    return death;
}

}  // namespace tern::locking
