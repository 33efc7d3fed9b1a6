#include "alloc/page_cache.h"

#include "alloc/page_cache_region.h"
#include "alloc/page_source_mmap.h"

#include <algorithm>
#include <new>

namespace tern::alloc {

using detail::Chain;
using detail::FreeItem;
using DepotGuard = locking::Guard<PageDepotLevel>;

namespace {

/// Storage without a destructor: the cache of the process lives as long as the process does.
template <class T>
struct Immortal {
    alignas(T) std::byte storage[sizeof(T)];
};

}  // namespace

std::optional<std::string> PageCacheConfig::error() const {
    if (magazine_pages < 1 || magazine_pages > 1024) return "magazine pages must be 1 to 1024";
    if (keep_pages_main_max < 2 * magazine_pages) {
        return "the most pages kept must be at least two magazines";
    }
    if (4 * keep_pages_main_min >= keep_pages_main_max) {
        return "the fewest pages kept must be less than a quarter of the most";
    }
    if (cleanup_pages_bulk < magazine_pages) {
        return "the bulk of a cleanup must be at least a magazine";
    }
    return std::nullopt;
}

PageCache::PageCache(PageSource& source, const PageCacheConfig& config)
    : MagazineOwner(static_cast<std::uint32_t>(config.magazine_pages)),
      source_(source),
      config_(config) {
    const std::optional<std::string> error = config.error();
    TERN_ASSERT(!error, "page cache: ", error ? std::string_view(*error) : std::string_view());
    static_assert(sizeof(Region) <= page_bytes);
}

PageCache::~PageCache() {
    while (regions_ != nullptr) {
        Region& region = *regions_;
        regions_ = region.next;
        poison_.reveal(&region, region_bytes);
        source_.unmap(&region, region_bytes);
    }
}

PageCache& PageCache::process() {
    static Immortal<MmapSource> source;
    static Immortal<PageCache> cache;
    static PageCache* const made = [] {
        auto* kernel = ::new (source.storage) MmapSource(MmapSource::HugePages::system_default);
        return ::new (cache.storage) PageCache(*kernel, PageCacheConfig{});
    }();
    return *made;
}

PageCache::Region& PageCache::region_of(const void* page) noexcept {
    return *reinterpret_cast<Region*>(reinterpret_cast<std::uintptr_t>(page) &
                                      ~std::uintptr_t{region_bytes - 1});
}

// Single pages -------------------------------------------------------------------------------

FreeItem* PageCache::allocate_or_abort() {
    FreeItem* item = allocate_with_reclaim();
    if (item == nullptr) locking::fatal(locking::Here::now(), {"out of memory: no page"});
    return item;
}

FreeItem* PageCache::allocate_with_reclaim() noexcept {
    // The fast path has failed already; each round of the hook must have freed something.
    while (reclaim_ != nullptr && reclaim_(reclaim_context_)) {
        if (FreeItem* item = pop()) return item;
    }
    return nullptr;
}

Chain PageCache::depot_take(std::uint32_t wanted) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    Chain chain = pop_chain();
    if (chain.head == nullptr) {
        if (Region* region = region_for_refill()) chain = take_free(*region, wanted);
    }
    note_due();
    return chain;
}

void PageCache::depot_give(Chain chain) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    push_chain(chain);
    starved_ = false;
    note_due();
}

void PageCache::depot_changed() noexcept {
    if (kick_pending_.load(std::memory_order_relaxed) &&
        kick_pending_.exchange(false, std::memory_order_acq_rel) && kick_ != nullptr) {
        kick_(kick_context_);
    }
}

void PageCache::push_chain(Chain chain) noexcept {
    chain.head->chain_length = chain.length;
    chain.head->next_chain = chains_;
    chains_ = chain.head;
    counters_.hot += chain.length;
}

Chain PageCache::pop_chain() noexcept {
    if (chains_ == nullptr) return {};
    const Chain chain{chains_, static_cast<std::uint32_t>(chains_->chain_length)};
    chains_ = chains_->next_chain;
    counters_.hot -= chain.length;
    return chain;
}

PageCache::Region* PageCache::region_for_refill() noexcept {
    if (!ignore_cold_) {
        // The fullest region first, so that others can become empty and be given back.
        for (Region* region : by_free_) {
            if (region != nullptr) return region;
        }
    }
    return map_region();
}

Chain PageCache::take_free(Region& region, std::uint32_t wanted) noexcept {
    const bool from_dirty = region.dirty_count != 0;
    auto& map = from_dirty ? region.dirty : region.clean;
    std::uint32_t& count = from_dirty ? region.dirty_count : region.clean_count;
    const std::uint32_t length = std::min({wanted, count, from_dirty ? wanted : clean_refill_max});
    unfile(region);
    Chain chain;
    FreeItem** tail = &chain.head;
    for (std::size_t word = 0; chain.length < length; ++word) {
        while (map[word] != 0 && chain.length < length) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(map[word]));
            map[word] &= map[word] - 1;
            auto* item = reinterpret_cast<FreeItem*>(region.page(word * 64 + bit));
            poison_.reveal(item, sizeof(FreeItem));
            *tail = item;
            tail = &item->next;
            ++chain.length;
        }
    }
    *tail = nullptr;
    count -= length;
    (from_dirty ? counters_.dirty : counters_.cold) -= length;
    file(region);
    return chain;
}

// Regions ------------------------------------------------------------------------------------

