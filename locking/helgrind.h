#pragma once

/// Tells Helgrind what it cannot see: it knows the locks of the C library only, and takes an atomic
/// load for a plain one. Defined in builds with TERN_HELGRIND, which need valgrind's header; empty
/// functions in all others. Private to the library and its tests; suppressions are not needed.

#include <cstddef>

#ifdef TERN_HELGRIND
#include <valgrind/helgrind.h>
#endif

namespace tern::locking::helgrind {

#ifdef TERN_HELGRIND

/// The calling thread has the lock from here on.
inline void acquired(const volatile void* lock, bool exclusive) {
    ANNOTATE_RWLOCK_ACQUIRED(lock, exclusive ? 1 : 0);
}

/// To be called while it still has it.
inline void released(const volatile void* lock, [[maybe_unused]] bool exclusive) {
    ANNOTATE_RWLOCK_RELEASED(lock, exclusive ? 1 : 0);
}

/// What lies there is atomic, or the holder's alone.
inline void trust(const volatile void* start, std::size_t bytes) {
    VALGRIND_HG_DISABLE_CHECKING(start, bytes);
}

#else

inline void acquired(const volatile void* /*lock*/, bool /*exclusive*/) {}

inline void released(const volatile void* /*lock*/, bool /*exclusive*/) {}

inline void trust(const volatile void* /*start*/, std::size_t /*bytes*/) {}

#endif

}  // namespace tern::locking::helgrind
