#pragma once

/// Tells the memory checkers which bytes nobody may touch.
/// AddressSanitizer is known at compile time; Valgrind is asked once per owner, so that the plain
/// build pays one well-predicted branch. Every allocator here owns one Poison and hides what it
/// holds back. Does nothing at all when neither checker is there.

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define TERN_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TERN_ASAN 1
#endif
#endif

#ifdef TERN_ASAN
#include <sanitizer/asan_interface.h>
#endif

#if __has_include(<valgrind/memcheck.h>)
#define TERN_MEMCHECK 1
#endif

namespace tern::alloc {

/// Reads what may be hidden, freed or written by another thread just now; for the words of an
/// abort and for marks.
std::uint32_t peek(const std::uint32_t* word);
void* peek(void* const* word);

/// Whether this process may read these bytes. Asks the kernel, so it is for the words of an abort.
bool readable(const void* start, std::size_t bytes);

/// A member of each allocator; any thread. It owns nothing and remembers nothing but whether
/// Valgrind is there.
class Poison {
  public:
    /// Nobody may read or write these bytes from now on.
    void hide([[maybe_unused]] const void* start, [[maybe_unused]] std::size_t bytes) const {
#ifdef TERN_ASAN
        ASAN_POISON_MEMORY_REGION(start, bytes);
#endif
#ifdef TERN_MEMCHECK
        if (memcheck_) [[unlikely]] {
            tell_valgrind_hidden(start, bytes);
        }
#endif
    }

    /// These bytes belong to somebody again; what they contain is not defined.
    void reveal([[maybe_unused]] const void* start, [[maybe_unused]] std::size_t bytes) const {
#ifdef TERN_ASAN
        ASAN_UNPOISON_MEMORY_REGION(start, bytes);
#endif
#ifdef TERN_MEMCHECK
        if (memcheck_) [[unlikely]] {
            tell_valgrind_revealed(start, bytes);
        }
#endif
    }

    /// Whether a byte is hidden; only AddressSanitizer can tell, others get false.
    static bool hidden([[maybe_unused]] const void* address) {
#ifdef TERN_ASAN
        return __asan_address_is_poisoned(address) != 0;
#else
        return false;
#endif
    }

    /// Whether Valgrind runs the program.
    bool memcheck() const {
#ifdef TERN_MEMCHECK
        return memcheck_;
#else
        return false;
#endif
    }

    /// Whether a checker has to be told.
    bool watches() const {
        return asan() || memcheck();
    }

    static constexpr bool asan() {
#ifdef TERN_ASAN
        return true;
#else
        return false;
#endif
    }

  private:
#ifdef TERN_MEMCHECK
    static bool ask();
    static void tell_valgrind_hidden(const void* start, std::size_t bytes);
    static void tell_valgrind_revealed(const void* start, std::size_t bytes);

    bool memcheck_ = ask();
#endif
};

}  // namespace tern::alloc
