#include "alloc/slab_shared.h"

#include "locking/lock_report.h"

#include <algorithm>

namespace tern::alloc {

using locking::Here;
using DepotGuard = locking::Guard<SharedSlabLevel>;

SharedSlabBase::SharedSlabBase(PageCache& cache, std::string_view name, const SlabLayout& layout)
    : MagazineOwner(detail::OwnerKind::caller, batch_for(layout)),
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
    taken = page->take_many(room, layout_);
    free_in_pages_ -= taken;
    if (page->room() == 0) page->leave(partial_);
    return taken;
}

void SharedSlabBase::give_spare(std::span<void* const> objects) noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    const std::size_t kept = std::min(objects.size(), spare_max - spare_count_);
    std::copy_n(objects.data(), kept, spare_ + spare_count_);
    spare_count_ += kept;
    return_objects(objects.subspan(kept));
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
    page.enter(partial_);
    return &page;
}

void SharedSlabBase::return_objects(std::span<void* const> objects) noexcept {
    for (auto at = objects.begin(); at != objects.end();) {
        // What comes back together was often made together: neighbours share one change of a note.
        const std::byte* start = page_of(*at);
        const auto slot_of = [&](const void* object) {
            return layout_.index_at(
                static_cast<std::size_t>(static_cast<const std::byte*>(object) - start));
        };
        Page& page = Page::of(start);
        const std::size_t word = slot_of(*at) / 64;
        const std::uint64_t free = page.free_word(start, word, layout_.count);
        std::uint64_t returned = 0;
        const auto first = at;
        for (; at != objects.end() && page_of(*at) == start; ++at) {
            const std::size_t index = slot_of(*at);
            if (index / 64 != word) break;
            const std::uint64_t slot = std::uint64_t{1} << (index % 64);
            if (((free | returned) & slot) != 0) [[unlikely]]
                bad_object(*at, "destroyed twice, as shows when it goes back to its page",
                           Here::now());
            returned |= slot;
        }
        const auto count = static_cast<std::size_t>(at - first);
        const bool was_full = page.room() == 0;
        page.put_many(start, word, returned, count, layout_.count);
        note_returned(page, count, was_full);
    }
}

void SharedSlabBase::note_returned(Page& page, std::size_t objects, bool was_full) noexcept {
    free_in_pages_ += objects;
    if (page.room() == Page::all_free(layout_.count)) {
        if (!was_full) page.leave(partial_);
        free_in_pages_ -= layout_.count;
        --pages_;
        cache_.deallocate(page.start_of_page());
    } else if (was_full) {
        page.enter(partial_);
    }
}

std::string_view SharedSlabBase::free_place(const void* object) const noexcept {
    const DepotGuard guard = depot_.lock_dynamic();
    if (std::find(spare_, spare_ + spare_count_, object) != spare_ + spare_count_)
        return "the depot";
    const std::size_t index = Page::index_of(object, layout_);
    return Page::of(object).is_free(object, index, layout_.count) ? "its page" : "";
}

void SharedSlabBase::refuse_free(const void* object, Here where) const noexcept {
    const std::uint32_t thread = find_stocked(object);
    const std::string_view place = thread != 0 ? "the stock of " : free_place(object);
    if (place.empty()) return;
    char room[128];
    locking::TextBuffer why(room);
    why.add({"destroyed twice, it is free in ", place});
    if (thread != 0) why.add({locking::ThreadText(thread).text()});
    bad_object(object, why.text(), where);
}

void SharedSlabBase::add_name(locking::TextBuffer& text) const {
    text.add({"shared slab ", name_});
    if (resource_ == nullptr) return;
    text.add({" in pool "});
    resource_->parent()->add_path(text);
}

void SharedSlabBase::exhausted(Here where) const noexcept {
    char room[512];
    locking::TextBuffer what(room);
    what.add({"memory for ", layout_.object, " bytes in "});
    add_name(what);
    cache_.exhausted(what.text(), where);
}

void SharedSlabBase::bad_object(const void* object, std::string_view why, Here where) const {
    char room[512];
    locking::TextBuffer name(room);
    add_name(name);
    locking::fatal(where, {name.text(), ": ", object, " is ", why});
}

void SharedSlabBase::finish() noexcept {
    // What vanished threads had of it cannot come back.
    TERN_ASSERT(totals().taken == 0 || stocks_lost(), "shared slab ", name_, " destroyed with ",
                totals().taken, " objects alive");
    collect_stocks();
    const DepotGuard guard = depot_.lock_dynamic();
    return_objects({spare_, spare_count_});
    spare_count_ = 0;
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
    return Page::of(address).is_free(address, index, layout_.count)
               ? "free slot"
               : "object, or free in a thread's stock";
}

void SharedSlabBase::verify() const {
    const Totals totals = this->totals();
    const DepotGuard guard = depot_.lock_dynamic();
    for (std::size_t i = 0; i < spare_count_; ++i)
        TERN_ASSERT(Page::of(spare_[i]).held_by(holder_), "foreign spare in shared slab ", name_);
    std::size_t free = 0;
    for (const Page* page = partial_; page != nullptr; page = page->after()) {
        TERN_ASSERT(page->room() != 0 && page->counted(layout_.count), "slots lost in shared slab ",
                    name_);
        free += page->count_free(layout_.count);
    }
    TERN_ASSERT(free == free_in_pages_ &&
                    pages_ * layout_.count == totals.taken + totals.stocked + spare_count_ + free,
                "objects lost in shared slab ", name_, ": slots ", pages_ * layout_.count,
                ", alive ", totals.taken, ", stocked ", totals.stocked, ", spare ", spare_count_,
                ", free ", free);
}

}  // namespace tern::alloc
