// Standard containers over pools, heaps, slabs and arenas.

#include "alloc/pmr.h"

#include "locking/death_test.h"
#include "locking/test_levels.h"

#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

using locking::testing::Outer;

TEST_CASE("a container in the pool that it allocates from goes with the pool") {
    locking::Domain<Outer> domain("d");
    locking::Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    auto& memory = pool.make<PoolMemory>();
    auto& numbers = pool.make<std::pmr::vector<int>>(&memory);
    for (int i = 0; i < 1000; ++i)
        numbers.push_back(i);
    pool.block(10);
    CHECK(memory.blocks_lent() == 1);
    pool.clear();
    CHECK(pool.usage().effective == 0);
}

TEST_CASE("a pool is not cleared under a container that lives outside") {
    CHECK(locking::death_of([] {
              locking::Domain<Outer> domain("the domain");
              locking::Guard<Outer> guard = domain.lock_dynamic();
              Pool root(domain, "root");
              Pool& pool = root.child("a");
              PoolMemory memory(pool);
              std::pmr::vector<int> numbers(100, &memory);
              pool.clear();
          })
              .says("pool root/a cleared while containers outside of it use 1 of its blocks",
                    "the domain", "held by thread"));
    CHECK(locking::death_of([] {
              locking::Domain<Outer> domain("the domain");
              locking::Guard<Outer> guard = domain.lock_dynamic();
              Pool pool(domain, "root");
              auto& memory = pool.make<PoolMemory>();
              std::pmr::vector<int> numbers(100, &memory);
              pool.clear();
          }).says("pmr memory of pool root destroyed while containers use 1 blocks"));
}

TEST_CASE("containers may live in pools and arenas") {
    locking::Domain<Outer> domain("d");
    locking::Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    {
        PoolMemory memory(pool);
        std::pmr::vector<int> numbers(&memory);
        for (int i = 0; i < 10000; ++i)
            numbers.push_back(i);
        CHECK(numbers[9999] == 9999);
        CHECK(pool.usage().effective >= 40000);
    }
    CHECK(pool.usage().effective == 0);
    Arena arena;
    ArenaMemory memory(arena);
    std::pmr::string text("a text that is longer than what fits inside", &memory);
    CHECK(arena.contains(text.data()));
}

TEST_CASE("containers that grow and shrink may live in a heap, large blocks and odd ones too") {
    locking::Domain<Outer> domain("d");
    locking::Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    Heap heap(pool, "containers");
    {
        HeapMemory memory(heap);
        std::pmr::vector<int> numbers(&memory);
        for (int i = 0; i < 1000000; ++i)
            numbers.push_back(i);
        std::pmr::map<int, std::pmr::string> texts(&memory);
        for (int i = 0; i < 500; ++i)
            texts[i] = std::string(static_cast<std::size_t>(i), 'x');
        CHECK(texts[499].size() == 499);
        CHECK(numbers[999999] == 999999);
        CHECK(heap.stats().large_pages >= 900);
        void* aligned = memory.allocate(24, 256);
        CHECK(reinterpret_cast<std::uintptr_t>(aligned) % 256 == 0);
        memory.deallocate(aligned, 24, 256);
        heap.verify();
    }
    CHECK(heap.stats().blocks == 0);
    CHECK(heap.stats().large_pages == 0);
    CHECK(heap.stats().pages == 1);
    heap.verify();
}

TEST_CASE("nodes of containers come from a slab, and what is larger from elsewhere") {
    locking::Domain<Outer> domain("d");
    locking::Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    Heap heap(pool, "buckets");
    Slab<NodeSlot<64>> nodes(pool, "nodes");
    {
        HeapMemory larger(heap);
        SlabMemory<64> memory(nodes, larger);
        std::pmr::unordered_map<int, int> squares(&memory);
        for (int i = 0; i < 1000; ++i)
            squares[i] = i * i;
        CHECK(squares[999] == 998001);
        CHECK(nodes.live() >= 1000);
        CHECK(heap.stats().blocks >= 1);
        std::pmr::list<int> numbers({1, 2, 3}, &memory);
        CHECK(nodes.live() >= 1003);
    }
    CHECK(nodes.live() == 0);
    CHECK(heap.stats().blocks == 0);
}

TEST_CASE("neither an adapter nor what it adapts goes before the containers") {
    locking::Domain<Outer> domain("d");
    locking::Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    CHECK(locking::death_of([&] {
              auto& heap = pool.make<Heap>("texts");
              HeapMemory memory(heap);
              std::pmr::vector<int> numbers(100, &memory);
              pool.clear();
          }).says("heap texts in pool root cleared while containers use 1 blocks of it"));
    CHECK(locking::death_of([&] {
              Heap heap(pool, "texts");
              std::optional<HeapMemory> memory(heap);
              std::pmr::vector<int> numbers(100, &*memory);
              memory.reset();
          }).says("pmr memory of heap texts destroyed while containers use 1 blocks of it"));
    CHECK(locking::death_of([&] {
              Slab<NodeSlot<32>> slab(pool, "nodes");
              std::optional<SlabMemory<32>> memory(std::in_place, slab,
                                                   *std::pmr::null_memory_resource());
              std::pmr::list<int> numbers({1}, &*memory);
              memory.reset();
          }).says("pmr memory of slab nodes destroyed while containers use 1 nodes of it"));
}

}  // namespace
}  // namespace tern::alloc
