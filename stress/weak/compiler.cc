// The calls that the compiler puts into sources compiled as for the thread sanitizer, answered by
// the explorer; and what of the system the libraries wait with: mutexes, the mutex of domains, and
// giving the processor away. Outside of an exploration there is one thread, so nothing is needed.

#include "locking/futex_mutex.h"
#include "stress/weak/explorer.h"

#include <cstddef>
#include <cstdint>
#include <utility>

#include <pthread.h>
#include <sched.h>

namespace tern::stress::weak {

namespace {

void plain(const void* at, std::size_t bytes, bool writes) {
    if (Explorer::on_stack(at)) return;
    const Explorer::Call call;
    if (!call) return;
    if (writes) {
        call->machine().plain_write(call->thread(), at, bytes);
    } else {
        call->machine().plain_read(call->thread(), at, bytes);
    }
}

template <class Word>
Word load(const volatile Word* word, int order) {
    const Explorer::Call call;
    const void* const at = const_cast<const Word*>(word);
    if (!call) return *word;
    call->before(at, false);
    return static_cast<Word>(call->machine().load(call->thread(), at, sizeof(Word), order));
}

template <class Word>
void store(volatile Word* word, Word value, int order) {
    const Explorer::Call call;
    void* const at = const_cast<Word*>(word);
    if (!call) {
        *word = value;
        return;
    }
    call->before(at, true);
    call->machine().store(call->thread(), at, sizeof(Word), value, order);
}

/// A read-modify-write.
template <class Word, class Change>
Word modify(volatile Word* word, int order, Change&& change) {
    const Explorer::Call call;
    void* const at = const_cast<Word*>(word);
    if (!call) {
        const Word old = *word;
        *word = change(old);
        return old;
    }
    call->before(at, true);
    return static_cast<Word>(call->machine().exchange(
        call->thread(), at, sizeof(Word), order,
        [&change](std::uint64_t old) -> std::uint64_t { return change(static_cast<Word>(old)); }));
}

template <class Word>
bool compare_exchange(volatile Word* word, Word* expected, Word value, int success, int failure) {
    const Explorer::Call call;
    void* const at = const_cast<Word*>(word);
    if (!call) {
        const Word old = *word;
        if (old == *expected) *word = value;
        return std::exchange(*expected, old) == old;
    }
    call->before(at, true);
    std::uint64_t seen = *expected;
    const bool done = call->machine().compare_exchange(call->thread(), at, sizeof(Word), seen,
                                                       value, success, failure);
    *expected = static_cast<Word>(seen);
    return done;
}

/// A mutex of the C library is a word that is 1 while it is held.
void lock(std::uint32_t& word) {
    const Explorer::Call call;
    if (!call) return;
    call->before(&word, true);
    if (call->machine().newest(&word, sizeof word) != 0) call->wait_while(&word, sizeof word, 1);
    call->machine().exchange(call->thread(), &word, sizeof word, __ATOMIC_ACQUIRE,
                             [](std::uint64_t) { return 1; });
}

void unlock(std::uint32_t& word) {
    const Explorer::Call call;
    if (!call) return;
    call->before(&word, true);
    call->machine().store(call->thread(), &word, sizeof word, 0, __ATOMIC_RELEASE);
}

std::uint32_t& word_of(pthread_mutex_t* mutex) {
    return *reinterpret_cast<std::uint32_t*>(mutex);
}

}  // namespace

}  // namespace tern::stress::weak

namespace tern::locking {

void FutexMutex::lock_contended() noexcept {
    while (!try_lock())
        stress::weak::wait_while(&word_, sizeof word_, locked);
}

/// Nobody sleeps on it.
void FutexMutex::wake_next() noexcept {}

// Of domains, which no program here waits for.
bool FutexMutex::lock_spinning(Waiter) noexcept {
    return try_lock();
}

bool FutexMutex::mark_for_sleep(Waiter, std::uint32_t&) noexcept {
    return false;
}

}  // namespace tern::locking

