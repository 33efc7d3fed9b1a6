#pragma once

/// Standard containers over pools and arenas: adapters to std::pmr::memory_resource.
/// An adapter borrows its pool or arena, which must outlive it and all containers on it. The domain
/// of a pool is checked on each allocation as always. For short-lived or small state; routes live
/// in slabs. Never throws: no memory means an abort below.

#include "alloc/arena.h"
#include "alloc/pool.h"

#include <memory_resource>

namespace tern::alloc {

/// Blocks of a pool; alignment at most a page. Domain of the pool held.
class PoolMemory final : public std::pmr::memory_resource {
  public:
    explicit PoolMemory(Pool& pool) : pool_(pool) {}

  private:
    void* do_allocate(std::size_t bytes, std::size_t alignment) override {
        return pool_.block_aligned(bytes, alignment);
    }

    void do_deallocate(void* block, std::size_t, std::size_t) override { pool_.release(block); }

    bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
        return this == &other;
    }

    Pool& pool_;
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
