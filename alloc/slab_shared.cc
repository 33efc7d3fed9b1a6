#include "alloc/slab_shared.h"

#include <algorithm>

namespace tern::alloc {

using DepotGuard = locking::Guard<SharedSlabLevel>;

SharedSlabBase::SharedSlabBase(PageCache& cache, std::string_view name, const SlabLayout& layout)
    : MagazineOwner(detail::OwnerKind::caller, batch_objects),
      cache_(cache),
      layout_(layout),
      name_(name) {
    enroll();
}

std::size_t SharedSlabBase::take_spare(std::span<void*> room) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    std::size_t taken = std::min(room.size(), spare_count_);
    spare_count_ -= taken;
    std::copy_n(spare_ + spare_count_, taken, room.data());
    if (taken != 0) return taken;
    Page* page = page_with_room();
    if (page == nullptr) return 0;
    while (taken < room.size() && page->free_count != 0)
        room[taken++] = page->start_of_page() + page->take() * layout_.size;
    free_in_pages_ -= taken;
    if (page->free_count == 0) {
        page->leave(partial_);
        page->label = false;
    }
    return taken;
}

void SharedSlabBase::give_spare(std::span<void* const> objects) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    const std::size_t kept = std::min(objects.size(), spare_max - spare_count_);
    std::copy_n(objects.data(), kept, spare_ + spare_count_);
    spare_count_ += kept;
    for (void* object : objects.subspan(kept))
        return_object(object);
}

SharedSlabBase::Page* SharedSlabBase::page_with_room() noexcept {
    if (partial_ != nullptr) return partial_;
    void* memory = cache_.try_allocate();
    if (memory == nullptr) return nullptr;
    Page& page = Page::of(memory);
    page.start(holder_, layout_.count);
    poison_.hide(memory, page_bytes);
    ++pages_;
    free_in_pages_ += layout_.count;
    page.label = true;
    page.enter(partial_);
    return &page;
}

void SharedSlabBase::return_object(void* object) noexcept {
    Page& page = Page::of(object);
    const std::size_t index = Page::index_of(object, layout_);
    TERN_ASSERT(!page.is_free(index), "object destroyed twice in shared slab ", name_);
    page.put(index);
    ++free_in_pages_;
    if (page.free_count == layout_.count) {
        if (page.label != 0) page.leave(partial_);
        free_in_pages_ -= layout_.count;
        --pages_;
        page.set_holder(0);
        cache_.deallocate(page.start_of_page());
    } else if (page.label == 0) {
        page.label = true;
        page.enter(partial_);
    }
}

void SharedSlabBase::finish() noexcept {
    // What vanished threads had of it cannot come back.
    TERN_ASSERT(totals().taken == 0 || stocks_lost(), "shared slab ", name_, " destroyed with ",
                totals().taken, " objects alive");
    collect_stocks();
    const DepotGuard guard = depot_.lock_dynamic();
    while (spare_count_ != 0)
        return_object(spare_[--spare_count_]);
    TERN_ASSERT(pages_ == 0 || stocks_lost(), "shared slab ", name_, " lost ", pages_, " pages");
}

SlabStats SharedSlabBase::stats() const noexcept {
    const Totals totals = this->totals();
    const DepotGuard guard = depot_.lock_dynamic();
    return {totals.taken, 0, pages_, pages_ * layout_.count};
}

MemoryUsage SharedSlabBase::memory() const noexcept {
    const SlabStats stats = this->stats();
    const std::size_t effective = stats.live * layout_.object;
    return {effective, stats.pages * page_bytes - effective};
}

bool SharedSlabBase::contains(const void* address) const noexcept {
    return cache_.holder_of(address) == holder_;
}

std::string_view SharedSlabBase::part_at(const void* address) const noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    if (!contains(address)) return "page just given back";
    const std::size_t index = Page::index_of(address, layout_);
    if (index >= layout_.count) return "end of a page";
    return Page::of(address).is_free(index) ? "free slot" : "object, or free in a thread's stock";
}

void SharedSlabBase::verify() const {
    const Totals totals = this->totals();
    const DepotGuard guard = depot_.lock_dynamic();
    for (std::size_t i = 0; i < spare_count_; ++i)
        TERN_ASSERT(Page::of(spare_[i]).held_by(holder_), "foreign spare in shared slab ", name_);
    std::size_t free = 0;
    for (const Page* page = partial_; page != nullptr; page = page->after()) {
        TERN_ASSERT(page->count_free() == page->free_count, "slots lost in shared slab ", name_);
        free += page->free_count;
    }
    TERN_ASSERT(free == free_in_pages_ &&
                    pages_ * layout_.count == totals.taken + totals.stocked + spare_count_ + free,
                "objects lost in shared slab ", name_, ": slots ", pages_ * layout_.count,
                ", alive ", totals.taken, ", stocked ", totals.stocked, ", spare ", spare_count_,
                ", free ", free);
}

}  // namespace tern::alloc
