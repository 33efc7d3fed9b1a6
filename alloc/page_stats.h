#pragma once

/// Counters of a PageCache, all in pages of 4 KiB unless the name says otherwise.
/// A snapshot by value, made by PageCache::stats(); exact when no other thread is inside the cache.
/// The law that holds then: mapped = in_use + magazines + hot + dirty + cold + overhead.
/// Read by memory reports and tests; never changes anything.

#include <cstddef>
#include <cstdint>

namespace tern::alloc {

/// A value, whoever has it; see the head of the file for the law between the figures.
struct PageStats {
    std::size_t mapped = 0;     ///< obtained from the source and not given back
    std::size_t in_use = 0;     ///< handed out
    std::size_t magazines = 0;  ///< free, kept by threads
    std::size_t hot = 0;        ///< free, backed, shared by all threads
    std::size_t dirty = 0;      ///< free in their region, perhaps still backed
    std::size_t cold = 0;       ///< free in their region, backed by nothing
    std::size_t overhead = 0;   ///< heads of regions

    std::size_t regions = 0;          ///< count, not pages
    std::size_t empty_regions = 0;    ///< those without a page in use or kept, likewise
    std::uint64_t maps = 0;           ///< calls of the source since the start
    std::uint64_t unmaps = 0;         ///< likewise
    std::uint64_t purges = 0;         ///< likewise; one call covers a run of pages
    std::uint64_t pages_purged = 0;   ///< since the start
    std::uint64_t maintenances = 0;   ///< runs of maintain()
    std::uint64_t out_of_memory = 0;  ///< times the source or the limit refused
    std::uint64_t reclaims = 0;       ///< times the hooks freed something

    /// Free pages that still occupy memory.
    std::size_t kept() const { return magazines + hot + dirty; }
};

}  // namespace tern::alloc
