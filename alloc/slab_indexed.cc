#include "alloc/slab_indexed.h"

#include "locking/lock_report.h"

#include <algorithm>
#include <limits>

namespace tern::alloc {

using locking::Here;

IndexedSlabBase::IndexedSlabBase(Pool& pool,
                                 std::string_view name,
                                 const SlabLayout& layout,
                                 Here where)
    : Resource(&pool, where),
      cache_(pool.cache()),
      layout_(layout),
      count_(static_cast<std::uint32_t>(layout.count)),
      name_(name) {}

void IndexedSlabBase::finish() noexcept {
    check(Here::now());
    drop_pages();
}

std::atomic<std::byte*>& IndexedSlabBase::entry(std::uint32_t number) noexcept {
    const std::uint32_t shifted = number / first_segment + 1;
    const auto segment = static_cast<std::uint32_t>(std::bit_width(shifted)) - 1;
    const std::uint32_t start = first_segment * ((std::uint32_t{1} << segment) - 1);
    return segments_[segment].load(std::memory_order_relaxed)[number - start];
}

bool IndexedSlabBase::grow_directory(std::uint32_t number) noexcept {
    const std::uint32_t shifted = number / first_segment + 1;
    const auto segment = static_cast<std::uint32_t>(std::bit_width(shifted)) - 1;
    if (segment >= segments_max) return false;
    if (segments_[segment].load(std::memory_order_relaxed) != nullptr) return true;
    void* run = cache_.try_allocate_run(std::size_t{1} << segment);
    if (run == nullptr) return false;
    const std::size_t entries = std::size_t{first_segment} << segment;
    auto* pages = static_cast<std::atomic<std::byte*>*>(run);
    for (std::size_t i = 0; i < entries; ++i) {
        ::new (pages + i) std::atomic<std::byte*>(nullptr);
    }
    segments_[segment].store(pages, std::memory_order_release);
    return true;
}

bool IndexedSlabBase::ids_left() const {
    return holes_ != 0 || page_numbers_ < std::numeric_limits<std::uint32_t>::max() / count_ - 1;
}

void IndexedSlabBase::exhausted(Here where) const noexcept {
    if (ids_left()) parent()->exhausted(*this, layout_.object, where);
    locking::fatal(where, {"out of ids: ", live_, " objects live in indexed slab ", name_,
                           " in pool ", parent()->path(), "; domain ", parent()->domain().name(),
                           ": ", locking::HolderText(parent()->domain()).text()});
}

IndexedSlabBase::Page* IndexedSlabBase::new_page() noexcept {
    std::uint32_t number = page_numbers_;
    if (holes_ != 0) {
        // Rare: only after a page has emptied. The lowest hole keeps the ids dense.
        number = first_hole_;
        while (page_at(number) != nullptr) {
            ++number;
        }
    } else if (!ids_left() || !grow_directory(number)) {
        return nullptr;
    }
    auto* memory = static_cast<std::byte*>(cache_.try_allocate());
    if (memory == nullptr) return nullptr;
    Page& page = Page::of(memory);
    page.start(holder_, count_);
    SlotBits::of(memory).label = number;
    poison_.hide(memory, page_bytes);
    if (number == page_numbers_) {
        ++page_numbers_;
    } else {
        --holes_;
        first_hole_ = number + 1;
    }
    ++pages_;
    entry(number).store(memory, std::memory_order_release);
    page.enter(with_room_);
    return &page;
}

std::byte* IndexedSlabBase::take(Here where) noexcept {
    check(where);
    Page* page = with_room_ != nullptr ? with_room_ : new_page();
    if (page == nullptr) return nullptr;
    std::byte* start = page->start_of_page();
    std::byte* slot = start + page->take(start, count_) * layout_.size;
    if (page->room() == 0) page->leave(with_room_);
    ++live_;
    poison_.reveal(slot, layout_.size);
    return slot;
}

void IndexedSlabBase::give(void* object, Here where) noexcept {
    check(where);
    Page& page = Page::of(object);
    poison_.hide(object, layout_.size);
    const bool was_full = page.room() == 0;
    page.put(object, Page::index_of(object, layout_), count_);
    --live_;
    if (was_full) page.enter(with_room_);
    // The last page with room stays, or one object made and destroyed again would cost a page each.
    if (page.room() == Page::all_free(count_) && (with_room_ != &page || page.after() != nullptr)) {
        const std::uint32_t number = SlotBits::of(object).label;
        page.leave(with_room_);
        entry(number).store(nullptr, std::memory_order_release);
        ++holes_;
        first_hole_ = std::min(first_hole_, number);
        --pages_;
        cache_.deallocate(page_of(object));
    }
}

bool IndexedSlabBase::lives(std::uint32_t id) const {
    if (id >= id_bound()) return false;
    const std::byte* page = page_at(id / count_);
    return page != nullptr && !Page::of(page).is_free(page, id % count_, count_);
}

void IndexedSlabBase::drop_pages() noexcept {
    for (std::uint32_t number = 0; number < page_numbers_; ++number) {
        std::byte* page = page_at(number);
        if (page != nullptr) cache_.deallocate(page);
    }
    for (std::size_t segment = 0; segment < segments_max; ++segment) {
        std::atomic<std::byte*>* pages = segments_[segment].exchange(nullptr);
        if (pages == nullptr) continue;
        cache_.deallocate_run(pages, std::size_t{1} << segment);
    }
    with_room_ = nullptr;
    page_numbers_ = 0;
    holes_ = 0;
    first_hole_ = 0;
    pages_ = 0;
    live_ = 0;
}

MemoryUsage IndexedSlabBase::usage_now() const {
    std::size_t directory = 0;
    for (std::size_t segment = 0; segment < segments_max; ++segment) {
        if (segments_[segment].load(std::memory_order_relaxed) == nullptr) continue;
        directory += page_bytes << segment;
    }
    const std::size_t effective = live_ * layout_.object;
    return {effective, pages_ * page_bytes - effective + directory + sizeof(*this)};
}

bool IndexedSlabBase::has_page_of(const void* address) const {
    const std::byte* start = page_of(address);
    for (std::uint32_t number = 0; number < page_numbers_; ++number) {
        if (page_at(number) == start) return true;
    }
    return false;
}

std::uint32_t IndexedSlabBase::live_id_at(const void* object, Here where) const {
    if (!cache_.has_region_at(object) || !Page::of(object).held_by(holder_)) {
        parent()->bad_object(*this, object, "not an object of this slab", where);
    }
    const std::uint32_t id = id_at(object);
    if (object_at(id) != object)
        parent()->bad_object(*this, object, "not the start of an object", where);
    if (!lives(id)) parent()->bad_object(*this, object, "destroyed twice", where);
    return id;
}

void IndexedSlabBase::verify() const {
    check(Here::now());
    std::size_t pages = 0;
    std::size_t live = 0;
    std::size_t with_room = 0;
    for (std::uint32_t number = 0; number < page_numbers_; ++number) {
        const std::byte* start = page_at(number);
        TERN_ASSERT(start != nullptr || number >= first_hole_, "hole before the first in ", name_);
        if (start == nullptr) continue;
        const Page* page = &Page::of(start);
        TERN_ASSERT(page->held_by(holder_) && SlotBits::of(start).label == number, "page of ",
                    name_, " misplaced");
        TERN_ASSERT(page->counted(count_), "slots lost in indexed slab ", name_);
        live += count_ - page->count_free(count_);
        with_room += page->room() != 0 ? 1 : 0;
        ++pages;
    }
    for (const Page* page = with_room_; page != nullptr; page = page->after()) {
        TERN_ASSERT(page->room() != 0, "full page listed in indexed slab ", name_);
        --with_room;
    }
    TERN_ASSERT(with_room == 0 && pages == pages_ && live == live_, "counters of indexed slab ",
                name_, ": pages ", pages, " of ", pages_, ", live ", live, " of ", live_);
}

}  // namespace tern::alloc
