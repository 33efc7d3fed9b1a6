#include "alloc/slab.h"

#include <new>

namespace tern::alloc {

using locking::Here;

SlabBase::SlabBase(Pool& pool, std::string_view name, const SlabLayout& layout, Here where)
    : Resource(&pool, where), pool_(pool), domain_(pool.domain()), layout_(layout), name_(name) {}

void SlabBase::finish() noexcept {
    check(Here::now());
    drop_pages();
}

void SlabBase::init_page(Page& page) noexcept {
    page.slab = this;
    page.free_count = static_cast<std::uint16_t>(layout_.count);
    page.first_word = 0;
    const std::size_t words = (layout_.count + 63) / 64;
    for (std::size_t word = 0; word < words; ++word) {
        const std::size_t bits = layout_.count - word * 64;
        page.free_bits[word] = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    }
    poison_.hide(reinterpret_cast<std::byte*>(&page) + layout_.offset, page_bytes - layout_.offset);
    ++pages_;
}

void SlabBase::free_page(Page& page) noexcept {
    page.slab = nullptr;
    --pages_;
    pool_.cache().deallocate(&page);
}

void SlabBase::file(Page& page, PageList list) noexcept {
    Page*& head = list == partial ? partial_ : full_;
    page.listed = list;
    page.previous = nullptr;
    page.next = head;
    if (head != nullptr) head->previous = &page;
    head = &page;
}

void SlabBase::unfile(Page& page) noexcept {
    if (page.previous != nullptr) {
        page.previous->next = page.next;
    } else {
        (page.listed == partial ? partial_ : full_) = page.next;
    }
    if (page.next != nullptr) page.next->previous = page.previous;
}

bool SlabBase::next_page() noexcept {
    Page* page = partial_;
    if (page != nullptr) {
        unfile(*page);
    } else if (empty_ != nullptr) {
        page = std::exchange(empty_, nullptr);
    } else {
        page = static_cast<Page*>(pool_.cache().try_allocate());
        if (page == nullptr) return false;
        init_page(*page);
    }
    // Only now, so that a refusal leaves everything as it was.
    if (current_ != nullptr) file(*current_, full);
    page->listed = current;
    current_ = page;
    return true;
}

void SlabBase::refile(Page& page) noexcept {
    if (page.free_count < layout_.count) {
        unfile(page);
        file(page, partial);
        return;
    }
    unfile(page);
    if (empty_ == nullptr) {
        empty_ = &page;
    } else {
        free_page(page);
    }
}

void SlabBase::drop_pages() noexcept {
    for (Page* list : {partial_, full_}) {
        while (list != nullptr) {
            Page* next = list->next;
            free_page(*list);
            list = next;
        }
    }
    if (current_ != nullptr) free_page(*current_);
    if (empty_ != nullptr) free_page(*empty_);
    partial_ = full_ = current_ = empty_ = nullptr;
    recent_ = nullptr;
    live_ = 0;
}

SlabStats SlabBase::stats() const {
    return {live_, live_peak_, pages_, pages_ * layout_.count};
}

MemoryUsage SlabBase::usage_now() const {
    const std::size_t effective = live_ * layout_.size;
    return {effective, pages_ * page_bytes - effective + sizeof(*this)};
}

bool SlabBase::has_page_of(const void* address) const {
    const std::byte* page = page_of(address);
    if (reinterpret_cast<const std::byte*>(current_) == page) return true;
    if (reinterpret_cast<const std::byte*>(empty_) == page) return true;
    for (const Page* list : {partial_, full_}) {
        for (; list != nullptr; list = list->next) {
            if (reinterpret_cast<const std::byte*>(list) == page) return true;
        }
    }
    return false;
}

std::string_view SlabBase::part_of_page(const void* address) const {
    const auto& page = *reinterpret_cast<const Page*>(page_of(address));
    const auto distance = static_cast<std::size_t>(static_cast<const std::byte*>(address) -
                                                   reinterpret_cast<const std::byte*>(&page));
    if (distance < layout_.offset) return "head of a page";
    const std::size_t index = (distance - layout_.offset) / layout_.size;
    if (index >= layout_.count) return "end of a page";
    const std::byte* slot =
        reinterpret_cast<const std::byte*>(&page) + layout_.offset + index * layout_.size;
    return slot == recent_ || is_free(page, index) ? "free slot" : "live object";
}

void SlabBase::verify_page(const Page& page, PageList list, SlabStats& sum) const {
    TERN_ASSERT(page.slab == this && page.listed == list, "page of slab ", name_, " is misfiled");
    std::size_t free = 0;
    for (std::size_t word = 0; word < (layout_.count + 63) / 64; ++word) {
        free += static_cast<std::size_t>(std::popcount(page.free_bits[word]));
        TERN_ASSERT(page.free_bits[word] == 0 || word >= page.first_word,
                    "free slot before the first word in slab ", name_);
    }
    TERN_ASSERT(free == page.free_count, "slots lost in slab ", name_);
    sum.live += layout_.count - free;
    ++sum.pages;
}

void SlabBase::verify() const {
    check(Here::now());
    SlabStats sum;
    if (current_ != nullptr) verify_page(*current_, current, sum);
    for (const Page* page = partial_; page != nullptr; page = page->next) {
        verify_page(*page, partial, sum);
        TERN_ASSERT(page->free_count != 0 && page->free_count != layout_.count, "slab ", name_);
    }
    for (const Page* page = full_; page != nullptr; page = page->next) {
        verify_page(*page, full, sum);
        TERN_ASSERT(page->free_count == 0, "page with free slots among full ones: ", name_);
    }
    sum.pages += empty_ != nullptr ? 1 : 0;
    // The slot freed last counts as in use by its page.
    sum.live -= recent_ != nullptr ? 1 : 0;
    TERN_ASSERT(sum.live == live_ && sum.pages == pages_, "counters of slab ", name_, ": live ",
                sum.live, " of ", live_, ", pages ", sum.pages, " of ", pages_);
}

void SlabBase::bad_object(const void* object, const char* why, Here where) const {
    locking::fatal(where, {"slab ", name_, " in pool ", pool_.path(), ": ", object, " is ", why});
}

}  // namespace tern::alloc
