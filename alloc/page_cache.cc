#include "alloc/page_cache.h"

#include "alloc/page_cache_region.h"
#include "alloc/page_source_mmap.h"

#include <algorithm>
#include <new>
#include <utility>

namespace tern::alloc {

using locking::Here;
using DepotGuard = locking::Guard<PageDepotLevel>;

namespace {

/// Storage without a destructor: the cache of the process lives as long as the process does.
template <class T>
struct Immortal {
    alignas(T) std::byte storage[sizeof(T)];
};

}  // namespace

std::uint64_t next_page_holder() noexcept {
    // Of the process, since slabs of different caches may be asked about each other's pages.
    static constinit std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

std::optional<std::string> PageCacheConfig::error() const {
    static_assert(detail::batch_max == 64);
    if (magazine_pages < 1 || magazine_pages > 64) return "magazine pages must be 1 to 64";
    if (keep_pages_main_max < 2 * magazine_pages) {
        return "the most pages kept must be at least two magazines";
    }
    if (4 * keep_pages_main_min >= keep_pages_main_max) {
        return "the fewest pages kept must be less than a quarter of the most";
    }
    if (cleanup_pages_bulk < magazine_pages) {
        return "the bulk of a cleanup must be at least a magazine";
    }
    if (mapped_pages_max != 0 && mapped_pages_max < region_pages) {
        return "the limit of mapped pages must allow for a region (512 pages)";
    }
    return std::nullopt;
}

PageCache::PageCache(PageSource& source, const PageCacheConfig& config)
    : MagazineOwner(detail::OwnerKind::innermost,
                    static_cast<std::uint32_t>(config.magazine_pages)),
      source_(source),
      config_(config),
      note_mark_(static_cast<std::uint16_t>(serial() << 2)) {
    const std::optional<std::string> error = config.error();
    TERN_ASSERT(!error, "page cache: ", error ? std::string_view(*error) : std::string_view());
    static_assert(sizeof(Region) <= region_head_pages * page_note_bytes);
    static_assert(region_head_pages * page_bytes ==
                  region_pages * (page_note_bytes + slot_bits_bytes));
    enroll();
}

PageCache::~PageCache() {
    withdraw();
    while (regions_ != nullptr) {
        leave_region(*regions_);
    }
}

PageCache& PageCache::process() {
    // Not a static with an initialiser, whose guard a fork in the middle would leave taken for
    // ever.
    static constinit std::atomic<PageCache*> made{nullptr};
    if (PageCache* found = made.load(std::memory_order_acquire)) return *found;
    const detail::FirstUse first_use;
    if (PageCache* found = made.load(std::memory_order_relaxed)) return *found;
    static Immortal<MmapSource> source;
    static Immortal<PageCache> cache;
    auto* kernel = ::new (source.storage) MmapSource(MmapSource::HugePages::system_default);
    made.store(::new (cache.storage) PageCache(*kernel, PageCacheConfig{}),
               std::memory_order_release);
    return *made.load(std::memory_order_relaxed);
}

PageCache::Region& PageCache::region_of(const void* page) noexcept {
    return *reinterpret_cast<Region*>(reinterpret_cast<std::uintptr_t>(page) &
                                      ~std::uintptr_t{region_bytes - 1});
}

// Single pages -------------------------------------------------------------------------------

void* PageCache::allocate_or_abort(Here where) {
    void* page = allocate_with_reclaim();
    if (page == nullptr) exhausted("page", where);
    return page;
}

void* PageCache::allocate_with_reclaim() noexcept {
    // The fast path has failed already; each round of the hooks must have freed something.
    while (reclaim()) {
        if (void* page = pop()) return page;
    }
    return nullptr;
}

std::size_t PageCache::depot_take(std::span<void*> room) noexcept {
    Refill refill;
    {
        const DepotGuard guard = depot_.lock_dynamic();
        refill.pages = take_hot(room);
        if (refill.pages == 0) {
            if (Region* region = region_for_refill()) refill = take_free(*region, room);
        }
        note_due();
    }
    if (refill.fresh) back(room.first(refill.pages));
    return refill.pages;
}

void PageCache::depot_give(std::span<void* const> pages) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    keep_hot(pages);
    starved_ = false;
    note_due();
}

void PageCache::deallocate_chains(std::span<const PageChain> chains) noexcept {
    std::size_t pages = 0;
    for (const PageChain& chain : chains) {
        pages += chain.pages;
        if (!poison_.watches()) continue;
        const PageNote* note = chain.first;
        for (std::size_t i = 0; i < chain.pages; ++i, note = note->after())
            poison_.hide(page_of_note(*note), page_bytes);
    }
    if (pages == 0) return;
    {
        const DepotGuard guard = depot_.lock_dynamic();
        for (const PageChain& chain : chains)
            hot_.push(chain);
        counters_.hot += pages;
        starved_ = false;
        note_due();
    }
    count_taken(0 - std::uint64_t{pages});
    depot_changed();
}

void PageCache::depot_changed() noexcept {
    if (kick_pending_.load(std::memory_order_relaxed) &&
        kick_pending_.exchange(false, std::memory_order_acq_rel) && kick_ != nullptr) {
        kick_(kick_context_);
    }
}

void PageCache::keep_hot(std::span<void* const> pages) noexcept {
    if (fault_ == TestFault::lose_on_flush) pages = pages.last(1);
    counters_.hot += pages.size();
    hot_.push(pages);
}

std::size_t PageCache::take_hot(std::span<void*> room) noexcept {
    std::size_t count = hot_.pop(room);
    if (count == 0) {
        count = hot_.pop_chained(room);
        // They are on their own from now on, and somebody may give one back twice.
        for (void* page : room.first(count))
            set_state(page, NoteState::kept);
    }
    counters_.hot -= count;
    return count;
}

PageCache::Region* PageCache::region_for_refill() noexcept {
    // The fullest region first, so that others can become empty and be given back.
    for (Region* region : by_free_) {
        if (region != nullptr) return region;
    }
    return map_region();
}

/// Puts memory behind fresh pages, so that all that is kept is ready for use. The depot is free
/// meanwhile, since it takes long.
void PageCache::back(std::span<void* const> pages) const noexcept {
    for (void* page : pages) {
        poison_.reveal(page, sizeof(std::uintptr_t));
        *static_cast<volatile std::uintptr_t*>(page) = 0;
        poison_.hide(page, sizeof(std::uintptr_t));
    }
}

PageCache::Refill PageCache::take_free(Region& region, std::span<void*> room) noexcept {
    const bool from_dirty = region.dirty_count != 0;
    auto& map = from_dirty ? region.dirty : region.clean;
    std::uint16_t& count = from_dirty ? region.dirty_count : region.clean_count;
    const std::size_t wanted =
        std::min({room.size(), std::size_t{count}, from_dirty ? room.size() : fresh_max});
    unfile(region);
    std::size_t taken = 0;
    for (std::size_t word = 0; taken < wanted; ++word) {
        while (map[word] != 0 && taken < wanted) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(map[word]));
            map[word] &= map[word] - 1;
            room[taken] = region.page(word * 64 + bit);
            set_state(room[taken], NoteState::kept);
            ++taken;
        }
    }
    count = static_cast<std::uint16_t>(count - taken);
    (from_dirty ? counters_.dirty : counters_.cold) -= taken;
    file(region);
    return {taken, !from_dirty};
}

}  // namespace tern::alloc