void PageCache::file(Region& region) noexcept {
    const std::size_t free = region.free_count();
    if (free == 0) return;
    region.bucket = static_cast<std::uint32_t>(free / 64);
    Region*& list = by_free_[region.bucket];
    region.previous_filed = nullptr;
    region.next_filed = list;
    if (list != nullptr) list->previous_filed = &region;
    list = &region;
}

void PageCache::unfile(Region& region) noexcept {
    if (region.bucket == Region::unfiled) return;
    if (region.previous_filed != nullptr) {
        region.previous_filed->next_filed = region.next_filed;
    } else {
        by_free_[region.bucket] = region.next_filed;
    }
    if (region.next_filed != nullptr) region.next_filed->previous_filed = region.previous_filed;
    region.bucket = Region::unfiled;
}

PageCache::Region* PageCache::map_region() noexcept {
    ++counters_.maps;
    void* start = source_.map(region_bytes, region_bytes);
    if (start == nullptr) {
        ++counters_.out_of_memory;
        return nullptr;
    }
    auto* region = ::new (start) Region();
    for (std::size_t i = 1; i < region_pages; ++i) {
        Region::set(region->clean, i);
    }
    region->clean_count = Region::usable;
    poison_.hide(region->page(1), Region::usable * page_bytes);
    region->next = regions_;
    if (regions_ != nullptr) regions_->previous = region;
    regions_ = region;
    ++counters_.regions;
    ++counters_.overhead;
    counters_.mapped += region_pages;
    counters_.cold += Region::usable;
    file(*region);
    return region;
}

void PageCache::unmap_region(Region& region) noexcept {
    unfile(region);
    if (region.next != nullptr) region.next->previous = region.previous;
    (region.previous != nullptr ? region.previous->next : regions_) = region.next;
    --counters_.regions;
    --counters_.overhead;
    ++counters_.unmaps;
    counters_.mapped -= region_pages;
    counters_.cold -= Region::usable;
    poison_.reveal(&region, region_bytes);
    source_.unmap(&region, region_bytes);
}

void PageCache::mark_dirty(Region& region, std::size_t first, std::size_t pages) noexcept {
    unfile(region);
    for (std::size_t i = first; i < first + pages; ++i) {
        TERN_ASSERT(i != 0 && i < region_pages && !region.is_free(i),
                    "page freed twice: ", static_cast<const void*>(region.page(i)));
        Region::set(region.dirty, i);
    }
    region.dirty_count += static_cast<std::uint32_t>(pages);
    counters_.dirty += pages;
    if (!region.listed_dirty) {
        region.listed_dirty = true;
        region.next_dirty = dirty_regions_;
        dirty_regions_ = &region;
    }
    file(region);
}

// Runs ---------------------------------------------------------------------------------------

void* PageCache::allocate_run(std::size_t pages) {
    void* run = try_allocate_run(pages);
    if (run == nullptr) {
        locking::fatal(locking::Here::now(), {"out of memory: no run of ", pages, " pages"});
    }
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
        if (reclaim_ == nullptr || !reclaim_(reclaim_context_)) return nullptr;
    }
}

void* PageCache::take_run(std::size_t pages) noexcept {
    for (std::size_t bucket = pages / 64; bucket < buckets; ++bucket) {
        for (Region* region = by_free_[bucket]; region != nullptr; region = region->next_filed) {
            if (void* run = take_run_from(*region, pages)) return run;
        }
    }
    Region* region = map_region();
    return region == nullptr ? nullptr : take_run_from(*region, pages);
}

void* PageCache::take_run_from(Region& region, std::size_t pages) noexcept {
    std::size_t length = 0;
    for (std::size_t i = 1; i < region_pages; ++i) {
        length = region.is_free(i) ? length + 1 : 0;
        if (length < pages) continue;
        const std::size_t first = i + 1 - pages;
        const std::uint32_t dirty_before = region.dirty_count;
        unfile(region);
        for (std::size_t taken = first; taken <= i; ++taken) {
            region.take(taken);
        }
        const std::size_t from_dirty = dirty_before - region.dirty_count;
        counters_.dirty -= from_dirty;
        counters_.cold -= pages - from_dirty;
        file(region);
        return region.page(first);
    }
    return nullptr;
}

void* PageCache::take_huge_run(std::size_t pages) noexcept {
    ++counters_.maps;
    void* run = source_.map(round_up(pages * page_bytes, source_.granularity()), page_bytes);
    if (run == nullptr) {
        ++counters_.out_of_memory;
        return nullptr;
    }
    counters_.mapped += pages;
    huge_pages_ += pages;
    return run;
}

void PageCache::deallocate_run(void* run, std::size_t pages) noexcept {
    if (pages == 1) {
        deallocate(run);
        return;
    }
    {
        const DepotGuard guard = depot_.lock_dynamic();
        TERN_ASSERT(counters_.in_use >= pages, "run freed twice or with a wrong size");
        counters_.in_use -= pages;
        if (pages > Region::usable) {
            counters_.mapped -= pages;
            huge_pages_ -= pages;
            ++counters_.unmaps;
            source_.unmap(run, round_up(pages * page_bytes, source_.granularity()));
        } else {
            poison_.hide(run, pages * page_bytes);
            Region& region = region_of(run);
            const auto offset = static_cast<std::size_t>(static_cast<std::byte*>(run) -
                                                         reinterpret_cast<std::byte*>(&region));
            mark_dirty(region, offset / page_bytes, pages);
            starved_ = false;
        }
        note_due();
    }
    depot_changed();
}

}  // namespace tern::alloc
