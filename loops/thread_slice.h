#pragma once

/// What the kernel is asked for on behalf of threads of the low-latency class.
/// Affects the calling thread only, needs no privilege, and is a wish: a kernel that does not know
/// it (before Linux 6.12, or another scheduling policy) goes on as before. Internal to loops/.

#include "loops/time.h"

namespace tern::loops {

/// Runs that the kernel cuts short are runs it lets in early: among threads of one priority the one
/// with the nearest end of its slice comes first, even before the one that runs. `slice` is 0.1 to
/// 100 ms, zero leaves the kernel's own. Returns whether the kernel took it.
bool ask_for_slice(Duration slice);

}  // namespace tern::loops
