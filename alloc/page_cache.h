#pragma once

/// Pages for everything else: hot ones per thread, hot ones shared, cold ones without memory
/// behind, and only then the kernel. Kept between KEEP_PAGES_MAIN_MIN and KEEP_PAGES_MAIN_MAX with
/// hysteresis, so that memory over repeated cycles stays flat. Usable from any thread, also inside
/// an RCU read section; owns all the memory it mapped and must outlive its users. It runs no task
/// of its own: whoever runs loops calls maintain() when told that it is due.

#include "alloc/magazine.h"
#include "alloc/page.h"
#include "alloc/page_stack.h"
#include "alloc/page_stats.h"
#include "alloc/poison.h"
#include "alloc/region_map.h"
#include "locking/domain.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

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
    std::size_t cleanup_pages_bulk = 128;  ///< most work of one maintain(), see there
    std::size_t magazine_pages = 64;       ///< 1 to 64; a thread keeps at most twice as many
    std::size_t keep_cold_regions = 8;     ///< empty regions (2 MiB) kept mapped
    std::size_t mapped_pages_max = 0;      ///< the source is asked for no more; 0: no limit

    /// Why this configuration cannot work, or nothing.
    std::optional<std::string> error() const;
};

/// Somebody who can free memory when there is none left; owned by whoever adds it to a cache.
struct ReclaimHook {
    std::string_view name;  ///< for the last words
    /// Returns whether it freed anything. Called by the thread that needs memory, perhaps by
    /// several at once, with their domains held but no lock of the cache. It must not allocate.
    bool (*reclaim)(void* context) noexcept;
    void* context;
    ReclaimHook* next = nullptr;  ///< of the cache's list
};

/// What an address is to a cache.
enum class PageState : std::uint8_t {
    foreign,      ///< not in memory of this cache
    region_head,  ///< the cache's own books
    in_use,       ///< handed out
    kept,         ///< free, in a magazine or hot
    dirty,        ///< free in its region, perhaps still backed
    cold,         ///< free in its region
};

/// As reports say it: "in use", "free and dirty". The text lives for ever.
std::string_view text_of(PageState state);

/// One store of pages over one source. Any thread may call anything but what is said to be for the
/// start; no domain need be held, and its own (the depot) is the innermost of all. Misuse and wrong
/// configurations abort; lack of memory is reported as each function says.
class PageCache final : public detail::MagazineOwner {
  public:
    /// The source is borrowed until the cache is gone. A wrong configuration aborts: check error().
    PageCache(PageSource& source, const PageCacheConfig& config);
    ~PageCache() override;

    /// The cache of the process over the kernel's memory: the kernel is shared by everybody in the
    /// process anyway. Made on first use, which a fork may meet, and never destroyed.
    static PageCache& process();

    /// A page with undefined contents. Runs the reclaim hooks if there is no memory; if that does
    /// not help, allocate() aborts with last words and try_allocate() returns nullptr.
    void* allocate(locking::Here where = locking::Here::now()) {
        void* page = pop();
        if (page == nullptr) [[unlikely]]
            page = allocate_or_abort(where);
        return hand_out(page);
    }

    [[nodiscard]] void* try_allocate() noexcept {
        void* page = pop();
        if (page == nullptr) [[unlikely]]
            page = allocate_with_reclaim();
        return page == nullptr ? nullptr : hand_out(page);
    }

    /// Any thread may give back what another took. Aborts if it is not a page of this cache or is
    /// free already.
    void deallocate(void* page, locking::Here where = locking::Here::now()) noexcept {
        if (!is_page(page) || !has_state(page, NoteState::in_use)) [[unlikely]]
            bad_page(page, where);
        set_state(page, NoteState::kept);
        poison_.hide(page, page_bytes);
        push(page);
    }

    /// Gives many pages back in one step, whatever their number. Neither they nor their notes are
    /// looked at before they are used again.
    void deallocate_chains(std::span<const PageChain> chains) noexcept;

    void deallocate_chain(const PageChain& chain) noexcept { deallocate_chains({&chain, 1}); }

    /// Consecutive pages, any number from 1; slower than single pages. Contents are undefined.
    void* allocate_run(std::size_t pages, locking::Here where = locking::Here::now());
    [[nodiscard]] void* try_allocate_run(std::size_t pages) noexcept;
    /// `pages` as given at allocation.
    void deallocate_run(void* run,
                        std::size_t pages,
                        locking::Here where = locking::Here::now()) noexcept;

