#include "alloc/page_cache.h"
#include "alloc/page_cache_region.h"

#include <algorithm>

namespace tern::alloc {

using DepotGuard = locking::Guard<PageDepotLevel>;

bool PageCache::out_of_bounds() const noexcept {
    return (counters_.hot < config_.keep_pages_main_min && !starved_) || filling_ || cooling_ ||
           purging_ || empty_regions_ > config_.keep_cold_regions ||
           counters_.hot > config_.keep_pages_main_max ||
           counters_.dirty > unpurgeable_ + config_.keep_pages_main_max / 2;
}

void PageCache::note_due() noexcept {
    const bool due = out_of_bounds();
    if (due && !due_.load(std::memory_order_relaxed)) {
        kick_pending_.store(true, std::memory_order_relaxed);
    }
    due_.store(due, std::memory_order_relaxed);
}

std::size_t PageCache::maintain() noexcept {
    std::size_t moved = 0;
    std::size_t fill_budget = 0;
    {
        const DepotGuard guard = depot_.lock_dynamic();
        ++counters_.maintenances;
        if (counters_.hot < config_.keep_pages_main_min) filling_ = true;
        if (filling_) {
            fill_budget = config_.cleanup_pages_bulk;
        } else {
            moved = cool();
        }
    }
    if (fill_budget != 0) moved = fill(fill_budget);
    const DepotGuard guard = depot_.lock_dynamic();
    // One at a time, since the kernel has much to clean up.
    if (empty_regions_ > config_.keep_cold_regions) unmap_empty_regions(empty_regions_ - 1);
    note_due();
    // The caller sees by maintenance_due() that there is more; no kick for that.
    kick_pending_.store(false, std::memory_order_relaxed);
    return moved;
}

/// Up to twice the lower bound.
std::size_t PageCache::fill(std::size_t budget) noexcept {
    Region* stranger = nullptr;
    std::size_t moved = 0;
    for (std::size_t cost = 0; cost < budget;) {
        void* pages[detail::batch_max];
        Refill refill;
        {
            const DepotGuard guard = depot_.lock_dynamic();
            refill = take_to_fill(pages, stranger);
        }
        if (refill.pages == 0) break;
        if (refill.fresh) back({pages, refill.pages});
        const DepotGuard guard = depot_.lock_dynamic();
        keep_hot({pages, refill.pages});
        filling_ = counters_.hot < 2 * config_.keep_pages_main_min;
        moved += refill.pages;
        cost += refill.pages * (refill.fresh ? kernel_call_pages : 1);
    }
    return moved;
}

/// Cold pages first, the source only when there are none. The stranger is a region of the test that
/// needs a defect, and nullptr for everybody else.
PageCache::Refill PageCache::take_to_fill(std::span<void*> room, Region*& stranger) noexcept {
    const std::size_t wanted = 2 * config_.keep_pages_main_min;
    filling_ = counters_.hot < wanted;
    if (!filling_) return {};
    if (fault_ == TestFault::ignore_cold && (stranger == nullptr || stranger->free_count() == 0)) {
        stranger = map_region();
    }
    Region* region = stranger != nullptr ? stranger : region_for_refill();
    if (region == nullptr) {
        starved_ = true;
        filling_ = false;
        return {};
    }
    return take_free(*region, room.first(std::min<std::size_t>(wanted - counters_.hot, batch())));
}

/// Down to half of the upper bound, once that was exceeded. One step moves whole batches to their
/// regions, the next ones purge runs of neighbouring pages there.
std::size_t PageCache::cool() noexcept {
    const std::size_t bulk =
        fault_ == TestFault::ignore_bulk ? counters_.mapped : config_.cleanup_pages_bulk;
    const std::size_t target = config_.keep_pages_main_max / 2;
    if (counters_.hot > config_.keep_pages_main_max) cooling_ = true;
    if (purging_ || !cooling_) {
        if (purging_ || counters_.dirty > unpurgeable_ + target) purge_dirty(bulk);
        return 0;
    }
    std::size_t moved = 0;
    while (counters_.hot > target && moved + batch() <= bulk) {
        void* pages[detail::batch_max];
        const std::size_t count = take_hot({pages, batch()});
        for (void* page : std::span(pages, count)) {
            Region& region = region_of(page);
            mark_dirty(region, region.index_of(page), 1);
        }
        moved += count;
    }
    cooling_ = counters_.hot > target;
    purging_ = true;
    return moved;
}

/// What purging has cost so far, in pages.
std::uint64_t PageCache::purge_cost() const noexcept {
    return counters_.pages_purged + kernel_call_pages * counters_.purges;
}

void PageCache::purge_dirty(std::size_t budget) noexcept {
    const std::uint64_t until = purge_cost() + budget;
    Region* unfinished = nullptr;
    while (dirty_regions_ != nullptr && purge_cost() < until) {
        Region& region = *dirty_regions_;
        purge_region(region, until);
        if (region.dirty_count != 0 && purge_cost() >= until) break;
        dirty_regions_ = region.next_dirty;
        region.listed_dirty = false;
        if (region.dirty_count != 0) {
            // Parts smaller than a page of the system; wait for their neighbours.
            region.listed_dirty = true;
            region.next_dirty = unfinished;
            unfinished = &region;
        }
    }
    // What is left now would be left again; without this, maintenance would be due for ever.
    purging_ = dirty_regions_ != nullptr;
    unpurgeable_ = purging_ ? 0 : counters_.dirty;
    while (unfinished != nullptr) {
        Region& region = *unfinished;
        unfinished = region.next_dirty;
        region.next_dirty = dirty_regions_;
        dirty_regions_ = &region;
    }
}

/// One call of the source for all pages from `first` up to before `last`.
void PageCache::purge_run(Region& region, std::size_t first, std::size_t last) noexcept {
    const std::size_t pages = last - first;
    const std::size_t step = fault_ == TestFault::purge_singly ? 1 : pages;
    for (std::size_t at = first; at < last; at += step) {
        source_.purge(region.page(at), step * page_bytes);
        ++counters_.purges;
    }
    for (std::size_t page = first; page < last; ++page) {
        Region::clear(region.dirty, page);
        Region::set(region.clean, page);
    }
    region.dirty_count = static_cast<std::uint16_t>(region.dirty_count - pages);
    region.clean_count = static_cast<std::uint16_t>(region.clean_count + pages);
    counters_.dirty -= pages;
    counters_.cold += pages;
    counters_.pages_purged += pages;
}

void PageCache::purge_region(Region& region, std::uint64_t until) noexcept {
    const std::size_t unit = std::max<std::size_t>(1, source_.granularity() / page_bytes);
    unfile(region);
    std::size_t i = region_head_pages;
    while (i < region_pages && purge_cost() < until) {
        if (!Region::test(region.dirty, i)) {
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < region_pages && Region::test(region.dirty, end)) {
            ++end;
        }
        const std::size_t first = round_up(i, unit);
        const std::size_t affordable = first + round_up(until - purge_cost(), unit);
        const std::size_t last = std::min(end & ~(unit - 1), affordable);
        if (first < last) purge_run(region, first, last);
        i = end;
    }
    file(region);
}

void PageCache::on_maintenance_due(Kick kick, void* context) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    kick_ = kick;
    kick_context_ = context;
}

std::optional<std::string> PageCache::reconfigure(const PageCacheConfig& config) {
    if (std::optional<std::string> error = config.error()) return error;
    const DepotGuard guard = depot_.lock_dynamic();
    if (config.magazine_pages != config_.magazine_pages) {
        return "the size of magazines cannot be changed";
    }
    config_ = config;
    note_due();
    return std::nullopt;
}

}  // namespace tern::alloc
