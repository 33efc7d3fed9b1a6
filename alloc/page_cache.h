#pragma once

/// Pages for everything else: hot ones per thread, hot ones shared, cold ones without memory
/// behind, and only then the kernel. Kept between KEEP_PAGES_MAIN_MIN and KEEP_PAGES_MAIN_MAX with
/// hysteresis, so that memory over repeated cycles stays flat. Usable from any thread, also inside
/// an RCU read section; owns all the memory it mapped and must outlive its users. It runs no task
/// of its own: whoever runs loops calls maintain() when told that it is due.

#include "alloc/magazine.h"
#include "alloc/page.h"
#include "alloc/page_stats.h"
#include "alloc/poison.h"
#include "locking/domain.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace tern::alloc {

/// Level of the shared part of the page cache: the innermost of all.
struct PageDepotLevel {
    static constexpr locking::LockRank rank = 65000;
    static constexpr std::string_view name = "page depot";
};

/// All in pages. The rules are in PageCacheConfig::error().
struct PageCacheConfig {
    std::size_t keep_pages_main_max = 1024;  ///< more hot pages than this are cooled to half of it
    std::size_t keep_pages_main_min = 64;  ///< fewer hot pages than this are filled up to twice it
    std::size_t cleanup_pages_bulk = 512;  ///< most pages that one maintain() moves
    std::size_t magazine_pages = 64;       ///< a thread keeps at most twice as many
    std::size_t keep_cold_regions = 8;     ///< empty regions (2 MiB) kept mapped

    /// Why this configuration cannot work, or nothing.
    std::optional<std::string> error() const;
};

class PageCache final : public detail::MagazineOwner {
  public:
    /// The source is borrowed until the cache is gone. A wrong configuration aborts: check error().
    PageCache(PageSource& source, const PageCacheConfig& config);
    ~PageCache() override;

    /// The cache of the process over the kernel's memory: the kernel is shared by everybody in the
    /// process anyway. Made on first use and never destroyed.
    static PageCache& process();

    /// A page with undefined contents. Runs the reclaim hook if there is no memory; if that does
    /// not help, allocate() aborts and try_allocate() returns nullptr.
    void* allocate() {
        detail::FreeItem* item = pop();
        if (item == nullptr) [[unlikely]]
            item = allocate_or_abort();
        poison_.reveal(item, page_bytes);
        return item;
    }

    [[nodiscard]] void* try_allocate() noexcept {
        detail::FreeItem* item = pop();
        if (item == nullptr) [[unlikely]]
            item = allocate_with_reclaim();
        if (item != nullptr) poison_.reveal(item, page_bytes);
        return item;
    }

    /// Any thread may give back what another took.
    void deallocate(void* page) noexcept {
        auto* item = static_cast<detail::FreeItem*>(page);
        // The user may have hidden parts of the page; the links need theirs.
        poison_.reveal(item, sizeof(*item));
        push(item);
        poison_.hide(item + 1, page_bytes - sizeof(*item));
    }

    /// Consecutive pages, any number from 1; slower than single pages. Contents are undefined.
    void* allocate_run(std::size_t pages);
    [[nodiscard]] void* try_allocate_run(std::size_t pages) noexcept;
    /// `pages` as given at allocation.
    void deallocate_run(void* run, std::size_t pages) noexcept;

    /// Whether maintain() has something to do; cheap enough for every turn of a loop.
    bool maintenance_due() const noexcept { return due_.load(std::memory_order_relaxed); }

    /// Fills or cools the shared hot pages within the bulk limit; returns how many pages moved.
    std::size_t maintain() noexcept;

    /// Called once each time maintenance becomes due, from any thread, perhaps with domains held:
    /// it may only wake somebody up. Set it before other threads use the cache.
    using Kick = void (*)(void* context) noexcept;
    void on_maintenance_due(Kick kick, void* context) noexcept;

    /// Called when the source has refused, before giving up; returns whether it freed anything. No
    /// lock of the cache is held, but the caller's domains are.
    using Reclaim = bool (*)(void* context) noexcept;
    void on_out_of_memory(Reclaim reclaim, void* context) noexcept;

    /// New limits; the size of magazines is fixed at construction and its new value is ignored only
    /// if equal, otherwise an error like any other. Returns the error, or nothing.
    std::optional<std::string> reconfigure(const PageCacheConfig& config);

    PageStats stats() const noexcept;

    /// Walks everything and aborts unless each page is in exactly one place and the counters agree.
    /// No other thread may be inside.
    void verify() const;

    /// For the test that proves that the growth test can fail: refill asks the source although
    /// there are cold pages, as an old bug of another daemon did.
    void test_ignore_cold(bool ignore) noexcept { ignore_cold_ = ignore; }

  private:
    struct Region;

    static constexpr std::size_t buckets = region_pages / 64;
    /// Untouched pages are faulted in a few at a time, or an idle thread would pay for a whole
    /// chain.
    static constexpr std::uint32_t clean_refill_max = 16;

    detail::Chain depot_take(std::uint32_t wanted) noexcept override;
    void depot_give(detail::Chain chain) noexcept override;
    void depot_changed() noexcept override;

    detail::FreeItem* allocate_or_abort();
    detail::FreeItem* allocate_with_reclaim() noexcept;
    void* run_with_reclaim(std::size_t pages) noexcept;

    // All below: depot held.
    void push_chain(detail::Chain chain) noexcept;
    detail::Chain pop_chain() noexcept;
    Region* map_region() noexcept;
    void unmap_region(Region& region) noexcept;
    Region* region_for_refill() noexcept;
    detail::Chain take_free(Region& region, std::uint32_t wanted) noexcept;
    void* take_run(std::size_t pages) noexcept;
    void* take_run_from(Region& region, std::size_t pages) noexcept;
    void* take_huge_run(std::size_t pages) noexcept;
    void mark_dirty(Region& region, std::size_t first, std::size_t pages) noexcept;
    void file(Region& region) noexcept;
    void unfile(Region& region) noexcept;
    std::size_t fill() noexcept;
    std::size_t cool() noexcept;
    void purge_dirty(std::size_t budget) noexcept;
    void purge_region(Region& region) noexcept;
    void unmap_spare_regions() noexcept;
    bool out_of_bounds() const noexcept;
    void note_due() noexcept;
    void verify_regions() const;

    static Region& region_of(const void* page) noexcept;

    PageSource& source_;
    PageCacheConfig config_;
    Poison poison_;
    mutable locking::Domain<PageDepotLevel> depot_{"page depot"};

    // Everything here is written with the depot held.
    detail::FreeItem* chains_ = nullptr;
    Region* by_free_[buckets] = {};  ///< regions with free pages, by how many / 64
    Region* regions_ = nullptr;
    Region* dirty_regions_ = nullptr;
    PageStats counters_;  ///< in_use counts runs only, see stats()
    std::size_t huge_pages_ = 0;
    std::size_t unpurgeable_ = 0;  ///< dirty pages that the last purge had to leave
    bool cooling_ = false;         ///< between the upper bound and its half
    bool starved_ = false;         ///< the source refused to fill up; waits for pages to come back
    bool ignore_cold_ = false;

    std::atomic<bool> due_{false};
    std::atomic<bool> kick_pending_{false};
    Kick kick_ = nullptr;
    void* kick_context_ = nullptr;
    Reclaim reclaim_ = nullptr;
    void* reclaim_context_ = nullptr;
};

}  // namespace tern::alloc
