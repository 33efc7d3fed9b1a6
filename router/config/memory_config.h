#pragma once

/// `memory { … }`: how many free pages the process keeps between times of much and little use. Part
/// of a Config; only read once that is complete. The defaults are those of the page cache. It sets
/// no limit itself: the daemon gives these to the cache of the process.

#include "alloc/page_cache.h"
#include "router/config/schema.h"

#include <cstddef>

namespace tern::config {

struct MemoryConfig : Block {
    std::size_t keep_pages_min = alloc::PageCacheConfig().keep_pages_main_min;
    std::size_t keep_pages_max = alloc::PageCacheConfig().keep_pages_main_max;
    std::size_t cleanup_pages_bulk = alloc::PageCacheConfig().cleanup_pages_bulk;

    /// The limits of a cache with these in place of its own.
    [[nodiscard]] alloc::PageCacheConfig over(alloc::PageCacheConfig limits) const {
        limits.keep_pages_main_min = keep_pages_min;
        limits.keep_pages_main_max = keep_pages_max;
        limits.cleanup_pages_bulk = cleanup_pages_bulk;
        return limits;
    }
};

}  // namespace tern::config
