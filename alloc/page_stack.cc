#include "alloc/page_stack.h"

#include <algorithm>

namespace tern::alloc {

template <class Entry>
void PageStack::put_leaf(Leaf<Entry>*& top, void* page) noexcept {
    static_assert(sizeof(Leaf<Entry>) == page_bytes);
    poison_.reveal(page, page_bytes);
    auto* leaf = static_cast<Leaf<Entry>*>(page);
    leaf->below = top;
    leaf->count = 0;
    top = leaf;
}

template <class Entry>
void* PageStack::take_leaf(Leaf<Entry>*& top) noexcept {
    Leaf<Entry>* leaf = top;
    top = leaf->below;
    poison_.hide(leaf, page_bytes);
    return leaf;
}

void PageStack::push(std::span<void* const> pages) noexcept {
    while (!pages.empty()) {
        if (top_ == nullptr || top_->count == top_->entries_max) {
            put_leaf(top_, pages.front());
            pages = pages.subspan(1);
            continue;
        }
        const std::size_t count = std::min(pages.size(), top_->entries_max - top_->count);
        std::copy_n(pages.data(), count, top_->entries + top_->count);
        top_->count += count;
        pages = pages.subspan(count);
    }
}

void PageStack::push(const PageChain& chain) noexcept {
    PageChain rest = chain;
    if (rest.pages != 0 && (chains_ == nullptr || chains_->count == chains_->entries_max)) {
        rest = {chain.first->after(), chain.pages - 1};
        put_leaf(chains_, page_of_note(*chain.first));
    }
    if (rest.pages != 0) chains_->entries[chains_->count++] = rest;
}

std::size_t PageStack::pop(std::span<void*> room) noexcept {
    std::size_t filled = 0;
    while (filled < room.size() && top_ != nullptr) {
        if (top_->count == 0) {
            room[filled++] = take_leaf(top_);
            continue;
        }
        const std::size_t count = std::min(room.size() - filled, top_->count);
        top_->count -= count;
        std::copy_n(top_->entries + top_->count, count, room.data() + filled);
        filled += count;
    }
    return filled;
}

std::size_t PageStack::pop_chained(std::span<void*> room) noexcept {
    std::size_t filled = 0;
    while (filled < room.size() && chains_ != nullptr) {
        if (chains_->count == 0) {
            room[filled++] = take_leaf(chains_);
            continue;
        }
        PageChain& chain = chains_->entries[chains_->count - 1];
        for (; filled < room.size() && chain.pages != 0; --chain.pages) {
            room[filled++] = page_of_note(*chain.first);
            chain.first = chain.first->after();
        }
        if (chain.pages == 0) --chains_->count;
    }
    return filled;
}

}  // namespace tern::alloc
