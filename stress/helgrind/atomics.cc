// The atomics of a program that was compiled with -fno-inline-atomics, as Helgrind can understand
// them. It knows the threads and locks of the C library, and takes an atomic instruction for a
// plain access. Here each operation says what its memory order promises: a release happens before
// the acquires of the same word that come after it. A fence promises nothing to Helgrind.
//
// What is missed: an acquire that did not read what the release wrote is ordered as well, and a
// word that once was atomic is not checked again until malloc or mmap gives its memory out anew.
// What it reports breaks the rules of the language, unless a fence orders it.

#include <cstddef>
#include <cstdint>

#include <valgrind/helgrind.h>

namespace {

bool releases(int order) {
    return order == __ATOMIC_RELEASE || order == __ATOMIC_ACQ_REL || order == __ATOMIC_SEQ_CST;
}

bool acquires(int order) {
    return order != __ATOMIC_RELAXED && order != __ATOMIC_RELEASE;
}

void before(const volatile void* word, std::size_t bytes, int order) {
    VALGRIND_HG_DISABLE_CHECKING(word, bytes);
    if (releases(order)) ANNOTATE_HAPPENS_BEFORE(word);
}

void after(const volatile void* word, int order) {
    if (acquires(order)) ANNOTATE_HAPPENS_AFTER(word);
}

/// A read-modify-write, or a load or a store.
template <typename Operation>
auto ordered(const volatile void* word, std::size_t bytes, int order, Operation operation) {
    before(word, bytes, order);
    const auto result = operation();
    after(word, order);
    return result;
}

template <typename Word>
bool compare_exchange(volatile void* word, void* expected, Word desired, int success, int failure) {
    // Read before: it may lie in what is handed over by the exchange.
    Word old = *static_cast<Word*>(expected);
    before(word, sizeof(Word), success);
    const bool exchanged =
        __atomic_compare_exchange_n(static_cast<volatile Word*>(word), &old, desired, false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    after(word, exchanged ? success : failure);
    if (!exchanged) *static_cast<Word*>(expected) = old;
    return exchanged;
}

}  // namespace

// The functions have the names that the compiler calls, which are given to the assembler because
// they are builtins in C++.
#define TERN_READ_MODIFY_WRITE(NAME, BYTES, WORD)                                           \
    extern "C" WORD tern_##NAME##_##BYTES(volatile void* word, WORD value,                  \
                                          int order) __asm__("__atomic_" #NAME "_" #BYTES); \
    WORD tern_##NAME##_##BYTES(volatile void* word, WORD value, int order) {                \
        return ordered(word, BYTES, order, [&]() -> WORD {                                  \
            return TERN_BUILTIN_##NAME(static_cast<volatile WORD*>(word), value,            \
                                       __ATOMIC_SEQ_CST);                                   \
        });                                                                                 \
    }
#define TERN_BUILTIN_exchange __atomic_exchange_n
#define TERN_BUILTIN_fetch_add __atomic_fetch_add
#define TERN_BUILTIN_fetch_sub __atomic_fetch_sub
#define TERN_BUILTIN_fetch_and __atomic_fetch_and
#define TERN_BUILTIN_fetch_or __atomic_fetch_or
#define TERN_BUILTIN_fetch_xor __atomic_fetch_xor

#define TERN_ATOMICS(BYTES, WORD)                                                              \
    extern "C" WORD tern_load_##BYTES(const volatile void* word,                               \
                                      int order) __asm__("__atomic_load_" #BYTES);             \
    extern "C" void tern_store_##BYTES(volatile void* word, WORD value,                        \
                                       int order) __asm__("__atomic_store_" #BYTES);           \
    extern "C" bool tern_compare_exchange_##BYTES(                                             \
        volatile void* word, void* expected, WORD desired, int success,                        \
        int failure) __asm__("__atomic_compare_exchange_" #BYTES);                             \
    WORD tern_load_##BYTES(const volatile void* word, int order) {                             \
        return ordered(word, BYTES, order, [&] {                                               \
            return __atomic_load_n(static_cast<const volatile WORD*>(word), __ATOMIC_SEQ_CST); \
        });                                                                                    \
    }                                                                                          \
    void tern_store_##BYTES(volatile void* word, WORD value, int order) {                      \
        before(word, BYTES, order);                                                            \
        __atomic_store_n(static_cast<volatile WORD*>(word), value, __ATOMIC_SEQ_CST);          \
    }                                                                                          \
    bool tern_compare_exchange_##BYTES(volatile void* word, void* expected, WORD desired,      \
                                       int success, int failure) {                             \
        return compare_exchange(word, expected, desired, success, failure);                    \
    }                                                                                          \
    TERN_READ_MODIFY_WRITE(exchange, BYTES, WORD)                                              \
    TERN_READ_MODIFY_WRITE(fetch_add, BYTES, WORD)                                             \
    TERN_READ_MODIFY_WRITE(fetch_sub, BYTES, WORD)                                             \
    TERN_READ_MODIFY_WRITE(fetch_and, BYTES, WORD)                                             \
    TERN_READ_MODIFY_WRITE(fetch_or, BYTES, WORD)                                              \
    TERN_READ_MODIFY_WRITE(fetch_xor, BYTES, WORD)

TERN_ATOMICS(1, std::uint8_t)
TERN_ATOMICS(2, std::uint16_t)
TERN_ATOMICS(4, std::uint32_t)
TERN_ATOMICS(8, std::uint64_t)
