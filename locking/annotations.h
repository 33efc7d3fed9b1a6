#pragma once

/// Clang's thread-safety attributes under our names; empty for other compilers.
/// They back up the types of domain.h wherever Clang compiles, with every warning an error. Locks
/// that are made where they stand are followed: FutexLock, PairLock. A guard returned from a
/// function is beyond what Clang 14 can follow, so Guard is not annotated: a function that touches
/// TERN_GUARDED_BY data calls assert_held() of the domain first, or known_held() where a guard
/// stands in the lines above. Nothing here exists at run time.

#if defined(__clang__)
#define TERN_ATTRIBUTE(x) __attribute__((x))
#else
#define TERN_ATTRIBUTE(x)
#endif

#define TERN_CAPABILITY(name) TERN_ATTRIBUTE(capability(name))
#define TERN_SCOPED_CAPABILITY TERN_ATTRIBUTE(scoped_lockable)
#define TERN_GUARDED_BY(domain) TERN_ATTRIBUTE(guarded_by(domain))
#define TERN_POINTEE_GUARDED_BY(domain) TERN_ATTRIBUTE(pt_guarded_by(domain))
#define TERN_ACQUIRE(...) TERN_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define TERN_TRY_ACQUIRE(...) TERN_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define TERN_RELEASE(...) TERN_ATTRIBUTE(release_capability(__VA_ARGS__))
#define TERN_REQUIRES(...) TERN_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define TERN_REQUIRES_SHARED(...) TERN_ATTRIBUTE(requires_shared_capability(__VA_ARGS__))
#define TERN_EXCLUDES(...) TERN_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define TERN_ASSERT_CAPABILITY(...) TERN_ATTRIBUTE(assert_capability(__VA_ARGS__))
#define TERN_ASSERT_SHARED_CAPABILITY(...) TERN_ATTRIBUTE(assert_shared_capability(__VA_ARGS__))
#define TERN_NO_THREAD_SAFETY_ANALYSIS TERN_ATTRIBUTE(no_thread_safety_analysis)
