#pragma once
/// Puts the `memory` block of a configuration in force. The page cache belongs to the process, as
/// the kernel's memory does, so whoever runs the process calls this for each configuration, in the
/// main loop. Pages above a new limit go back at the next upkeep. It never refuses: the block was
/// checked when it was read.

#include "alloc/page_cache.h"
#include "router/config/memory_config.h"

namespace tern::daemon {

void set_page_limits(alloc::PageCache& cache, const config::MemoryConfig& memory);

}  // namespace tern::daemon
