#pragma once

/// Who holds what and who waits for whom, as text, for messages, debuggers and signal handlers.
/// It looks at every thread that has locked anything, and takes no lock but the one of the list of
/// threads (and gives up if that stays busy). Nothing here allocates. A report is a picture of
/// moving things: each line was true at some moment of the call.

#include "locking/check.h"
#include "locking/ranked_lock.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace tern::locking {

/// "thread 4711 (worker 2)": a value that has its text. Any thread and signal handlers; the name is
/// asked of the system and left out if it does not tell.
class ThreadText {
  public:
    explicit ThreadText(std::uint32_t id);

    std::string_view text() const { return {text_, length_}; }

  private:
    char text_[48];
    std::size_t length_;
};

/// "held by thread 4711 (worker 2), taken at file.cc:12" or "nobody holds it": a value that has its
/// text, 400 bytes at most. Any thread and signal handlers. Looks at what each thread holds; if
/// their list stays busy, the text says so.
class HolderText {
  public:
    explicit HolderText(const RankedLock& lock);

    std::string_view text() const { return {text_, length_}; }

  private:
    char text_[400];  ///< the first few of many readers
    std::size_t length_;
};

/// Writes for each thread what it holds and what it waits for: since when, where, and who holds
/// that. Returns the part of `room` that was written; what does not fit is cut. May be called from
/// a signal handler, and with anything held.
std::string_view report_locks(std::span<char> room) noexcept;

/// Gets one line about a wait that has lasted long. Called by the waiting thread, which holds what
/// it holds; nothing of the library is locked.
using LongWaitHandler = void (*)(std::string_view report) noexcept;

/// From now on each wait for a domain is told to `handler` when it has lasted for `patience`, and
/// again each time that has doubled. A patience of zero or no handler turns it off, as at first.
/// Waits that have begun keep the patience they began with. Any thread; for the whole process.
void report_long_waits(std::chrono::nanoseconds patience, LongWaitHandler handler) noexcept;

/// For the destructor of a lock: returns when no report of another thread can be looking at it.
void wait_for_reports() noexcept;

/// The sleeper of all ranked locks: shows the wait to reports, times it, and reports it when long.
/// A value of the waiting thread's frame; private to the library.
class LockWait {
  public:
    LockWait(const RankedLock& lock, ThreadState& thread, Here where);
    ~LockWait();

    LockWait(const LockWait&) = delete;
    LockWait& operator=(const LockWait&) = delete;

    void sleep(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::uint32_t channels);

    std::uint64_t waited_ns() const;

  private:
    void tell() const;

    const RankedLock& lock_;
    ThreadState& thread_;
    std::uint64_t start_ns_;
    std::uint64_t acquisitions_;  ///< of the lock when the wait began
    std::uint64_t patience_ns_;   ///< when to report next; 0: never
};

}  // namespace tern::locking
