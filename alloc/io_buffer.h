#pragma once

/// Blocks for sockets, lent by the page cache, so that an idle socket holds no buffer.
/// IoBuffer is one block with a read and a write end, owned by one session; IoBlock is a block that
/// several senders share (one encoded stream for many peers), counted, read-only once shared.
/// Both belong to whoever holds them and go back to the cache from any thread. They never grow and
/// never do input or output themselves.

#include "alloc/page_cache.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace tern::alloc {

/// One block: bytes [read end, write end) are filled, the rest up to the capacity is free. Movable,
/// owned by one session, in no domain: its owner sees to it that one thread uses it at a time.
class IoBuffer {
  public:
    /// Empty, without a block.
    IoBuffer() = default;
    /// At least `bytes` of room, rounded up to whole pages. Aborts if there is no memory.
    IoBuffer(PageCache& cache, std::size_t bytes);

    ~IoBuffer() { release(); }

    IoBuffer(IoBuffer&& other) noexcept { swap(other); }

    IoBuffer& operator=(IoBuffer&& other) noexcept {
        if (this != &other) {
            release();
            swap(other);
        }
        return *this;
    }

    /// Gives the block back; the buffer is empty then.
    void release() noexcept;

    explicit operator bool() const { return block_ != nullptr; }

    std::size_t capacity() const { return pages_ * page_bytes; }

    bool empty() const { return read_ == write_; }

    std::span<const std::byte> readable() const { return {block_ + read_, write_ - read_}; }

    std::span<std::byte> readable() { return {block_ + read_, write_ - read_}; }

    std::span<std::byte> writable() { return {block_ + write_, capacity() - write_}; }

    /// `bytes` were written into writable().
    void commit(std::size_t bytes) {
        TERN_ASSERT(bytes <= capacity() - write_, "commit beyond the buffer: ", bytes);
        write_ += bytes;
    }

    /// `bytes` of readable() are done with. An emptied buffer starts at its begin again.
    void consume(std::size_t bytes) {
        TERN_ASSERT(bytes <= write_ - read_, "consume beyond the contents: ", bytes);
        read_ += bytes;
        if (read_ == write_) read_ = write_ = 0;
    }

    void clear() { read_ = write_ = 0; }

    /// Moves the contents to the begin, so that writable() is as large as can be.
    void compact() noexcept;

    /// Copies what fits; returns how much that was.
    std::size_t append(std::span<const std::byte> bytes);

  private:
    void swap(IoBuffer& other) noexcept {
        std::swap(cache_, other.cache_);
        std::swap(block_, other.block_);
        std::swap(pages_, other.pages_);
        std::swap(read_, other.read_);
        std::swap(write_, other.write_);
    }

    PageCache* cache_ = nullptr;
    std::byte* block_ = nullptr;
    std::size_t pages_ = 0;
    std::size_t read_ = 0;
    std::size_t write_ = 0;
};

/// Counted handle of a shared block. One writer fills it through writable() and commit(); readers
/// that got their handle later see all that was committed before. Copies may live in any thread;
/// the last one gives the block back to the cache, which outlives it. Committing more than there is
/// room for aborts.
class IoBlock {
  public:
    IoBlock() = default;
    /// At least `bytes` of room, rounded up to whole pages. Aborts if there is no memory.
    IoBlock(PageCache& cache, std::size_t bytes);

    ~IoBlock() { release(); }

    IoBlock(const IoBlock& other) noexcept;

    IoBlock(IoBlock&& other) noexcept : head_(std::exchange(other.head_, nullptr)) {}

    IoBlock& operator=(IoBlock other) noexcept {
        std::swap(head_, other.head_);
        return *this;
    }

    void release() noexcept;

    explicit operator bool() const { return head_ != nullptr; }

    bool operator==(const IoBlock& other) const { return head_ == other.head_; }

    /// Bytes that it can take in all.
    std::size_t capacity() const;
    /// Bytes committed so far.
    std::size_t size() const;
    std::span<const std::byte> readable() const;
    std::span<std::byte> writable();
    void commit(std::size_t bytes);
    /// Handles alive; of interest to tests and reports.
    std::size_t users() const;

  private:
    /// At the start of the block; the bytes follow.
    struct Head {
        PageCache* cache;
        std::size_t pages;
        std::atomic<std::size_t> size;
        std::atomic<std::uint32_t> users;
    };

    static constexpr std::size_t head_bytes = 32;

    Head* head_ = nullptr;
};

}  // namespace tern::alloc
