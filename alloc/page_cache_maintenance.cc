#include "alloc/page_cache.h"
#include "alloc/page_cache_region.h"

#include <algorithm>

namespace tern::alloc {

using detail::Chain;
using detail::FreeItem;
using DepotGuard = locking::Guard<PageDepotLevel>;

bool PageCache::out_of_bounds() const noexcept {
    return (counters_.hot < config_.keep_pages_main_min && !starved_) || cooling_ ||
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
    {
        const DepotGuard guard = depot_.lock_dynamic();
        ++counters_.maintenances;
        if (counters_.hot < config_.keep_pages_main_min) {
            moved = fill();
        } else {
            moved = cool();
        }
        unmap_spare_regions();
        note_due();
        // The caller sees by maintenance_due() that there is more; no kick for that.
        kick_pending_.store(false, std::memory_order_relaxed);
    }
    return moved;
}

/// Up to twice the lower bound: cold pages first, the source only when there are none.
std::size_t PageCache::fill() noexcept {
    std::size_t moved = 0;
    while (counters_.hot < 2 * config_.keep_pages_main_min && moved < config_.cleanup_pages_bulk) {
        Region* region = region_for_refill();
        if (region == nullptr) {
            starved_ = true;
            break;
        }
        const std::size_t missing = 2 * config_.keep_pages_main_min - counters_.hot;
        const Chain chain = take_free(
            *region, static_cast<std::uint32_t>(std::min<std::size_t>(missing, chain_length())));
        push_chain(chain);
        moved += chain.length;
    }
    return moved;
}

/// Down to half of the upper bound, once that was exceeded; whole chains, then one purge per run of
/// neighbouring pages.
std::size_t PageCache::cool() noexcept {
    std::size_t moved = 0;
    const std::size_t target = config_.keep_pages_main_max / 2;
    if (counters_.hot > config_.keep_pages_main_max) cooling_ = true;
    if (cooling_) {
        while (counters_.hot > target &&
               moved + chains_->chain_length <= config_.cleanup_pages_bulk) {
            const Chain chain = pop_chain();
            for (FreeItem* item = chain.head; item != nullptr;) {
                FreeItem* next = item->next;
                Region& region = region_of(item);
                const auto offset = static_cast<std::size_t>(reinterpret_cast<std::byte*>(item) -
                                                             reinterpret_cast<std::byte*>(&region));
                poison_.hide(item, page_bytes);
                mark_dirty(region, offset / page_bytes, 1);
                item = next;
            }
            moved += chain.length;
        }
        if (counters_.hot <= target) cooling_ = false;
    }
    if (moved != 0 || counters_.dirty > unpurgeable_ + target)
        purge_dirty(config_.cleanup_pages_bulk);
    return moved;
}

void PageCache::purge_dirty(std::size_t budget) noexcept {
    const std::uint64_t start = counters_.pages_purged;
    Region* unfinished = nullptr;
    while (dirty_regions_ != nullptr && counters_.pages_purged - start < budget) {
        Region& region = *dirty_regions_;
        dirty_regions_ = region.next_dirty;
        region.listed_dirty = false;
        purge_region(region);
        if (region.dirty_count != 0) {
            // Parts smaller than a page of the system; wait for their neighbours.
            region.listed_dirty = true;
            region.next_dirty = unfinished;
            unfinished = &region;
        }
    }
    // What is left now would be left again; without this, maintenance would be due for ever.
    unpurgeable_ = dirty_regions_ == nullptr ? counters_.dirty : 0;
    while (unfinished != nullptr) {
        Region& region = *unfinished;
        unfinished = region.next_dirty;
        region.next_dirty = dirty_regions_;
        dirty_regions_ = &region;
    }
}

void PageCache::purge_region(Region& region) noexcept {
    const std::size_t unit = std::max<std::size_t>(1, source_.granularity() / page_bytes);
    unfile(region);
    std::size_t i = 1;
    while (i < region_pages) {
        if (!Region::test(region.dirty, i)) {
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < region_pages && Region::test(region.dirty, end)) {
            ++end;
        }
        const std::size_t first = round_up(i, unit);
        const std::size_t last = end & ~(unit - 1);
        if (first < last) {
            source_.purge(region.page(first), (last - first) * page_bytes);
            ++counters_.purges;
            for (std::size_t page = first; page < last; ++page) {
                Region::clear(region.dirty, page);
                Region::set(region.clean, page);
            }
            const std::size_t pages = last - first;
            region.dirty_count -= static_cast<std::uint32_t>(pages);
            region.clean_count += static_cast<std::uint32_t>(pages);
            counters_.dirty -= pages;
            counters_.cold += pages;
            counters_.pages_purged += pages;
        }
        i = end;
    }
    file(region);
}

/// Empty regions beyond those kept go back; they are all in the last bucket.
void PageCache::unmap_spare_regions() noexcept {
    std::size_t empty = 0;
    for (Region* region = by_free_[buckets - 1]; region != nullptr;) {
        Region* next = region->next_filed;
        if (region->entirely_clean() && ++empty > config_.keep_cold_regions) {
            TERN_ASSERT(!region->listed_dirty, "a clean region in the list of dirty ones");
            unmap_region(*region);
        }
        region = next;
    }
}

void PageCache::on_maintenance_due(Kick kick, void* context) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    kick_ = kick;
    kick_context_ = context;
}

