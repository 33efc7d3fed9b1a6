#include "locking/thread_list.h"

#include "locking/ranked_lock.h"

#include <limits>

#include <pthread.h>

namespace tern::locking {

constinit HeldEntry outside_of_the_list(std::numeric_limits<LockRank>::max());
constinit thread_local ThreadState thread_state;
constinit ThreadList thread_list;

namespace {

// A key of the C library tells of a thread's end: unlike a thread_local with a destructor it
// neither allocates nor comes before the destructors of others, which may lock and read.
constinit pthread_key_t exit_key{};

void link(ThreadState& thread) TERN_REQUIRES(thread_list.mutex) {
    thread.next = thread_list.first;
    thread.previous = &thread_list.first;
    if (thread.next != nullptr) thread.next->previous = &thread.next;
    thread_list.first = &thread;
}

void dismiss(void* ended) {
    ThreadState& thread = *static_cast<ThreadState*>(ended);
    TERN_ASSERT(!thread.in_read_section(), "thread ends inside an RCU read section");
    TERN_ASSERT(thread.held().empty(), "thread ends with a domain held");
    thread_list.mutex.lock();
    *thread.previous = thread.next;
    if (thread.next != nullptr) thread.next->previous = thread.previous;
    thread.top.store(&outside_of_the_list, std::memory_order_relaxed);
    // The destructor of another key may still read, and would be introduced again.
    thread.reader_word.store(ThreadState::not_plain, std::memory_order_relaxed);
    thread_list.mutex.unlock();
}

// How many handlers of this thread's fork have run, see handle_forks().
constinit thread_local unsigned fork_depth = 0;

void before_fork() TERN_NO_THREAD_SAFETY_ANALYSIS {
    if (fork_depth++ == 0) thread_list.mutex.lock();
}

void after_fork_in_parent() TERN_NO_THREAD_SAFETY_ANALYSIS {
    if (--fork_depth == 0) thread_list.mutex.unlock();
}

void after_fork_in_child() TERN_NO_THREAD_SAFETY_ANALYSIS {
    if (--fork_depth != 0) return;
    thread_list.first = nullptr;
    if (thread_state.introduced()) {
        link(thread_state);
        thread_state.id = platform::thread_id();
    }
    thread_list.mutex.free_in_child();
}

/// Before the mutex is locked for the first time, since a fork could come then. Nobody waits for
/// another thread to do it, which the child of a fork would not have: two threads may both
/// register, and the handlers count.
void handle_forks() {
    if (thread_list.forks_handled.load(std::memory_order_acquire)) return;
    TERN_ASSERT(::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0);
    thread_list.forks_handled.store(true, std::memory_order_release);
}

/// Once per process.
void prepare() TERN_REQUIRES(thread_list.mutex) {
    thread_list.prepared = true;
    thread_list.mode = platform::register_barrier() ? ReaderMode::light : ReaderMode::fenced;
    TERN_ASSERT(::pthread_key_create(&exit_key, dismiss) == 0);
}

}  // namespace

void introduce(ThreadState& thread) noexcept {
    thread.id = platform::thread_id();
    handle_forks();
    thread_list.mutex.lock();
    if (!thread_list.prepared) prepare();
    if (thread_list.mode == ReaderMode::light) {
        thread.reader_word.store(0, std::memory_order_relaxed);
    }
    link(thread);
    thread.top.store(thread.entries, std::memory_order_relaxed);
    thread_list.mutex.unlock();
    TERN_ASSERT(::pthread_setspecific(exit_key, &thread) == 0);
}

ReaderMode reader_mode() noexcept {
    if (!thread_state.introduced()) introduce(thread_state);
    return (thread_state.reader_word.load(std::memory_order_relaxed) & ThreadState::not_plain) != 0
               ? ReaderMode::fenced
               : ReaderMode::light;
}

}  // namespace tern::locking
