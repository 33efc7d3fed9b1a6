#pragma once

/// Free pages on top of each other: what is shared of the hot ones.
/// Their addresses are listed in a few of the pages themselves, so the stack needs no memory and
/// the others are not touched. A chain of pages goes on a second stack as it is, in one step and
/// without a look at its notes; it is unlinked page by page when its turn comes. Private to the
/// page cache, used with its depot held; it owns nothing.

#include "alloc/page.h"
#include "alloc/poison.h"

#include <cstddef>
#include <span>

namespace tern::alloc {

/// Two stacks, of single pages and of chains. Owned by a PageCache; its depot held for everything.
class PageStack {
  public:
    /// Takes them over; nobody may look into them any more.
    void push(std::span<void* const> pages) noexcept;

    /// The same for a chain, which may be empty.
    void push(const PageChain& chain) noexcept;

    /// Fills `room` from its start with pages that came one by one, the topmost page last; returns
    /// how many there were.
    std::size_t pop(std::span<void*> room) noexcept;

    /// The same with pages that came in chains; their notes are as their holder left them.
    std::size_t pop_chained(std::span<void*> room) noexcept;

    template <class F>
    void for_each(F&& use) const {
        for (const Leaf<void*>* leaf = top_; leaf != nullptr; leaf = leaf->below) {
            use(static_cast<const void*>(leaf));
            for (std::size_t i = 0; i < leaf->count; ++i)
                use(static_cast<const void*>(leaf->entries[i]));
        }
        for (const Leaf<PageChain>* leaf = chains_; leaf != nullptr; leaf = leaf->below) {
            use(static_cast<const void*>(leaf));
            for (std::size_t i = 0; i < leaf->count; ++i) {
                PageChain chain = leaf->entries[i];
                for (; chain.pages != 0; chain = {chain.first->after(), chain.pages - 1})
                    use(static_cast<const void*>(page_of_note(*chain.first)));
            }
        }
    }

  private:
    /// A page of the stack that lists others, which came later.
    template <class Entry>
    struct Leaf {
        static constexpr std::size_t entries_max = (page_bytes - 16) / sizeof(Entry);

        Leaf* below;
        std::size_t count;
        Entry entries[entries_max];
    };

    /// Makes a page the top of such a stack.
    template <class Entry>
    void put_leaf(Leaf<Entry>*& top, void* page) noexcept;
    /// Takes the topmost leaf, which lists nothing any more, as a page.
    template <class Entry>
    void* take_leaf(Leaf<Entry>*& top) noexcept;

    Leaf<void*>* top_ = nullptr;
    Leaf<PageChain>* chains_ = nullptr;
    Poison poison_;
};

}  // namespace tern::alloc
