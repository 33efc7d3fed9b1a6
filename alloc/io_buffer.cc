#include "alloc/io_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace tern::alloc {

IoBuffer::IoBuffer(PageCache& cache, std::size_t bytes)
    : cache_(&cache), pages_(std::max<std::size_t>(1, pages_for(bytes))) {
    block_ = static_cast<std::byte*>(cache.allocate_run(pages_));
}

void IoBuffer::release() noexcept {
    if (block_ == nullptr) return;
    cache_->deallocate_run(block_, pages_);
    block_ = nullptr;
    pages_ = read_ = write_ = 0;
}

void IoBuffer::compact() noexcept {
    if (read_ == 0) return;
    std::memmove(block_, block_ + read_, write_ - read_);
    write_ -= read_;
    read_ = 0;
}

std::size_t IoBuffer::append(std::span<const std::byte> bytes) {
    const std::span<std::byte> room = writable();
    const std::size_t length = std::min(room.size(), bytes.size());
    if (length != 0) std::memcpy(room.data(), bytes.data(), length);
    commit(length);
    return length;
}

IoBlock::IoBlock(PageCache& cache, std::size_t bytes) {
    static_assert(sizeof(Head) <= head_bytes);
    const std::size_t pages = pages_for(bytes + head_bytes);
    head_ = ::new (cache.allocate_run(pages)) Head{&cache, pages, 0, 1};
}

IoBlock::IoBlock(const IoBlock& other) noexcept : head_(other.head_) {
    if (head_ != nullptr) head_->users.fetch_add(1, std::memory_order_relaxed);
}

void IoBlock::release() noexcept {
    Head* head = std::exchange(head_, nullptr);
    if (head == nullptr) return;
    if (head->users.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        head->cache->deallocate_run(head, head->pages);
    }
}

std::size_t IoBlock::capacity() const {
    return head_ == nullptr ? 0 : head_->pages * page_bytes - head_bytes;
}

std::size_t IoBlock::size() const {
    return head_ == nullptr ? 0 : head_->size.load(std::memory_order_acquire);
}

std::span<const std::byte> IoBlock::readable() const {
    if (head_ == nullptr) return {};
    return {reinterpret_cast<const std::byte*>(head_) + head_bytes, size()};
}

std::span<std::byte> IoBlock::writable() {
    if (head_ == nullptr) return {};
    return {reinterpret_cast<std::byte*>(head_) + head_bytes + size(), capacity() - size()};
}

void IoBlock::commit(std::size_t bytes) {
    TERN_ASSERT(bytes <= capacity() - size(), "commit beyond the block: ", bytes);
    if (bytes == 0) return;
    // Release: whoever sees the new size sees the bytes.
    head_->size.store(size() + bytes, std::memory_order_release);
}

std::size_t IoBlock::users() const {
    return head_ == nullptr ? 0 : head_->users.load(std::memory_order_relaxed);
}

}  // namespace tern::alloc
