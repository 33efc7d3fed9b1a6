#include "router/attr/blob_slab.h"

#include "locking/check.h"

#include <new>

namespace tern::attr {

BlobSlab::~BlobSlab() {
    for (Class& list : classes_) {
        while (list.available != nullptr) {
            Page* const page = list.available;
            TERN_ASSERT(page->used == 0, "attribute block left behind");
            unlink(list, page);
            cache_.deallocate(page);
            --pages_;
        }
    }
    TERN_ASSERT(pages_ == 0, "attribute blocks left behind in full pages: ", pages_);
}

void BlobSlab::link(Class& list, Page* page) {
    page->previous = nullptr;
    page->next = list.available;
    if (page->next != nullptr) page->next->previous = page;
    list.available = page;
}

void BlobSlab::unlink(Class& list, Page* page) {
    if (page->next != nullptr) page->next->previous = page->previous;
    (page->previous != nullptr ? page->previous->next : list.available) = page->next;
}

BlobSlab::Page* BlobSlab::add_page(Class& list) {
    auto* page = ::new (cache_.allocate()) Page{};
    ++pages_;
    link(list, page);
    return page;
}

void* BlobSlab::allocate(std::size_t bytes) {
    if (bytes > small_max) {
        pages_ += run_pages(bytes);
        return cache_.allocate_run(run_pages(bytes));
    }
    const std::size_t size_class = (bytes - 1) / step;
    Class& list = classes_[size_class];
    Page* const page = list.available != nullptr ? list.available : add_page(list);
    void* block = page->free;
    if (page->free != nullptr) {
        page->free = page->free->next;
    } else {
        block = reinterpret_cast<std::byte*>(page + 1) + page->fresh * (size_class + 1) * step;
        ++page->fresh;
    }
    if (++page->used == capacity(size_class)) unlink(list, page);
    return block;
}

void BlobSlab::deallocate(void* block, std::size_t bytes) {
    if (bytes > small_max) {
        pages_ -= run_pages(bytes);
        cache_.deallocate_run(block, run_pages(bytes));
        return;
    }
    const std::size_t size_class = (bytes - 1) / step;
    Class& list = classes_[size_class];
    auto* const page = reinterpret_cast<Page*>(reinterpret_cast<std::uintptr_t>(block) &
                                               ~(std::uintptr_t{alloc::page_bytes} - 1));
    if (page->used == capacity(size_class)) link(list, page);
    page->free = ::new (block) Free{page->free};
    --page->used;
    const bool alone = list.available == page && page->next == nullptr;
    if (page->used != 0 || alone) return;
    unlink(list, page);
    cache_.deallocate(page);
    --pages_;
}

}  // namespace tern::attr
