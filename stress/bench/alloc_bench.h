#pragma once

/// What the rows of alloc share: the object of 64 bytes that everybody makes and frees, the domain
/// that tern's side holds meanwhile, and the lists of rows. Owned by the bench program; one thread.
/// Nothing here measures.

#include "alloc/page_cache.h"
#include "alloc/page_source_mmap.h"
#include "alloc/pool.h"
#include "alloc/slab.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

namespace tern::bench {

struct Level {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "bench";
};

struct Object {
    // Leaves the words as they are, since malloc does so too.
    Object() {}

    std::array<std::uint64_t, 8> words;
};

static_assert(sizeof(Object) == 64);

/// A pool with a slab in it, its domain held. Inlined by force: what the compiler makes of a
/// wrapper that nobody but the rows calls is not what is measured.
struct SlabSide {
    locking::Domain<Level> domain;
    locking::Guard<Level> guard = domain.lock_dynamic();
    alloc::Pool pool{domain, "bench"};
    alloc::Slab<Object> slab{pool, "objects"};

    [[gnu::always_inline]] Object* take() { return &slab.make(); }

    [[gnu::always_inline]] void give(Object* object) { slab.destroy(*object); }
};

struct MallocSide {
    Object* take() { return static_cast<Object*>(std::malloc(sizeof(Object))); }

    void give(Object* object) { std::free(object); }
};

/// 0 to count - 1 in an order that is the same each time.
inline std::vector<std::uint32_t> shuffled(std::size_t count) {
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0u);
    std::shuffle(order.begin(), order.end(), std::mt19937(42));
    return order;
}

void add_object_rows(Suite& suite);
void add_pool_rows(Suite& suite);
void add_page_rows(Suite& suite);
void add_memory_rows(Suite& suite);

}  // namespace tern::bench
