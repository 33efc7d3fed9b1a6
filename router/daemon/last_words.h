#pragma once
/// What the process says before it aborts, told to the log as well: once it is a daemon, nobody
/// reads its standard error. The report of a violated contract, or of the end of memory in pages or
/// in the heap, goes to standard error with a backtrace, and line by line to the log as a bug.
/// Owned by the daemon, one in a process: while it lives it is the violation handler and the new
/// handler. It decides nothing; the process aborts as it would without it.

#include "router/base/log.h"

namespace tern::daemon {

class LastWords {
  public:
    /// The log must outlive it.
    explicit LastWords(Logger& log);
    LastWords(const LastWords&) = delete;
    LastWords& operator=(const LastWords&) = delete;
    ~LastWords();
};

}  // namespace tern::daemon
