#include "alloc/page_cache.h"
#include "alloc/page_cache_region.h"

#include <bit>

namespace tern::alloc {

using locking::Here;
using DepotGuard = locking::Guard<PageDepotLevel>;

namespace {

constexpr std::size_t last_words_max = 6144;

}  // namespace

std::string_view text_of(PageState state) {
    constexpr std::string_view names[] = {"foreign", "head of a region", "in use",
                                          "free",    "free and dirty",   "free and cold"};
    return names[static_cast<std::size_t>(state)];
}

PageStats PageCache::stats() const noexcept {
    const Totals totals = this->totals();
    const DepotGuard guard = depot_.lock_dynamic();
    PageStats stats = counters_;
    stats.in_use += totals.taken;
    stats.magazines = totals.stocked;
    stats.empty_regions = empty_regions_;
    stats.reclaims = reclaims_.load(std::memory_order_relaxed);
    return stats;
}

std::uint64_t PageCache::handed_out() const noexcept {
    const PageStats& now = counters_;
    return now.mapped - now.hot - now.dirty - now.cold - now.overhead - now.in_use -
           totals().stocked;
}

// What is an address? ------------------------------------------------------------------------

bool PageCache::is_run(const void* run, std::size_t pages) const noexcept {
    if (!is_page(run)) return false;
    const Region& region = region_of(run);
    const std::size_t index = region.index_of(run);
    if (region.owner != this) return false;
    if (region.huge_pages != 0) return pages == region.huge_pages && index == region_head_pages;
    return index + pages <= region_pages && !has_state(run, NoteState::in_use) &&
           !has_state(run, NoteState::kept);
}

/// nullptr if the address lies in none, or in what was one.
const PageCache::Region* PageCache::region_at(const void* address) const noexcept {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    const Region* region = regions_;
    while (region != nullptr &&
           at - reinterpret_cast<std::uintptr_t>(region) >= bytes_of(*region)) {
        region = region->next;
    }
    return region;
}

std::uint64_t PageCache::holder_of(const void* address) const noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    const Region* region = region_at(address);
    if (region == nullptr || region->huge_pages != 0) return 0;
    if (region->index_of(page_of(address)) < region_head_pages) return 0;
    return note_of<PageNote>(address).holder();
}

PageState PageCache::state_of(const void* address) const noexcept {
    const std::byte* page = page_of(address);
    const DepotGuard guard = depot_.lock_dynamic();
    const Region* region = region_at(address);
    if (region == nullptr) return PageState::foreign;
    const std::size_t index = region->index_of(page);
    if (index < region_head_pages) return PageState::region_head;
    if (region->huge_pages != 0) return PageState::in_use;
    if (Region::test(region->dirty, index)) return PageState::dirty;
    if (Region::test(region->clean, index)) return PageState::cold;
    return has_state(page, NoteState::kept) ? PageState::kept : PageState::in_use;
}

void PageCache::bad_page(const void* page, Here where) const noexcept {
    const PageState state = state_of(page);
    if (page_of(page) != page) {
        locking::fatal(where,
                       {"page cache: ", page, " given back, which is not the start of a page (",
                        text_of(state), ")"});
    }
    if (state == PageState::foreign || state == PageState::region_head) {
        locking::fatal(where, {"page cache: ", page, " given back, which is not a page of it (",
                               text_of(state), ")"});
    }
    if (state == PageState::in_use) {
        locking::fatal(where, {"page cache: ", page, " given back with a wrong number of pages"});
    }
    locking::fatal(where, {"page cache: page ", page, " freed twice, it is ", text_of(state)});
}

// No memory ----------------------------------------------------------------------------------

void PageCache::add_reclaim(ReclaimHook& hook) noexcept {
    ReclaimHook** last = &reclaim_hooks_;
    while (*last != nullptr) {
        last = &(*last)->next;
    }
    hook.next = nullptr;
    *last = &hook;
}

void PageCache::remove_reclaim(ReclaimHook& hook) noexcept {
    ReclaimHook** at = &reclaim_hooks_;
    while (*at != &hook) {
        TERN_ASSERT(*at != nullptr, "reclaim hook ", hook.name, " removed, which was not added");
        at = &(*at)->next;
    }
    *at = hook.next;
}

