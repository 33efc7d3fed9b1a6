#pragma once

/// Blocks of different sizes that share pages, for what has no one size: texts, containers, state
/// whose sizes drift over the months. A slab is faster and smaller, but a page of it serves one
/// size for ever; here a hole that one size left serves all others. A block has no head: which 16
/// bytes of a page are free are bits in its note, so neighbouring holes are one hole, and giving
/// back says the size as taking did. Of the pages with a hole that is large enough the one with the
/// smallest is taken, which keeps others free to become empty. A Heap is a resource of a pool,
/// embedded in its user or made in the pool; each call checks that the pool's domain is held and
/// that what comes back is in use. It keeps one empty page. What it lent dies with it, without
/// destructors.

#include "alloc/page.h"
#include "alloc/poison.h"
#include "alloc/pool.h"
#include "alloc/slab_page.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tern::alloc {

/// A value; what a heap has at the moment of stats().
struct HeapStats {
    std::size_t blocks = 0;
    std::size_t bytes = 0;        ///< that were asked for
    std::size_t pages = 0;        ///< shared by blocks
    std::size_t large_pages = 0;  ///< of blocks that are larger than a page
};

/// Owns its pages; blocks are lent until they are given back or the heap is cleared. Domain of the
/// pool held for everything but names.
class Heap final : public Resource {
  public:
    /// Domain of the pool held, here and everywhere.
    Heap(Pool& pool, std::string_view name, locking::Here where = locking::Here::now());
    ~Heap() override;

    /// Undefined bytes, aligned as malloc does. Aborts if there is no memory.
    void* allocate(std::size_t bytes, locking::Here where = locking::Here::now());
    /// nullptr if there is no memory.
    [[nodiscard]] void* try_allocate(std::size_t bytes, locking::Here where = locking::Here::now());
    /// `alignment` is a power of two up to a page.
    void* allocate_aligned(std::size_t bytes,
                           std::size_t alignment,
                           locking::Here where = locking::Here::now());
    /// `bytes` as asked for. Aborts if they are not all in use.
    void deallocate(void* block,
                    std::size_t bytes,
                    locking::Here where = locking::Here::now()) noexcept;

    /// Gives all blocks back, whoever still knows them.
    void clear(locking::Here where = locking::Here::now()) noexcept;

    HeapStats stats() const;

    /// Aborts unless all notes, lists and counters agree.
    void verify() const;

    std::string_view kind() const override { return "heap"; }

    std::string_view name() const override { return name_; }

    MemoryUsage memory() const override;
    bool contains(const void* address) const override;
    std::string_view part_at(const void* address) const override;

  private:
    friend class HeapMemory;

    static constexpr std::size_t granule_bytes = SlabLayout::slot_bytes_min;
    static constexpr std::size_t page_granules = page_bytes / granule_bytes;
    static constexpr std::size_t bins = 61;

    /// The slots are granules; SlotBits::label is a bound of the longest run of free ones, lowered
    /// by searches in vain.
    using Page = SlabPage;

    static SlotBits& bits_of(const Page& page) { return SlotBits::of(page_of_note(page)); }

    /// Head of a block that is larger than a page.
    struct Large {
        Large* next;
        Large** previous;
        std::size_t pages;
        std::uint64_t holder;
    };

    static constexpr std::size_t large_alignment_min = 64;

    static constexpr std::size_t bin_of(std::size_t granules);

    static constexpr std::size_t granules_for(std::size_t bytes) {
        return bytes == 0 ? 1 : (bytes + granule_bytes - 1) / granule_bytes;
    }

    void* take(std::size_t bytes, std::size_t alignment) noexcept;
    void* take_large(std::size_t bytes, std::size_t alignment) noexcept;
    void give(std::byte* block, std::size_t bytes, locking::Here where) noexcept;
    void keep_or_free(Page& page) noexcept;
    void give_large(std::byte* block, std::size_t bytes, locking::Here where) noexcept;
    Page* page_with_run(std::size_t granules) const noexcept;
    Page* new_page() noexcept;
    void enter(Page& page, std::size_t run) noexcept;
    void leave(Page& page) noexcept;
    void refile(Page& page, std::size_t run) noexcept;
    [[noreturn]] void bad_block(const void* block, std::size_t bytes, locking::Here where) const;

    PageCache& cache_;
    std::uint64_t holder_ = next_page_holder();  ///< marks its pages
    std::string name_;
    /// Pages by their label; the full ones come first.
    std::array<PageChain, bins> pages_by_run_{};
    std::uint64_t bins_in_use_ = 0;  ///< a bit for each that has pages
    std::size_t pages_ = 0;
    std::size_t empty_pages_ = 0;  ///< one at most
    Large* large_ = nullptr;
    std::size_t large_pages_ = 0;
    std::size_t blocks_ = 0;
    std::size_t bytes_ = 0;
    std::size_t lent_ = 0;  ///< blocks that containers use through an adapter
    Poison poison_;
};

}  // namespace tern::alloc
