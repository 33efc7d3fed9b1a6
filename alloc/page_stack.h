#pragma once

/// Free pages on top of each other: what is shared of the hot ones.
/// Their addresses are listed in a few of the pages themselves, so the stack needs no memory and
/// the others are not touched. A list of pages that its user has linked already goes under all
/// others in one step, and is unlinked when its turn comes. Private to the page cache, used with
/// its depot held; it owns nothing.

#include "alloc/page.h"
#include "alloc/poison.h"

#include <cstddef>
#include <span>

namespace tern::alloc {

/// Pages of one user on their way back, linked through the first word of each; that of the last is
/// whatever it is.
struct PageList {
    void* first = nullptr;
    void* last = nullptr;
    std::size_t pages = 0;
};

class PageStack {
  public:
    /// Takes them over; nobody may look into them any more.
    void push(std::span<void* const> pages) noexcept;

    void push(const PageList& list) noexcept;

    /// Fills `room` from its start, the topmost page last; returns how many there were.
    std::size_t pop(std::span<void*> room) noexcept;

    template <class F>
    void for_each(F&& use) const {
        for (const Leaf* leaf = top_; leaf != nullptr; leaf = leaf->below) {
            use(static_cast<const void*>(leaf));
            for (std::size_t i = 0; i < leaf->count; ++i)
                use(static_cast<const void*>(leaf->pages[i]));
        }
        const Link* link = linked_;
        for (std::size_t i = 0; i < linked_count_; ++i) {
            use(static_cast<const void*>(link));
            link = link->next;
        }
    }

  private:
    static constexpr std::size_t leaf_pages = page_bytes / sizeof(void*) - 2;

    /// A page of the stack that lists others, which came later.
    struct Leaf {
        Leaf* below;
        std::size_t count;
        void* pages[leaf_pages];
    };

    static_assert(sizeof(Leaf) == page_bytes);

    struct Link {
        Link* next;
    };

    Leaf* top_ = nullptr;
    Link* linked_ = nullptr;
    std::size_t linked_count_ = 0;
    Poison poison_;
};

}  // namespace tern::alloc