bool PageCache::reclaim() noexcept {
    for (ReclaimHook* hook = reclaim_hooks_; hook != nullptr; hook = hook->next) {
        if (hook->reclaim(hook->context)) {
            reclaims_.fetch_add(1, std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

void PageCache::on_exhaustion(LastWords last_words, void* context) noexcept {
    last_words_ = last_words;
    last_words_context_ = context;
}

std::string_view PageCache::refusal(const PageStats& now) const noexcept {
    if (config_.mapped_pages_max != 0 && now.mapped + region_pages > config_.mapped_pages_max) {
        return "the limit refused";
    }
    const DepotGuard guard = depot_.lock_dynamic();
    return too_far_ ? "what the kernel gave lies more than 8 TiB from the rest"
                    : "the kernel refused";
}

void PageCache::exhausted(std::string_view what, Here where) const noexcept {
    const PageStats now = stats();
    char room[last_words_max];
    locking::TextBuffer report(room);
    report.add({"out of memory: no ",
                what,
                "; ",
                refusal(now),
                ". Of ",
                now.mapped,
                " pages mapped (limit ",
                config_.mapped_pages_max,
                ", 0 is none) ",
                now.in_use,
                " are in use, ",
                now.magazines,
                " kept by threads, ",
                now.hot,
                " hot, ",
                now.dirty,
                " dirty, ",
                now.cold,
                " cold, ",
                now.overhead,
                " overhead; refused ",
                now.out_of_memory,
                " times; hooks that had nothing to free:"});
    if (reclaim_hooks_ == nullptr) report.add({" none"});
    for (const ReclaimHook* hook = reclaim_hooks_; hook != nullptr; hook = hook->next)
        report.add({" ", hook->name});
    if (last_words_ != nullptr) last_words_(last_words_context_, report);
    locking::fatal(where, {report.text()});
}

// Verification -------------------------------------------------------------------------------

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
        for (std::size_t i = 0; i < region_head_pages; ++i)
            TERN_ASSERT(!region->is_free(i), "the head of a region is free");
        TERN_ASSERT(dirty == region->dirty_count && clean == region->clean_count,
                    "counters of a region are wrong");
        TERN_ASSERT(dirty == 0 || region->listed_dirty, "dirty region is not listed");
        TERN_ASSERT(has_region_at(region), "a region that is not on the map");
        TERN_ASSERT((dirty + clean == 0) == (region->bucket == Region::unfiled) &&
                        (dirty + clean == 0 || region->bucket == (dirty + clean) / 64),
                    "region in the wrong bucket");
        TERN_ASSERT(region->owner == this && region->filed_empty == region->entirely_clean(),
                    "region misfiled");
        sum.dirty += dirty;
        sum.cold += clean;
        sum.regions += region->huge_pages == 0 ? 1 : 0;
        sum.empty_regions += region->entirely_clean() ? 1 : 0;
    }
    TERN_ASSERT(sum.dirty == counters_.dirty && sum.cold == counters_.cold &&
                    sum.regions == counters_.regions && sum.empty_regions == empty_regions_,
                "counters of the regions are wrong: dirty ", sum.dirty, " of ", counters_.dirty,
                ", cold ", sum.cold, " of ", counters_.cold);
}

void PageCache::verify() const {
    const PageStats stats = this->stats();
    const DepotGuard guard = depot_.lock_dynamic();
    verify_regions();
    std::size_t hot = 0;
    hot_.for_each([&](const void* page) {
        const Region& region = region_of(page);
        TERN_ASSERT(!region.is_free(region.index_of(page)), "a hot page is also free in place");
        ++hot;
    });
    TERN_ASSERT(hot == stats.hot, "hot pages: ", hot, " counted, ", stats.hot, " noted");
    TERN_ASSERT(stats.mapped == stats.in_use + stats.magazines + stats.hot + stats.dirty +
                                    stats.cold + stats.overhead,
                "pages lost: mapped ", stats.mapped, ", in use ", stats.in_use, ", magazines ",
                stats.magazines, ", hot ", stats.hot, ", dirty ", stats.dirty, ", cold ",
                stats.cold, ", overhead ", stats.overhead);
}

}  // namespace tern::alloc
