#include "loops/thread_slice.h"

#include <cstdint>

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tern::loops {

namespace {

/// The kernel's sched_attr in its first version, which every kernel takes.
struct SchedulingAttributes {
    std::uint32_t size = sizeof(SchedulingAttributes);
    std::uint32_t policy = 0;
    std::uint64_t flags = 0;
    std::int32_t nice = 0;
    std::uint32_t priority = 0;
    std::uint64_t runtime_ns = 0;  ///< of SCHED_OTHER: the slice
    std::uint64_t deadline_ns = 0;
    std::uint64_t period_ns = 0;
};

}  // namespace

bool ask_for_slice(Duration slice) {
    if (slice <= Duration()) return false;
    SchedulingAttributes now;
    if (::syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) != 0) return false;
    if (now.policy != SCHED_OTHER) return false;
    now.size = sizeof now;
    now.flags = 0;
    now.runtime_ns = static_cast<std::uint64_t>(slice.microseconds()) * 1000;
    return ::syscall(SYS_sched_setattr, 0, &now, 0) == 0;
}

}  // namespace tern::loops