void PageCache::on_out_of_memory(Reclaim reclaim, void* context) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    reclaim_ = reclaim;
    reclaim_context_ = context;
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

PageStats PageCache::stats() const noexcept {
    const Totals totals = this->totals();
    const DepotGuard guard = depot_.lock_dynamic();
    PageStats stats = counters_;
    stats.in_use += totals.taken;
    stats.magazines = totals.stocked;
    return stats;
}

void PageCache::verify_regions() const {
    PageStats sum;
    for (const Region* region = regions_; region != nullptr; region = region->next) {
        std::size_t dirty = 0;
        std::size_t clean = 0;
        for (std::size_t word = 0; word < Region::words; ++word) {
            TERN_ASSERT((region->dirty[word] & region->clean[word]) == 0, "a page is free twice");
            dirty += static_cast<std::size_t>(std::popcount(region->dirty[word]));
            clean += static_cast<std::size_t>(std::popcount(region->clean[word]));
        }
        TERN_ASSERT(!region->is_free(0), "the head of a region is free");
        TERN_ASSERT(dirty == region->dirty_count && clean == region->clean_count,
                    "counters of a region are wrong");
        TERN_ASSERT(dirty == 0 || region->listed_dirty, "dirty region is not listed");
        TERN_ASSERT((dirty + clean == 0) == (region->bucket == Region::unfiled) &&
                        (dirty + clean == 0 || region->bucket == (dirty + clean) / 64),
                    "region in the wrong bucket");
        sum.dirty += dirty;
        sum.cold += clean;
        ++sum.regions;
    }
    TERN_ASSERT(sum.dirty == counters_.dirty && sum.cold == counters_.cold &&
                    sum.regions == counters_.regions,
                "counters of the regions are wrong: dirty ", sum.dirty, " of ", counters_.dirty,
                ", cold ", sum.cold, " of ", counters_.cold);
}

void PageCache::verify() const {
    const PageStats stats = this->stats();
    const DepotGuard guard = depot_.lock_dynamic();
    verify_regions();
    std::size_t hot = 0;
    for (const FreeItem* head = chains_; head != nullptr; head = head->next_chain) {
        std::size_t length = 0;
        for (const FreeItem* item = head; item != nullptr; item = item->next) {
            Region& region = region_of(item);
            const auto offset = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(item) -
                                                         reinterpret_cast<std::byte*>(&region));
            TERN_ASSERT(!region.is_free(offset / page_bytes), "a hot page is also free in place");
            ++length;
        }
        TERN_ASSERT(length == head->chain_length, "a chain has ", length, " pages and claims ",
                    head->chain_length);
        hot += length;
    }
    TERN_ASSERT(hot == stats.hot, "hot pages: ", hot, " counted, ", stats.hot, " noted");
    TERN_ASSERT(stats.mapped == stats.in_use + stats.magazines + stats.hot + stats.dirty +
                                    stats.cold + stats.overhead,
                "pages lost: mapped ", stats.mapped, ", in use ", stats.in_use, ", magazines ",
                stats.magazines, ", hot ", stats.hot, ", dirty ", stats.dirty, ", cold ",
                stats.cold, ", overhead ", stats.overhead);
}

}  // namespace tern::alloc
