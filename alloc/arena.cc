#include "alloc/arena.h"

namespace tern::alloc {

void* Arena::allocate_slow(std::size_t bytes, std::size_t alignment) {
    TERN_ASSERT(alignment <= 64 && (alignment & (alignment - 1)) == 0, "alignment ", alignment);
    const std::size_t offset = round_up(head_bytes, alignment);
    TERN_ASSERT(bytes < (~std::size_t{0} >> 1), "arena asked for ", bytes, " bytes");
    if (offset + bytes > large_bytes_min) {
        const std::size_t pages = pages_for(offset + bytes);
        auto* chunk = ::new (cache_.allocate_run(pages)) Chunk{large_, pages};
        large_ = chunk;
        held_bytes_ += pages * page_bytes;
        return reinterpret_cast<std::byte*>(chunk) + offset;
    }
    auto* chunk = ::new (cache_.allocate()) Chunk{chunks_, 1};
    if (chunks_ == nullptr) {
        oldest_ = chunk;
    } else if (chunks_ == oldest_) {
        second_ = chunk;
    }
    chunks_ = chunk;
    ++chunk_count_;
    held_bytes_ += page_bytes;
    const auto start = reinterpret_cast<std::uintptr_t>(chunk);
    at_ = start + offset + bytes;
    end_ = start + page_bytes;
    poison_.hide(reinterpret_cast<void*>(at_), end_ - at_);
    return reinterpret_cast<void*>(start + offset);
}

void Arena::drop_chunks(const void* until) noexcept {
    while (chunks_ != until) {
        TERN_ASSERT(chunks_ != nullptr, "arena rewound to a mark that is void");
        Chunk* chunk = chunks_;
        chunks_ = chunk->previous;
        --chunk_count_;
        held_bytes_ -= page_bytes;
        cache_.deallocate(chunk);
    }
}

/// All but the oldest, in one step: they are linked already.
void Arena::drop_chunks_from_second() noexcept {
    static_assert(offsetof(Chunk, previous) == 0);
    if (chunks_ == oldest_) return;
    cache_.deallocate_list({chunks_, second_, chunk_count_ - 1});
    held_bytes_ -= (chunk_count_ - 1) * page_bytes;
    chunks_ = oldest_;
    chunk_count_ = 1;
}

void Arena::drop_large(const void* until) noexcept {
    while (large_ != until) {
        TERN_ASSERT(large_ != nullptr, "arena rewound to a mark that is void");
        Chunk* chunk = large_;
        large_ = chunk->previous;
        held_bytes_ -= chunk->pages * page_bytes;
        cache_.deallocate_run(chunk, chunk->pages);
    }
}

void Arena::rewind(const Mark& mark) noexcept {
    check();
    drop_large(mark.large);
    if (mark.chunk == nullptr && chunks_ != nullptr) {
        // The mark is older than the first page; keep that one, scopes come and go.
        drop_chunks_from_second();
        at_ = reinterpret_cast<std::uintptr_t>(chunks_) + head_bytes;
    } else {
        drop_chunks(mark.chunk);
        at_ = mark.at;
    }
    if (chunks_ == nullptr) {
        at_ = 1;
        end_ = 0;
        return;
    }
    end_ = reinterpret_cast<std::uintptr_t>(chunks_) + page_bytes;
    poison_.hide(reinterpret_cast<void*>(at_), end_ - at_);
}

void Arena::reset() noexcept {
    rewind(Mark{});
}

void Arena::release_all() noexcept {
    check();
    drop_large(nullptr);
    if (chunks_ != nullptr) {
        cache_.deallocate_list({chunks_, oldest_, chunk_count_});
        held_bytes_ -= chunk_count_ * page_bytes;
        chunks_ = nullptr;
        chunk_count_ = 0;
    }
    at_ = 1;
    end_ = 0;
}

bool Arena::contains(const void* address) const {
    const auto* at = static_cast<const std::byte*>(address);
    for (const Chunk* list : {chunks_, large_}) {
        for (const Chunk* chunk = list; chunk != nullptr; chunk = chunk->previous) {
            const auto* start = reinterpret_cast<const std::byte*>(chunk);
            if (at >= start && at < start + chunk->pages * page_bytes) return true;
        }
    }
    return false;
}

PoolArena::PoolArena(Pool& pool, std::string_view name, locking::Here where)
    : Resource(&pool, where), name_(name), arena_(pool.cache()) {
    arena_.pool_ = &pool;
}

Arena& scratch() {
    static thread_local Arena arena(PageCache::process());
    return arena;
}

}  // namespace tern::alloc
