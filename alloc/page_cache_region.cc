#include "alloc/page_cache_region.h"

#include "alloc/page_cache.h"

#include <algorithm>
#include <bit>
#include <new>

namespace tern::alloc {

using DepotGuard = locking::Guard<PageDepotLevel>;

void PageCache::file(Region& region) noexcept {
    const std::size_t free = region.free_count();
    if (free == 0) return;
    if (region.entirely_clean()) ++empty_regions_;
    region.filed_empty = region.entirely_clean();
    region.bucket = static_cast<std::uint16_t>(free / 64);
    Region*& list = by_free_[region.bucket];
    region.previous_filed = nullptr;
    region.next_filed = list;
    if (list != nullptr) list->previous_filed = &region;
    list = &region;
}

void PageCache::unfile(Region& region) noexcept {
    if (region.bucket == Region::unfiled) return;
    if (region.filed_empty) --empty_regions_;
    region.filed_empty = false;
    if (region.previous_filed != nullptr) {
        region.previous_filed->next_filed = region.next_filed;
    } else {
        by_free_[region.bucket] = region.next_filed;
    }
    if (region.next_filed != nullptr) region.next_filed->previous_filed = region.previous_filed;
    region.bucket = Region::unfiled;
}

/// From the source, within the limit.
void* PageCache::map(std::size_t pages, std::size_t alignment) noexcept {
    const bool within =
        config_.mapped_pages_max == 0 || counters_.mapped + pages <= config_.mapped_pages_max;
    void* start = nullptr;
    if (within) {
        ++counters_.maps;
        start = source_.map(round_up(pages * page_bytes, source_.granularity()), alignment);
    }
    if (start == nullptr) {
        ++counters_.out_of_memory;
        return nullptr;
    }
    counters_.mapped += pages;
    return start;
}

/// Room for a region of so many pages behind its head. Notes of pages name each other by distance,
/// which must not become too large.
void* PageCache::map_with_head(std::size_t pages) noexcept {
    const std::size_t all = region_head_pages + pages;
    void* start = map(all, region_bytes);
    too_far_ = start != nullptr && !region_map_.within_span(start, all * page_bytes);
    if (!too_far_) return start;
    source_.unmap(start, round_up(all * page_bytes, source_.granularity()));
    counters_.mapped -= all;
    ++counters_.unmaps;
    ++counters_.out_of_memory;
    return nullptr;
}

PageCache::Region& PageCache::enter_region(void* start) noexcept {
    auto* region = ::new (start) Region();
    region->owner = this;
    region->next = regions_;
    if (regions_ != nullptr) regions_->previous = region;
    regions_ = region;
    counters_.overhead += region_head_pages;
    region_map_.add(region);
    return *region;
}

/// The memory goes with it.
void PageCache::leave_region(Region& region) noexcept {
    region_map_.remove(&region);
    if (region.next != nullptr) region.next->previous = region.previous;
    (region.previous != nullptr ? region.previous->next : regions_) = region.next;
    counters_.overhead -= region_head_pages;
    ++counters_.unmaps;
    const std::size_t bytes = bytes_of(region);
    poison_.reveal(&region, bytes);
    source_.unmap(&region, bytes);
}

std::size_t PageCache::bytes_of(const Region& region) const noexcept {
    if (region.huge_pages == 0) return region_bytes;
    return round_up((region_head_pages + region.huge_pages) * page_bytes, source_.granularity());
}

PageCache::Region* PageCache::map_region() noexcept {
    void* start = map_with_head(Region::usable);
    if (start == nullptr) return nullptr;
    Region& region = enter_region(start);
    for (std::size_t i = region_head_pages; i < region_pages; ++i) {
        Region::set(region.clean, i);
    }
    region.clean_count = Region::usable;
    poison_.hide(region.page(region_head_pages), Region::usable * page_bytes);
    ++counters_.regions;
    counters_.cold += Region::usable;
    file(region);
    return &region;
}

void PageCache::unmap_region(Region& region) noexcept {
    TERN_ASSERT(!region.listed_dirty, "a clean region in the list of dirty ones");
    unfile(region);
    --counters_.regions;
    counters_.mapped -= region_pages;
    counters_.cold -= Region::usable;
    leave_region(region);
}

/// They are all in the last bucket.
void PageCache::unmap_empty_regions(std::size_t kept) noexcept {
    for (Region* region = by_free_[buckets - 1]; region != nullptr && empty_regions_ > kept;) {
        Region* next = region->next_filed;
        if (region->entirely_clean()) unmap_region(*region);
        region = next;
    }
}

void PageCache::mark_dirty(Region& region, std::size_t first, std::size_t pages) noexcept {
    unfile(region);
    for (std::size_t i = first; i < first + pages; ++i) {
        TERN_ASSERT(i >= region_head_pages && i < region_pages && !region.is_free(i),
                    "page freed twice: ", static_cast<const void*>(region.page(i)));
        Region::set(region.dirty, i);
        set_state(region.page(i), NoteState::apart);
    }
    region.dirty_count = static_cast<std::uint16_t>(region.dirty_count + pages);
    region.run_max = Region::usable;
    counters_.dirty += pages;
    if (!region.listed_dirty) {
        region.listed_dirty = true;
        region.next_dirty = dirty_regions_;
        dirty_regions_ = &region;
    }
    file(region);
}

// Runs ---------------------------------------------------------------------------------------

void* PageCache::allocate_run(std::size_t pages, locking::Here where) {
    void* run = try_allocate_run(pages);
    if (run == nullptr) exhausted("run of pages", where);
    return run;
}

void* PageCache::try_allocate_run(std::size_t pages) noexcept {
    TERN_ASSERT(pages != 0, "a run of no pages");
    if (pages == 1) return try_allocate();
    void* run = run_with_reclaim(pages);
    depot_changed();
    if (run != nullptr) poison_.reveal(run, pages * page_bytes);
    return run;
}

void* PageCache::run_with_reclaim(std::size_t pages) noexcept {
    for (;;) {
        {
            const DepotGuard guard = depot_.lock_dynamic();
            void* run = pages > Region::usable ? take_huge_run(pages) : take_run(pages);
            if (run != nullptr) {
                counters_.in_use += pages;
                note_due();
                return run;
            }
        }
        if (!reclaim()) return nullptr;
    }
}

void* PageCache::take_run(std::size_t pages) noexcept {
    for (std::size_t bucket = pages / 64; bucket < buckets; ++bucket) {
        for (Region* region = by_free_[bucket]; region != nullptr; region = region->next_filed) {
            if (region->run_max < pages) continue;
            if (void* run = take_run_from(*region, pages)) return run;
            region->run_max = static_cast<std::uint16_t>(pages - 1);
        }
    }
    Region* region = map_region();
    return region == nullptr ? nullptr : take_run_from(*region, pages);
}

/// Index of the first of so many neighbouring free pages; 0: there are none.
std::size_t PageCache::find_run(Region& region, std::size_t pages) noexcept {
    std::size_t length = 0;
    for (std::size_t i = region_head_pages; i < region_pages;) {
        const std::uint64_t free = (region.dirty[i / 64] | region.clean[i / 64]) >> (i % 64);
        const std::size_t left = 64 - i % 64;
        const auto run = std::min(left, static_cast<std::size_t>(std::countr_one(free)));
        length += run;
        if (length >= pages) return i + run - length;
        i += run;
        if (run == left) continue;
        // A page in use ends the run; go on behind all that follow it.
        length = 0;
        i += std::min(left - run, static_cast<std::size_t>(std::countr_zero(free >> run)));
    }
    return 0;
}

void* PageCache::take_run_from(Region& region, std::size_t pages) noexcept {
    const std::size_t first = find_run(region, pages);
    if (first == 0) return nullptr;
    const std::size_t dirty_before = region.dirty_count;
    unfile(region);
    for (std::size_t taken = first; taken < first + pages; ++taken) {
        region.take(taken);
    }
    const std::size_t from_dirty = dirty_before - region.dirty_count;
    counters_.dirty -= from_dirty;
    counters_.cold -= pages - from_dirty;
    file(region);
    return region.page(first);
}

void* PageCache::take_huge_run(std::size_t pages) noexcept {
    void* start = map_with_head(pages);
    if (start == nullptr && empty_regions_ != 0) {
        // Address space is what is short; that of empty regions may do.
        unmap_empty_regions(0);
        start = map_with_head(pages);
    }
    if (start == nullptr) return nullptr;
    Region& region = enter_region(start);
    region.huge_pages = static_cast<std::uint32_t>(pages);
    return region.page(region_head_pages);
}

void PageCache::give_huge_run(Region& region) noexcept {
    counters_.mapped -= region_head_pages + region.huge_pages;
    leave_region(region);
}

void PageCache::deallocate_run(void* run, std::size_t pages, locking::Here where) noexcept {
    if (pages == 1) {
        deallocate(run, where);
        return;
    }
    if (!is_run(run, pages)) bad_page(run, where);
    {
        const DepotGuard guard = depot_.lock_dynamic();
        TERN_ASSERT(counters_.in_use >= pages, "run freed twice or with a wrong size");
        counters_.in_use -= pages;
        Region& region = region_of(run);
        if (pages > Region::usable) {
            give_huge_run(region);
        } else {
            poison_.hide(run, pages * page_bytes);
            mark_dirty(region, region.index_of(run), pages);
            starved_ = false;
        }
        note_due();
    }
    depot_changed();
}

}  // namespace tern::alloc
