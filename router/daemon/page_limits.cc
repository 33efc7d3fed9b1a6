#include "router/daemon/page_limits.h"

#include "locking/check.h"

namespace tern::daemon {

void set_page_limits(alloc::PageCache& cache, const config::MemoryConfig& memory) {
    const std::optional<std::string> error = cache.reconfigure(memory.over(cache.config()));
    TERN_ASSERT(!error, "limits of the page cache");
}

}  // namespace tern::daemon
