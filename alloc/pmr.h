#pragma once

/// Standard containers over pools, heaps, slabs and arenas: adapters to std::pmr::memory_resource.
/// An adapter borrows what it adapts, which must outlive it. That of a pool is a resource of it,
/// embedded or made in the pool. The domain is checked on each allocation as always, and what
/// containers have is counted, so that the adapter cannot go before the containers, nor can the
/// blocks of a pool or heap; arenas alone neither check nor count. Which one: a heap for containers
/// that grow and shrink, a slab for those of nodes, a pool for a few blocks that reports should
/// list one by one, an arena for what dies together. Never throws: no memory means an abort below.

#include "alloc/arena.h"
#include "alloc/heap.h"
#include "alloc/pool.h"
#include "alloc/slab.h"

#include <memory_resource>

namespace tern::alloc {

/// Blocks of a pool; alignment at most a page. Domain of the pool held.
class PoolMemory final : public Resource, public std::pmr::memory_resource {
  public:
    explicit PoolMemory(Pool& pool, locking::Here where = locking::Here::now())
        : Resource(&pool, where) {}

    ~PoolMemory() override {
        TERN_ASSERT(lent_ == 0, "pmr memory of pool ", parent()->path(),
                    " destroyed while containers use ", lent_, " blocks of it");
    }

    std::string_view kind() const override { return "pmr memory"; }

    MemoryUsage memory() const override { return {0, sizeof(*this)}; }

    bool contains(const void* address) const override {
        const auto* at = static_cast<const std::byte*>(address);
        const auto* start = reinterpret_cast<const std::byte*>(this);
        return at >= start && at < start + sizeof(*this);
    }

    std::size_t blocks_lent() const override { return lent_; }

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        void* block = parent()->block_aligned(bytes, alignment);
        ++lent_;
        return block;
    }

    void do_deallocate(void* block, std::size_t, std::size_t) override {
        parent()->release(block);
        --lent_;
    }

    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    std::size_t lent_ = 0;  ///< blocks that containers use
};

/// Blocks of a heap; alignment at most a page. Domain of its pool held.
class HeapMemory final : public std::pmr::memory_resource {
  public:
    explicit HeapMemory(Heap& heap) : heap_(heap) {}

    ~HeapMemory() override {
        TERN_ASSERT(lent_ == 0, "pmr memory of heap ", heap_.name(),
                    " destroyed while containers use ", lent_, " blocks of it");
    }

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        void* block = heap_.allocate_aligned(bytes, alignment);
        ++lent_;
        ++heap_.lent_;
        return block;
    }

    void do_deallocate(void* block, std::size_t bytes, std::size_t) override {
        heap_.deallocate(block, bytes);
        --lent_;
        --heap_.lent_;
    }

    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    Heap& heap_;
    std::size_t lent_ = 0;  ///< blocks that containers use
};

/// The slot of a slab for nodes of up to so many bytes.
template <std::size_t bytes>
struct alignas(std::max_align_t) NodeSlot {
    // Leaves them as they are; the container makes its node there.
    NodeSlot() {}

    std::byte content[bytes];
};

/// Nodes of lists, sets and maps from a slab. What does not fit into a slot, such as the buckets of
/// a hash table, comes from another resource. Domain of the slab's pool held.
template <std::size_t bytes>
class SlabMemory final : public std::pmr::memory_resource {
  public:
    SlabMemory(Slab<NodeSlot<bytes>>& slab, std::pmr::memory_resource& larger)
        : slab_(slab), larger_(larger) {}

    ~SlabMemory() override {
        TERN_ASSERT(lent_ == 0, "pmr memory of slab ", slab_.name(),
                    " destroyed while containers use ", lent_, " nodes of it");
    }

  private:
    static bool fits(std::size_t size, std::size_t alignment) {
        return size <= bytes && alignment <= alignof(NodeSlot<bytes>);
    }

    void* do_allocate(std::size_t size, std::size_t alignment) override {
        if (!fits(size, alignment)) return larger_.allocate(size, alignment);
        ++lent_;
        return &slab_.make();
    }

    void do_deallocate(void* node, std::size_t size, std::size_t alignment) override {
        if (!fits(size, alignment)) return larger_.deallocate(node, size, alignment);
        slab_.destroy(*static_cast<NodeSlot<bytes>*>(node));
        --lent_;
    }

    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    Slab<NodeSlot<bytes>>& slab_;
    std::pmr::memory_resource& larger_;
    std::size_t lent_ = 0;  ///< nodes that containers use
};

/// Bytes of an arena; giving back does nothing until the arena is rewound.
class ArenaMemory final : public std::pmr::memory_resource {
  public:
    explicit ArenaMemory(Arena& arena) : arena_(arena) {}

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        return arena_.allocate(bytes, alignment);
    }

    void do_deallocate(void*, std::size_t, std::size_t) override {}

    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    Arena& arena_;
};

}  // namespace tern::alloc
