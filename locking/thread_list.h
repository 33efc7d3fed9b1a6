#pragma once

/// All threads that have locked or read anything, for those who must look at each of them: grace
/// periods, and reports of who holds and who waits.
/// A thread enters the list at its first lock or read section, without allocating, and leaves it
/// when it ends; a thread that ends with a domain held or inside a read section aborts. In a forked
/// child only the thread that forked is left. Private to the library.

#include "locking/futex_mutex.h"
#include "locking/thread_state.h"

#include <atomic>

namespace tern::locking {

/// How threads of this process enter read sections; found out once.
enum class ReaderMode : std::uint8_t { unknown, light, fenced };

/// Its links are in the states of the threads; the mutex guards them, too.
struct ThreadList {
    FutexMutex mutex;  ///< nothing else is locked under it
    ThreadState* first TERN_GUARDED_BY(mutex) = nullptr;
    ReaderMode mode TERN_GUARDED_BY(mutex) = ReaderMode::unknown;
    bool prepared TERN_GUARDED_BY(mutex) = false;  ///< thread ends are looked after
    std::atomic<bool> forks_handled{false};
};

// One for the process, as its threads are.
extern constinit ThreadList thread_list;

/// Puts the calling thread into the list.
void introduce(ThreadState& thread) noexcept;

/// Introduces the calling thread if need be, and tells how it enters read sections.
ReaderMode reader_mode() noexcept;

}  // namespace tern::locking