    /// Whether maintain() has something to do; cheap enough for every turn of a loop.
    bool maintenance_due() const noexcept { return due_.load(std::memory_order_relaxed); }

    /// Fills or cools the shared hot pages and returns how many moved. One call does not do more
    /// than the bulk limit allows, in which each call of the kernel counts as eight pages, and so
    /// does each fresh page that the kernel has to put memory behind.
    std::size_t maintain() noexcept;

    /// Called once each time maintenance becomes due, from any thread, perhaps with domains held:
    /// it may only wake somebody up. Set it before other threads use the cache.
    using Kick = void (*)(void* context) noexcept;
    void on_maintenance_due(Kick kick, void* context) noexcept;

    /// Asked in the order of adding when the source has refused, before giving up. Borrowed until
    /// removed; add and remove while no other thread needs memory.
    void add_reclaim(ReclaimHook& hook) noexcept;
    void remove_reclaim(ReclaimHook& hook) noexcept;

    /// Asks the hooks; returns whether one of them freed anything. For users who get memory
    /// elsewhere and found none.
    bool reclaim() noexcept;

    /// Called before the process aborts for lack of memory, to add to its report what the cache
    /// does not know, in lines that begin with a newline: tell_largest() does. It must not
    /// allocate. Set it before other threads use the cache.
    using LastWords = void (*)(void* context, locking::TextBuffer& report) noexcept;
    void on_exhaustion(LastWords last_words, void* context) noexcept;

    /// Aborts with what is known about the memory; `what` is what was not to be had.
    [[noreturn]] void exhausted(std::string_view what, locking::Here where) const noexcept;

    /// New limits; the size of magazines is fixed at construction and its new value is ignored only
    /// if equal, otherwise an error like any other. Returns the error, or nothing.
    std::optional<std::string> reconfigure(const PageCacheConfig& config);

    PageStats stats() const noexcept;

    /// For users who hide what they have elsewhere, too.
    const Poison& poison() const { return poison_; }

    const PageCacheConfig& config() const { return config_; }

    /// Where its pages have notes. To be asked before the note of an address that may be wrong is
    /// read.
    const RegionMap& regions() const { return region_map_; }

    bool has_region_at(const void* address) const noexcept { return region_map_.has(address); }

    /// What an address is; for reports, since it may be something else a moment later.
    PageState state_of(const void* address) const noexcept;

    /// PageNote::holder() of the page that an address lies in; 0 if it lies in none of this cache.
    std::uint64_t holder_of(const void* address) const noexcept;

    /// Walks everything and aborts unless each page is in exactly one place and the counters agree.
    /// No other thread may be inside.
    void verify() const;

    /// Known defects of other daemons, for the tests that must show that they would notice.
    enum class TestFault : std::uint8_t {
        none,
        ignore_cold,    ///< refill asks the source although there are cold pages
        lose_on_flush,  ///< of a batch that comes back only the last page is kept
        purge_singly,   ///< one call for each page
        ignore_bulk,    ///< one maintain() does everything
    };

    void test_fault(TestFault fault) noexcept { fault_ = fault; }

  private:
    struct Region;

    /// What the state of a PageNote says, besides which cache it is.
    enum class NoteState : std::uint16_t {
        apart,   ///< free in its region, or part of a run
        in_use,  ///< handed out alone
        kept,    ///< free, in a magazine or hot
    };

    bool has_state(const void* page, NoteState state) const noexcept {
        return note_of<PageNote>(page).state() == note_mark_ + static_cast<std::uint16_t>(state);
    }

    void set_state(const void* page, NoteState state) noexcept {
        note_of<PageNote>(page).set_state(
            static_cast<std::uint16_t>(note_mark_ + static_cast<unsigned>(state)));
    }

    /// Whether it is the start of a page that may be handed out.
    bool is_page(const void* page) const noexcept {
        const auto address = reinterpret_cast<std::uintptr_t>(page);
        return address % page_bytes == 0 && has_region_at(page) &&
               address % region_bytes >= region_head_pages * page_bytes;
    }

    /// Whether it may be a run of so many pages of this cache.
    bool is_run(const void* run, std::size_t pages) const noexcept;

    void* hand_out(void* page) noexcept {
        poison_.reveal(page, page_bytes);
        set_state(page, NoteState::in_use);
        return page;
    }

    static constexpr std::size_t buckets = region_pages / 64;
    /// Fresh pages come a few at a time, or an idle thread would pay for a whole batch.
    static constexpr std::size_t fresh_max = 16;
    /// What a call of the kernel costs, in pages: one has to reach all other cores, or to find and
    /// clear memory.
    static constexpr std::size_t kernel_call_pages = 8;

