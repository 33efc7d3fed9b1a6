#include "alloc/slab_shared.h"

namespace tern::alloc {

using detail::Chain;
using detail::FreeItem;
using DepotGuard = locking::Guard<SharedSlabLevel>;

/// Head of a page; slots not in a chain, a stock or use are bits here.
struct SharedSlabBase::Page {
    Page* next;
    Page* previous;
    SharedSlabBase* slab;
    std::uint32_t free_count;
    bool filed;
    std::uint64_t unused;
    std::uint64_t free_bits[1];  ///< continued up to the first slot

    std::byte* slot(const SlabLayout& layout, std::size_t index) {
        return reinterpret_cast<std::byte*>(this) + layout.offset + index * layout.size;
    }
};

SharedSlabBase::SharedSlabBase(PageCache& cache, std::string_view name, const SlabLayout& layout)
    : MagazineOwner(chain_objects), cache_(cache), layout_(layout), name_(name) {
    enroll();
}

void* SharedSlabBase::allocate() noexcept {
    FreeItem* item = pop();
    if (item != nullptr) poison_.reveal(item, layout_.size);
    return item;
}

void SharedSlabBase::deallocate(void* object) noexcept {
    const auto* page = reinterpret_cast<const Page*>(page_of(object));
    TERN_ASSERT(page->slab == this, "shared slab ", name_, ": ", object,
                " is not an object of this slab");
    auto* item = static_cast<FreeItem*>(object);
    poison_.hide(item + 1, layout_.size - sizeof(FreeItem));
    push(item);
}

Chain SharedSlabBase::take_chain(std::uint32_t wanted) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    if (chains_ != nullptr) {
        const Chain chain{chains_, static_cast<std::uint32_t>(chains_->chain_length)};
        chains_ = chains_->next_chain;
        --chains_count_;
        chained_objects_ -= chain.length;
        return chain;
    }
    Page* page = page_with_room();
    if (page == nullptr) return {};
    Chain chain;
    FreeItem** tail = &chain.head;
    for (std::size_t word = 0; chain.length < wanted && page->free_count != 0; ++word) {
        while (page->free_bits[word] != 0 && chain.length < wanted) {
            const auto bit = static_cast<std::size_t>(std::countr_zero(page->free_bits[word]));
            page->free_bits[word] &= page->free_bits[word] - 1;
            --page->free_count;
            auto* item = reinterpret_cast<FreeItem*>(page->slot(layout_, word * 64 + bit));
            poison_.reveal(item, sizeof(FreeItem));
            *tail = item;
            tail = &item->next;
            ++chain.length;
        }
    }
    *tail = nullptr;
    free_in_pages_ -= chain.length;
    if (page->free_count == 0) unfile(*page);
    return chain;
}

void SharedSlabBase::give_chain(Chain chain) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    if (chains_count_ < depot_chains_max && chain.length == chain_objects) {
        chain.head->chain_length = chain.length;
        chain.head->next_chain = chains_;
        chains_ = chain.head;
        ++chains_count_;
        chained_objects_ += chain.length;
        return;
    }
    while (chain.head != nullptr) {
        FreeItem* next = chain.head->next;
        return_object(chain.head);
        chain.head = next;
    }
}

SharedSlabBase::Page* SharedSlabBase::page_with_room() noexcept {
    if (partial_ != nullptr) return partial_;
    auto* page = static_cast<Page*>(cache_.try_allocate());
    if (page == nullptr) return nullptr;
    page->slab = this;
    page->filed = false;
    page->free_count = static_cast<std::uint32_t>(layout_.count);
    for (std::size_t word = 0; word * 64 < layout_.count; ++word) {
        const std::size_t bits = layout_.count - word * 64;
        page->free_bits[word] = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    }
    poison_.hide(page->slot(layout_, 0), page_bytes - layout_.offset);
    ++pages_;
    free_in_pages_ += layout_.count;
    file(*page);
    return page;
}

void SharedSlabBase::return_object(FreeItem* item) noexcept {
    auto& page = *reinterpret_cast<Page*>(page_of(item));
    const auto distance =
        static_cast<std::size_t>(reinterpret_cast<std::byte*>(item) - page.slot(layout_, 0));
    const std::size_t index = distance / layout_.size;
    const std::uint64_t bit = std::uint64_t{1} << (index % 64);
    TERN_ASSERT((page.free_bits[index / 64] & bit) == 0, "object destroyed twice in shared slab ",
                name_);
    poison_.hide(item, layout_.size);
    page.free_bits[index / 64] |= bit;
    ++page.free_count;
    ++free_in_pages_;
    if (page.free_count == layout_.count) {
        if (page.filed) unfile(page);
        free_in_pages_ -= layout_.count;
        --pages_;
        page.slab = nullptr;
        cache_.deallocate(&page);
    } else if (!page.filed) {
        file(page);
    }
}

void SharedSlabBase::file(Page& page) noexcept {
    page.filed = true;
    page.previous = nullptr;
    page.next = partial_;
    if (partial_ != nullptr) partial_->previous = &page;
    partial_ = &page;
}

void SharedSlabBase::unfile(Page& page) noexcept {
    (page.previous != nullptr ? page.previous->next : partial_) = page.next;
    if (page.next != nullptr) page.next->previous = page.previous;
    page.filed = false;
}

void SharedSlabBase::finish() noexcept {
    // What vanished threads had of it cannot come back.
    TERN_ASSERT(totals().taken == 0 || stocks_lost(), "shared slab ", name_, " destroyed with ",
                totals().taken, " objects alive");
    collect_stocks();
    const DepotGuard guard = depot_.lock_dynamic();
    while (chains_ != nullptr) {
        FreeItem* item = chains_;
        chains_ = chains_->next_chain;
        while (item != nullptr) {
            FreeItem* next = item->next;
            return_object(item);
            item = next;
        }
    }
    TERN_ASSERT(pages_ == 0 || stocks_lost(), "shared slab ", name_, " lost ", pages_, " pages");
}

SlabStats SharedSlabBase::stats() const noexcept {
    const Totals totals = this->totals();
    const DepotGuard guard = depot_.lock_dynamic();
    return {totals.taken, 0, pages_, pages_ * layout_.count};
}

MemoryUsage SharedSlabBase::memory() const noexcept {
    const SlabStats stats = this->stats();
    const std::size_t effective = stats.live * layout_.size;
    return {effective, stats.pages * page_bytes - effective};
}

void SharedSlabBase::verify() const {
    const Totals totals = this->totals();
    const DepotGuard guard = depot_.lock_dynamic();
    std::size_t chained = 0;
    for (const FreeItem* head = chains_; head != nullptr; head = head->next_chain) {
        std::size_t length = 0;
        for (const FreeItem* item = head; item != nullptr; item = item->next) {
            ++length;
        }
        TERN_ASSERT(length == head->chain_length, "chain of shared slab ", name_, " is torn");
        chained += length;
    }
    std::size_t free = 0;
    for (const Page* page = partial_; page != nullptr; page = page->next) {
        free += page->free_count;
    }
    TERN_ASSERT(chained == chained_objects_ && free == free_in_pages_ &&
                    pages_ * layout_.count == totals.taken + totals.stocked + chained + free,
                "objects lost in shared slab ", name_, ": slots ", pages_ * layout_.count,
                ", alive ", totals.taken, ", stocked ", totals.stocked, ", chained ", chained,
                ", free ", free);
}

}  // namespace tern::alloc
