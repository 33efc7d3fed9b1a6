#pragma once

/// The head of a region of pages: which of them are free and whether memory is behind them.
/// Lies at the start of its region, so that finding it from a page is a mask, in the place of the
/// notes of the pages that hold the notes. Private to the page cache, written with its depot held.
/// It never touches the pages it describes.

#include "alloc/page_cache.h"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace tern::alloc {

/// One region of a cache: which of its pages are free with memory behind them (dirty) and without
/// (clean). Born and gone with the mapping it lies in. A run that is too long for a region has one
/// of its own, which is as long as it must be and has no free pages.
struct PageCache::Region {
    static constexpr std::size_t words = region_pages / 64;
    static constexpr std::size_t usable = region_pages - region_head_pages;
    static constexpr std::uint16_t unfiled = 0xffff;

    PageCache* owner = nullptr;
    Region* next_filed = nullptr;
    Region* previous_filed = nullptr;
    Region* next = nullptr;
    Region* previous = nullptr;
    Region* next_dirty = nullptr;
    bool listed_dirty = false;
    bool filed_empty = false;  ///< was entirely clean when it was filed
    std::uint16_t bucket = unfiled;
    std::uint16_t dirty_count = 0;
    std::uint16_t clean_count = 0;
    /// No run of free pages is longer; lowered by searches in vain, raised when pages come back.
    std::uint16_t run_max = usable;
    std::uint32_t huge_pages = 0;  ///< of the run that has this region for itself
    std::uint64_t dirty[words] = {};
    std::uint64_t clean[words] = {};

    std::size_t free_count() const { return std::size_t{dirty_count} + clean_count; }

    bool entirely_clean() const { return clean_count == usable; }

    std::byte* page(std::size_t index) {
        return reinterpret_cast<std::byte*>(this) + index * page_bytes;
    }

    /// Of the page that starts at an address in this region.
    std::size_t index_of(const void* page) const {
        return static_cast<std::size_t>(static_cast<const std::byte*>(page) -
                                        reinterpret_cast<const std::byte*>(this)) /
               page_bytes;
    }

    static bool test(const std::uint64_t (&map)[words], std::size_t index) {
        return (map[index / 64] >> (index % 64) & 1) != 0;
    }

    static void set(std::uint64_t (&map)[words], std::size_t index) {
        map[index / 64] |= std::uint64_t{1} << (index % 64);
    }

    static void clear(std::uint64_t (&map)[words], std::size_t index) {
        map[index / 64] &= ~(std::uint64_t{1} << (index % 64));
    }

    bool is_free(std::size_t index) const { return test(dirty, index) || test(clean, index); }

    /// Takes a free page out of its map.
    void take(std::size_t index) {
        if (test(dirty, index)) {
            clear(dirty, index);
            --dirty_count;
        } else {
            clear(clean, index);
            --clean_count;
        }
    }
};

}  // namespace tern::alloc