    /// Free pages taken out of a region.
    struct Refill {
        std::size_t pages = 0;
        bool fresh = false;  ///< without memory behind them yet
    };

    std::size_t depot_take(std::span<void*> room) noexcept override;
    void depot_give(std::span<void* const> pages) noexcept override;
    void depot_changed() noexcept override;

    void hold_for_fork() noexcept override { depot_.hold_for_fork(); }

    void release_after_fork(locking::ForkSide side) noexcept override {
        depot_.release_after_fork(side);
    }

    std::uint64_t handed_out() const noexcept override;

    [[noreturn]] void bad_page(const void* page, locking::Here where) const noexcept;
    std::string_view refusal(const PageStats& now) const noexcept;
    std::size_t fill(std::size_t budget) noexcept;
    void back(std::span<void* const> pages) const noexcept;
    void* allocate_or_abort(locking::Here where);
    void* allocate_with_reclaim() noexcept;
    void* run_with_reclaim(std::size_t pages) noexcept;

    // All below: depot held.
    const Region* region_at(const void* address) const noexcept;
    void keep_hot(std::span<void* const> pages) noexcept;
    std::size_t take_hot(std::span<void*> room) noexcept;
    void* map(std::size_t pages, std::size_t alignment) noexcept;
    void* map_with_head(std::size_t pages) noexcept;
    Region& enter_region(void* start) noexcept;
    void leave_region(Region& region) noexcept;
    Region* map_region() noexcept;
    void unmap_region(Region& region) noexcept;
    std::size_t bytes_of(const Region& region) const noexcept;
    void unmap_empty_regions(std::size_t kept) noexcept;
    Region* region_for_refill() noexcept;
    Refill take_free(Region& region, std::span<void*> room) noexcept;
    void* take_run(std::size_t pages) noexcept;
    void* take_run_from(Region& region, std::size_t pages) noexcept;
    static std::size_t find_run(Region& region, std::size_t pages) noexcept;
    void* take_huge_run(std::size_t pages) noexcept;
    void give_huge_run(Region& region) noexcept;
    void mark_dirty(Region& region, std::size_t first, std::size_t pages) noexcept;
    void file(Region& region) noexcept;
    void unfile(Region& region) noexcept;
    Refill take_to_fill(std::span<void*> room, Region*& stranger) noexcept;
    std::size_t cool() noexcept;
    void purge_dirty(std::size_t budget) noexcept;
    void purge_region(Region& region, std::uint64_t until) noexcept;
    std::uint64_t purge_cost() const noexcept;
    void purge_run(Region& region, std::size_t first, std::size_t last) noexcept;
    bool out_of_bounds() const noexcept;
    void note_due() noexcept;
    void verify_regions() const;

    static Region& region_of(const void* page) noexcept;

    PageSource& source_;
    PageCacheConfig config_;
    std::uint16_t note_mark_;  ///< tells its pages from those of other caches
    Poison poison_;
    mutable locking::Domain<PageDepotLevel> depot_{"page depot"};

    RegionMap region_map_;  ///< read by everybody, written with the depot held
    // Everything here is written with the depot held.
    PageStack hot_;
    Region* by_free_[buckets] = {};  ///< regions with free pages, by how many / 64
    Region* regions_ = nullptr;
    Region* dirty_regions_ = nullptr;
    PageStats counters_;           ///< in_use counts runs only, see stats()
    std::size_t unpurgeable_ = 0;  ///< dirty pages that the last purge had to leave
    bool filling_ = false;         ///< between the lower bound and twice of it
    bool cooling_ = false;         ///< between the upper bound and its half
    bool purging_ = false;         ///< pages were moved, or the last purge could not finish
    bool starved_ = false;         ///< the source refused to fill up; waits for pages to come back
    bool too_far_ = false;         ///< what the source gave last lay too far from the rest
    TestFault fault_ = TestFault::none;
    std::size_t empty_regions_ = 0;  ///< entirely clean

    std::atomic<bool> due_{false};
    std::atomic<bool> kick_pending_{false};
    Kick kick_ = nullptr;
    void* kick_context_ = nullptr;
    ReclaimHook* reclaim_hooks_ = nullptr;
    std::atomic<std::uint64_t> reclaims_{0};
    LastWords last_words_ = nullptr;
    void* last_words_context_ = nullptr;
};

}  // namespace tern::alloc