extern "C" {

int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
    tern::stress::weak::lock(tern::stress::weak::word_of(mutex));
    return 0;
}

int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
    tern::stress::weak::unlock(tern::stress::weak::word_of(mutex));
    return 0;
}

int sched_yield() noexcept {
    tern::stress::weak::yield();
    return 0;
}

}  // extern "C"

// The names of the compiler are given to the assembler, as some are builtins in C++.
#define TERN_CALL(RESULT, NAME, ...)                              \
    extern "C" RESULT NAME(__VA_ARGS__) __asm__("__tsan_" #NAME); \
    RESULT NAME(__VA_ARGS__)

#define TERN_PLAIN(BYTES)                               \
    TERN_CALL(void, read##BYTES, void* at) {            \
        tern::stress::weak::plain(at, BYTES, false);    \
    }                                                   \
    TERN_CALL(void, write##BYTES, void* at) {           \
        tern::stress::weak::plain(at, BYTES, true);     \
    }                                                   \
    TERN_CALL(void, unaligned_read##BYTES, void* at) {  \
        tern::stress::weak::plain(at, BYTES, false);    \
    }                                                   \
    TERN_CALL(void, unaligned_write##BYTES, void* at) { \
        tern::stress::weak::plain(at, BYTES, true);     \
    }

#define TERN_MODIFY(BITS, WORD, NAME, EXPRESSION)                                           \
    TERN_CALL(WORD, atomic##BITS##_##NAME, volatile WORD* word, WORD value, int order) {    \
        return tern::stress::weak::modify(word, order, [value]([[maybe_unused]] WORD old) { \
            return static_cast<WORD>(EXPRESSION);                                           \
        });                                                                                 \
    }

#define TERN_ATOMICS(BITS, WORD)                                                                \
    TERN_CALL(WORD, atomic##BITS##_load, const volatile WORD* word, int order) {                \
        return tern::stress::weak::load(word, order);                                           \
    }                                                                                           \
    TERN_CALL(void, atomic##BITS##_store, volatile WORD* word, WORD value, int order) {         \
        tern::stress::weak::store(word, value, order);                                          \
    }                                                                                           \
    TERN_CALL(int, atomic##BITS##_compare_exchange_strong, volatile WORD* word, WORD* expected, \
              WORD value, int success, int failure) {                                           \
        return tern::stress::weak::compare_exchange(word, expected, value, success, failure);   \
    }                                                                                           \
    TERN_CALL(int, atomic##BITS##_compare_exchange_weak, volatile WORD* word, WORD* expected,   \
              WORD value, int success, int failure) {                                           \
        return tern::stress::weak::compare_exchange(word, expected, value, success, failure);   \
    }                                                                                           \
    TERN_MODIFY(BITS, WORD, exchange, value)                                                    \
    TERN_MODIFY(BITS, WORD, fetch_add, old + value)                                             \
    TERN_MODIFY(BITS, WORD, fetch_sub, old - value)                                             \
    TERN_MODIFY(BITS, WORD, fetch_and, old& value)                                              \
    TERN_MODIFY(BITS, WORD, fetch_or, old | value)

TERN_PLAIN(1)
TERN_PLAIN(2)
TERN_PLAIN(4)
TERN_PLAIN(8)
TERN_PLAIN(16)
TERN_ATOMICS(8, std::uint8_t)
TERN_ATOMICS(16, std::uint16_t)
TERN_ATOMICS(32, std::uint32_t)
TERN_ATOMICS(64, std::uint64_t)

TERN_CALL(void, read_range, void* at, std::size_t bytes) {
    tern::stress::weak::plain(at, bytes, false);
}

TERN_CALL(void, write_range, void* at, std::size_t bytes) {
    tern::stress::weak::plain(at, bytes, true);
}

TERN_CALL(void, vptr_update, void** at, void*) {
    tern::stress::weak::plain(at, sizeof *at, true);
}

TERN_CALL(void, init, ) {}

TERN_CALL(void, func_entry, void*) {}

TERN_CALL(void, func_exit, ) {}
