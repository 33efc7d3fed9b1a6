#include "alloc/arena.h"

namespace tern::alloc {

void* Arena::allocate_slow(std::size_t bytes, std::size_t alignment) {
    TERN_ASSERT(alignment <= 64 && (alignment & (alignment - 1)) == 0, "alignment ", alignment);
    TERN_ASSERT(bytes < (~std::size_t{0} >> 1), "arena asked for ", bytes, " bytes");
    if (bytes > large_bytes_min) return allocate_large(bytes, alignment);
    void* page = cache_.allocate();
    auto& note = note_of<PageNote>(page);
    note.link_to(newest_);
    if (newest_ == nullptr) oldest_ = &note;
    newest_ = &note;
    ++pages_;
    const auto start = reinterpret_cast<std::uintptr_t>(page);
    at_ = start + bytes;
    end_ = start + page_bytes;
    poison_.hide(reinterpret_cast<void*>(at_), end_ - at_);
    return page;
}

void* Arena::allocate_large(std::size_t bytes, std::size_t alignment) {
    const std::size_t offset = round_up(head_bytes, alignment);
    const std::size_t pages = pages_for(offset + bytes);
    large_ = ::new (cache_.allocate_run(pages)) Large{large_, pages};
    large_bytes_ += pages * page_bytes;
    return reinterpret_cast<std::byte*>(large_) + offset;
}

void Arena::drop_pages(const void* until) noexcept {
    while (newest_ != until) {
        TERN_ASSERT(newest_ != nullptr, "arena rewound to a mark that is void");
        const PageNote& note = *newest_;
        newest_ = note.after();
        --pages_;
        cache_.deallocate(page_of_note(note));
    }
}

/// In one step, since they are linked already.
void Arena::drop_pages_but_oldest() noexcept {
    cache_.deallocate_chain({newest_, pages_ - 1});
    newest_ = oldest_;
    pages_ = 1;
}

void Arena::drop_large(const void* until) noexcept {
    while (large_ != until) {
        TERN_ASSERT(large_ != nullptr, "arena rewound to a mark that is void");
        Large* large = large_;
        large_ = large->previous;
        large_bytes_ -= large->pages * page_bytes;
        cache_.deallocate_run(large, large->pages);
    }
}

void Arena::rewind(const Mark& mark) noexcept {
    check();
    drop_large(mark.large);
    if (mark.page == nullptr && newest_ != nullptr) {
        // The mark is older than the first page; keep that one, scopes come and go.
        drop_pages_but_oldest();
        at_ = reinterpret_cast<std::uintptr_t>(page_of_note(*newest_));
    } else {
        drop_pages(mark.page);
        at_ = mark.at;
    }
    if (newest_ == nullptr) {
        at_ = 1;
        end_ = 0;
        return;
    }
    end_ = reinterpret_cast<std::uintptr_t>(page_of_note(*newest_)) + page_bytes;
    poison_.hide(reinterpret_cast<void*>(at_), end_ - at_);
}

void Arena::reset() noexcept {
    rewind(Mark{});
}

void Arena::release_all() noexcept {
    check();
    drop_large(nullptr);
    cache_.deallocate_chain({newest_, pages_});
    newest_ = nullptr;
    pages_ = 0;
    at_ = 1;
    end_ = 0;
}

bool Arena::contains(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    const std::byte* page = page_of(address);
    const PageNote* note = newest_;
    for (std::size_t i = 0; i < pages_; ++i, note = note->after()) {
        if (page_of_note(*note) == page) return true;
    }
    for (const Large* large = large_; large != nullptr; large = large->previous) {
        const auto* start = reinterpret_cast<const std::byte*>(large);
        if (at >= start && at < start + large->pages * page_bytes) return true;
    }
    return false;
}

PoolArena::PoolArena(Pool& pool, std::string_view name, locking::Here where)
    : Resource(&pool, where), name_(name), arena_(pool.cache()) {
    arena_.resource_ = this;
}

Arena& scratch() {
    static thread_local Arena arena(PageCache::process());
    return arena;
}

void trim_scratch() noexcept {
    Arena& arena = scratch();
    if (!arena.in_scope()) arena.release_all();
}

}  // namespace tern::alloc
