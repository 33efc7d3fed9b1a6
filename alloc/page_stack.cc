#include "alloc/page_stack.h"

#include <algorithm>

namespace tern::alloc {

void PageStack::push(std::span<void* const> pages) noexcept {
    while (!pages.empty()) {
        if (top_ == nullptr || top_->count == leaf_pages) {
            poison_.reveal(pages.front(), page_bytes);
            auto* leaf = static_cast<Leaf*>(pages.front());
            leaf->below = top_;
            leaf->count = 0;
            top_ = leaf;
            pages = pages.subspan(1);
            continue;
        }
        const std::size_t count = std::min(pages.size(), leaf_pages - top_->count);
        std::copy_n(pages.data(), count, top_->pages + top_->count);
        top_->count += count;
        pages = pages.subspan(count);
    }
}

void PageStack::push(const PageList& list) noexcept {
    static_cast<Link*>(list.last)->next = linked_;
    linked_ = static_cast<Link*>(list.first);
    linked_count_ += list.pages;
}

std::size_t PageStack::pop(std::span<void*> room) noexcept {
    std::size_t filled = 0;
    while (filled < room.size() && top_ != nullptr) {
        if (top_->count == 0) {
            Leaf* leaf = top_;
            top_ = leaf->below;
            poison_.hide(leaf, page_bytes);
            room[filled++] = leaf;
            continue;
        }
        const std::size_t count = std::min(room.size() - filled, top_->count);
        top_->count -= count;
        std::copy_n(top_->pages + top_->count, count, room.data() + filled);
        filled += count;
    }
    while (filled < room.size() && linked_count_ != 0) {
        Link* link = linked_;
        linked_ = link->next;
        --linked_count_;
        poison_.hide(link, sizeof(Link));
        room[filled++] = link;
    }
    return filled;
}

}  // namespace tern::alloc
