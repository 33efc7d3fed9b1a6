#pragma once

/// Lets the threads of a runtime look after a page cache: the main thread refills and trims it when
/// it says that this is due, threads about to sleep for long and threads that end give back what
/// they hold, and the page of their scratch arena. The cache outlives the runtime. Call before
/// Runtime::start().

namespace tern::alloc {
class PageCache;
}

namespace tern::loops {

class Runtime;

/// Sets the maintenance and the thread trim of the runtime, and the kick of the cache, which wakes
/// the main loop: one cache for one runtime. If the cache is used after the runtime has ended, take
/// the kick back first: `cache.on_maintenance_due(nullptr, nullptr)`.
void keep_pages(Runtime& runtime, alloc::PageCache& cache);

}  // namespace tern::loops
