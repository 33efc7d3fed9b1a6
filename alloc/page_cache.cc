#include "alloc/page_cache.h"

#include "alloc/page_cache_region.h"
#include "alloc/page_source_mmap.h"

#include <algorithm>
#include <new>
#include <utility>

namespace tern::alloc {

using detail::Chain;
using detail::FreeItem;
using locking::Here;
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
    if (mapped_pages_max != 0 && mapped_pages_max < region_pages) {
        return "the limit of mapped pages must allow for a region (512 pages)";
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
    enroll();
}

PageCache::~PageCache() {
    withdraw();
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

FreeItem* PageCache::allocate_or_abort(Here where) {
    FreeItem* item = allocate_with_reclaim();
    if (item == nullptr) exhausted("page", where);
    return item;
}

FreeItem* PageCache::allocate_with_reclaim() noexcept {
    // The fast path has failed already; each round of the hooks must have freed something.
    while (reclaim()) {
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

void PageCache::deallocate_list(const PageList& list) noexcept {
    if (list.pages == 0) return;
    auto* first = static_cast<FreeItem*>(list.first);
    if (Poison::asan() || poison_.memcheck()) {
        for (FreeItem* item = first; item != nullptr; item = item->next) {
            poison_.reveal_filled(item, sizeof(FreePage));
            poison_.hide(static_cast<FreePage*>(item) + 1, page_bytes - sizeof(FreePage));
        }
    }
    take_back({first, static_cast<std::uint32_t>(list.pages)});
}

void PageCache::depot_changed() noexcept {
    if (kick_pending_.load(std::memory_order_relaxed) &&
        kick_pending_.exchange(false, std::memory_order_acq_rel) && kick_ != nullptr) {
        kick_(kick_context_);
    }
}

void PageCache::push_chain(Chain chain) noexcept {
    counters_.hot += chain.length;
    if (fault_ == TestFault::lose_on_flush && chain.length <= chain_length()) {
        while (chain.head->next != nullptr) {
            chain.head = chain.head->next;
        }
    }
    chain.head->chain_length = chain.length;
    chain.head->next_chain = chains_;
    chains_ = chain.head;
}

/// A chain that is longer than a magazine, since it came from deallocate_list(), is taken in parts.
Chain PageCache::pop_chain() noexcept {
    if (chains_ == nullptr) return {};
    Chain chain{chains_, static_cast<std::uint32_t>(chains_->chain_length)};
    FreeItem* next_chain = chains_->next_chain;
    if (chain.length > chain_length()) {
        FreeItem* last = chain.head;
        for (std::uint32_t i = 1; i < chain_length(); ++i) {
            last = last->next;
        }
        FreeItem* rest = std::exchange(last->next, nullptr);
        rest->chain_length = chain.length - chain_length();
        rest->next_chain = next_chain;
        next_chain = rest;
        chain.length = chain_length();
    }
    chains_ = next_chain;
    counters_.hot -= chain.length;
    return chain;
}

PageCache::Region* PageCache::region_for_refill() noexcept {
    // The fullest region first, so that others can become empty and be given back.
    for (Region* region : by_free_) {
        if (region != nullptr) return region;
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
            poison_.reveal(item, sizeof(FreePage));
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

}  // namespace tern::alloc
