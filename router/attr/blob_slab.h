#pragma once

/// Memory for attribute sets of one store shard: blocks of many sizes, cut from pages by size
/// class. Owned by the shard and used under its domain. A page that becomes empty goes back to the
/// page cache at once, one per class excepted, so that memory follows use. Larger blocks get page
/// runs of their own. It never moves a block.

#include "alloc/page_cache.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace tern::attr {

class BlobSlab {
  public:
    explicit BlobSlab(alloc::PageCache& cache) : cache_(cache) {}

    BlobSlab(const BlobSlab&) = delete;
    BlobSlab& operator=(const BlobSlab&) = delete;
    /// All blocks must have been freed.
    ~BlobSlab();

    /// Aligned to 8; never null.
    [[nodiscard]] void* allocate(std::size_t bytes);
    /// `bytes` as given at allocation.
    void deallocate(void* block, std::size_t bytes);

    /// Bytes of all pages held.
    [[nodiscard]] std::size_t held_bytes() const { return pages_ * alloc::page_bytes; }

  private:
    static constexpr std::size_t step = 8;
    static constexpr std::size_t small_max = 1024;

    struct Free {
        Free* next;
    };

    struct Page {
        Page* next;
        Page* previous;
        Free* free;
        std::uint16_t used;
        std::uint16_t fresh;  // blocks from here on have never been used
    };

    struct Class {
        Page* available = nullptr;  // pages with room; the first one is used
    };

    static std::size_t capacity(std::size_t size_class) {
        return (alloc::page_bytes - sizeof(Page)) / ((size_class + 1) * step);
    }

    static std::size_t run_pages(std::size_t bytes) {
        return (bytes + alloc::page_bytes - 1) / alloc::page_bytes;
    }

    void link(Class& list, Page* page);
    void unlink(Class& list, Page* page);
    Page* add_page(Class& list);

    alloc::PageCache& cache_;
    std::array<Class, small_max / step> classes_;
    std::size_t pages_ = 0;
};

}  // namespace tern::attr
