#include "alloc/slab.h"

#include <algorithm>
#include <new>

namespace tern::alloc {

using locking::Here;

SlabBase::SlabBase(Pool& pool, std::string_view name, const SlabLayout& layout, Here where)
    : Resource(&pool, where),
      pool_(pool),
      domain_(pool.domain()),
      cache_(pool.cache()),
      layout_(layout),
      name_(name) {}

void SlabBase::finish() noexcept {
    check(Here::now());
    drop_pages();
}

SlabBase::Page* SlabBase::new_page() noexcept {
    void* memory = cache_.try_allocate();
    if (memory == nullptr) return nullptr;
    Page& page = Page::of(memory);
    page.start(holder_, layout_.count);
    poison_.hide(memory, page_bytes);
    include_region_of(memory);
    ++pages_;
    return &page;
}

void SlabBase::include_region_of(const void* page) noexcept {
    const std::uintptr_t region =
        reinterpret_cast<std::uintptr_t>(page) & ~std::uintptr_t{region_bytes - 1};
    const std::uintptr_t end = std::max(lowest_ + extent_, region + region_bytes);
    lowest_ = extent_ == 0 ? region : std::min(lowest_, region);
    extent_ = end - lowest_;
}

void SlabBase::free_page(Page& page) noexcept {
    page.set_holder(0);
    --pages_;
    cache_.deallocate(page.start_of_page());
}

void SlabBase::file(Page& page, PageList list) noexcept {
    page.label = list;
    page.enter(list == partial ? partial_ : full_);
    full_pages_ += list == full ? 1 : 0;
}

void SlabBase::unfile(Page& page) noexcept {
    page.leave(page.label == partial ? partial_ : full_);
    full_pages_ -= page.label == full ? 1 : 0;
}

void* SlabBase::take_slot() noexcept {
    if ((current_ == nullptr || current_->free_count == 0) && !next_page()) return nullptr;
    std::byte* slot = current_->start_of_page() + current_->take() * layout_.size;
    if (++taken_ > live_peak_) live_peak_ = taken_;
    poison_.reveal(slot, layout_.size);
    return slot;
}

void SlabBase::give_watched_slot(std::byte* slot, std::size_t index) noexcept {
    poison_.hide(slot, layout_.size);
    put_slot(Page::of(slot), index, layout_);
}

void SlabBase::settle_spare() noexcept {
    if (spare_ == nullptr) return;
    const std::byte* slot = std::exchange(spare_, nullptr);
    put_slot(Page::of(slot), Page::index_of(slot, layout_), layout_);
}

bool SlabBase::next_page() noexcept {
    Page* page = partial_;
    if (page != nullptr) {
        unfile(*page);
    } else if (empty_ != nullptr) {
        page = std::exchange(empty_, nullptr);
    } else {
        page = new_page();
        if (page == nullptr) return false;
    }
    // Only now, so that a refusal leaves everything as it was.
    if (current_ != nullptr) file(*current_, full);
    page->label = current;
    current_ = page;
    return true;
}

void SlabBase::refile(Page& page) noexcept {
    if (&page == current_) return;
    unfile(page);
    if (page.free_count < layout_.count) {
        file(page, partial);
    } else if (empty_ == nullptr) {
        empty_ = &page;
    } else {
        free_page(page);
    }
}

/// In one step, without a look at the notes: with the number of the slab all of them are void.
void SlabBase::drop_pages() noexcept {
    const std::size_t alone = (current_ != nullptr ? 1 : 0) + (empty_ != nullptr ? 1 : 0);
    const PageChain chains[] = {{full_, full_pages_},
                                {partial_, pages_ - full_pages_ - alone},
                                {current_, current_ != nullptr ? std::size_t{1} : 0},
                                {empty_, empty_ != nullptr ? std::size_t{1} : 0}};
    cache_.deallocate_chains(chains);
    holder_ = next_page_holder();
    partial_ = full_ = current_ = empty_ = nullptr;
    pages_ = full_pages_ = 0;
    spare_ = nullptr;
    taken_ = 0;
}

SlabStats SlabBase::stats() const {
    return {live(), live_peak_, pages_, pages_ * layout_.count};
}

MemoryUsage SlabBase::usage_now() const {
    const std::size_t effective = live() * layout_.object;
    return {effective, pages_ * page_bytes - effective + sizeof(*this)};
}

bool SlabBase::has_page_of(const void* address) const {
    const std::byte* page = page_of(address);
    for (const Page* alone : {current_, empty_}) {
        if (alone != nullptr && alone->start_of_page() == page) return true;
    }
    for (const Page* list : {partial_, full_}) {
        for (; list != nullptr; list = list->after()) {
            if (list->start_of_page() == page) return true;
        }
    }
    return false;
}

std::string_view SlabBase::part_of_page(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    const std::size_t index = Page::index_of(at, layout_);
    if (index >= layout_.count) return "end of a page";
    const std::byte* slot = page_of(at) + index * layout_.size;
    return slot == spare_ || Page::of(at).is_free(index) ? "free slot" : "live object";
}

void SlabBase::verify_page(const Page& page, PageList list, SlabStats& sum) const {
    TERN_ASSERT(page.held_by(holder_) && page.label == list, "page of slab ", name_,
                " is misfiled");
    const std::size_t free = page.count_free();
    TERN_ASSERT(free == page.free_count, "slots lost in slab ", name_);
    sum.live += layout_.count - free;
    ++sum.pages;
}

void SlabBase::verify() const {
    check(Here::now());
    SlabStats sum;
    std::size_t full_pages = 0;
    if (current_ != nullptr) verify_page(*current_, current, sum);
    for (const Page* page = partial_; page != nullptr; page = page->after()) {
        verify_page(*page, partial, sum);
        TERN_ASSERT(page->free_count != 0 && page->free_count != layout_.count, "slab ", name_);
    }
    for (const Page* page = full_; page != nullptr; page = page->after()) {
        verify_page(*page, full, sum);
        ++full_pages;
        TERN_ASSERT(page->free_count == 0, "page with free slots among full ones: ", name_);
    }
    sum.pages += empty_ != nullptr ? 1 : 0;
    TERN_ASSERT(sum.live == taken_ && sum.pages == pages_ && full_pages == full_pages_,
                "counters of slab ", name_, ": taken ", sum.live, " of ", taken_, ", pages ",
                sum.pages, " of ", pages_, ", full ", full_pages, " of ", full_pages_);
}

}  // namespace tern::alloc
