#pragma once

/// Which processor a thread runs on, for tests that need two threads on one, or on two: left alone,
/// the kernel may put them anywhere. Threads pass it on to those that they make. It is not undone,
/// so threads of a test's own call it.

#include <sched.h>

namespace tern::locking::testing {

/// Binds the calling thread to the processor of that number among those it may use, from 0. False,
/// and nothing is changed, if there are not so many.
inline bool stay_on_processor(int number) {
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return false;
    for (int processor = 0; processor < CPU_SETSIZE; ++processor) {
        if (!CPU_ISSET(processor, &allowed) || number-- != 0) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(processor, &one);
        return ::sched_setaffinity(0, sizeof one, &one) == 0;
    }
    return false;
}

}  // namespace tern::locking::testing
