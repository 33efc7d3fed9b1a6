#include "alloc/slab.h"

#include <algorithm>
#include <new>

namespace tern::alloc {

using locking::Here;

SlabBase::SlabBase(Pool& pool, std::string_view name, const SlabLayout& layout, Here where)
    : Resource(&pool, where),
      domain_(pool.domain()),
      cache_(pool.cache()),
      regions_(cache_.regions()),
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
    ++pages_;
    return &page;
}

void SlabBase::free_page(Page& page) noexcept {
    --pages_;
    cache_.deallocate(page.start_of_page());
}

void* SlabBase::take_slot() noexcept {
    if ((current_ == nullptr || Page::of(current_).room() == 0) && !next_page()) return nullptr;
    const std::size_t index = Page::of(current_).take(current_, layout_.count);
    std::byte* slot = current_ + index * layout_.size;
    if (++taken_ > live_peak_) live_peak_ = taken_;
    poison_.reveal(slot, layout_.size);
    return slot;
}

void SlabBase::exhausted(Here where) const noexcept {
    parent()->exhausted(*this, layout_.object, where);
}

void SlabBase::give_watched_slot(std::byte* slot, std::size_t index) noexcept {
    poison_.hide(slot, layout_.size);
    put_slot(slot, index, layout_);
}

void SlabBase::settle_spare() noexcept {
    if (spare_ == nullptr) return;
    std::byte* slot = std::exchange(spare_, nullptr);
    put_slot(slot, Page::index_of(slot, layout_), layout_);
}

bool SlabBase::next_page() noexcept {
    Page* page = partial_;
    if (page != nullptr) {
        page->leave(partial_);
    } else if (empty_ != nullptr) {
        page = std::exchange(empty_, nullptr);
    } else {
        page = new_page();
        if (page == nullptr) return false;
    }
    // Only now, so that a refusal leaves everything as it was.
    if (current_ != nullptr) {
        Page::of(current_).enter(full_);
        ++full_pages_;
    }
    current_ = page->start_of_page();
    return true;
}

void SlabBase::refile_full(Page& page) noexcept {
    if (page.start_of_page() == current_) return;
    page.leave(full_);
    --full_pages_;
    page.enter(partial_);
}

void SlabBase::refile_empty(Page& page) noexcept {
    if (page.start_of_page() == current_) return;
    page.leave(partial_);
    if (empty_ == nullptr) {
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
                                {current_ != nullptr ? &Page::of(current_) : nullptr,
                                 current_ != nullptr ? std::size_t{1} : 0},
                                {empty_, empty_ != nullptr ? std::size_t{1} : 0}};
    cache_.deallocate_chains(chains);
    holder_ = next_page_holder();
    partial_ = full_ = empty_ = nullptr;
    current_ = nullptr;
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
    if (page == current_ || (empty_ != nullptr && page == empty_->start_of_page())) return true;
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
    return slot == spare_ || Page::of(at).is_free(at, index, layout_.count) ? "free slot"
                                                                            : "live object";
}

void SlabBase::verify_page(const Page& page, SlabStats& sum) const {
    TERN_ASSERT(page.held_by(holder_), "page of slab ", name_, " is misfiled");
    TERN_ASSERT(page.counted(layout_.count), "slots lost in slab ", name_);
    sum.live += layout_.count - page.count_free(layout_.count);
    ++sum.pages;
}

void SlabBase::verify() const {
    check(Here::now());
    SlabStats sum;
    std::size_t full_pages = 0;
    if (current_ != nullptr) verify_page(Page::of(current_), sum);
    for (const Page* page = partial_; page != nullptr; page = page->after()) {
        verify_page(*page, sum);
        TERN_ASSERT(page->room() != 0 && page->room() != Page::all_free(layout_.count), "slab ",
                    name_);
    }
    for (const Page* page = full_; page != nullptr; page = page->after()) {
        verify_page(*page, sum);
        ++full_pages;
        TERN_ASSERT(page->room() == 0, "page with free slots among full ones: ", name_);
    }
    sum.pages += empty_ != nullptr ? 1 : 0;
    TERN_ASSERT(sum.live == taken_ && sum.pages == pages_ && full_pages == full_pages_,
                "counters of slab ", name_, ": taken ", sum.live, " of ", taken_, ", pages ",
                sum.pages, " of ", pages_, ", full ", full_pages, " of ", full_pages_);
}

}  // namespace tern::alloc
