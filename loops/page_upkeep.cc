#include "loops/page_upkeep.h"

#include "alloc/arena.h"
#include "alloc/page_cache.h"
#include "loops/runtime.h"

namespace tern::loops {

void keep_pages(Runtime& runtime, alloc::PageCache& cache) {
    runtime.set_maintenance(
        [](void* context) {
            auto& pages = *static_cast<alloc::PageCache*>(context);
            if (pages.maintenance_due()) pages.maintain();
            return pages.maintenance_due();
        },
        &cache);
    // The kick may come with any domain held; waking a loop takes none.
    cache.on_maintenance_due([](void* context) noexcept { static_cast<Loop*>(context)->wake(); },
                             &runtime.main_loop());
    runtime.set_thread_trim({[](void* context) {
                                 alloc::trim_scratch();
                                 static_cast<alloc::PageCache*>(context)->flush_thread();
                             },
                             &cache});
}

}  // namespace tern::loops
