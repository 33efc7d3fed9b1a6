#pragma once

/// Standard containers over pools and arenas: adapters to std::pmr::memory_resource.
/// An adapter borrows its pool or arena. The one of a pool is a resource of it, embedded or made in
/// the pool: the domain is checked on each allocation as always, and it counts what containers have
/// from it, so that neither the adapter nor the blocks can go before the containers. For
/// short-lived or small state; routes live in slabs. Never throws: no memory means an abort below.

#include "alloc/arena.h"
#include "alloc/pool.h"

#include <memory_resource>

namespace tern::alloc {

/// Blocks of a pool; alignment at most a page. Domain of the pool held.
class PoolMemory final : public Resource, public std::pmr::memory_resource {
  public:
    explicit PoolMemory(Pool& pool, locking::Here where = locking::Here::now())
        : Resource(&pool, where), pool_(pool) {}

    ~PoolMemory() override {
        TERN_ASSERT(lent_ == 0, "pmr memory of pool ", pool_.path(),
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
        void* block = pool_.block_aligned(bytes, alignment);
        ++lent_;
        return block;
    }

    void do_deallocate(void* block, std::size_t, std::size_t) override {
        pool_.release(block);
        --lent_;
    }

    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    Pool& pool_;
    std::size_t lent_ = 0;  ///< blocks that containers use
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
