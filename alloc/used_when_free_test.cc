// Planted errors for Valgrind's memcheck, which runs each of these (stress/alloc) and must find it:
// then the hooks that tell it what is free work.

#include "alloc/arena.h"
#include "alloc/heap.h"
#include "alloc/pool_fixture_test.h"
#include "alloc/slab.h"
#include "alloc/slab_shared.h"

#include <cstdint>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

[[gnu::noinline]] void use(const void* free) {
    (void)*static_cast<const volatile std::uint64_t*>(free);
}

TEST_CASE("an object of a slab is used when it is free", "[.used_when_free_slab]") {
    PoolFixture fixture;
    Slab<std::uint64_t> slab(fixture.pool, "numbers");
    slab.make(1u);
    std::uint64_t& number = slab.make(2u);
    slab.destroy(number);
    use(&number);
}

TEST_CASE("an object of a shared slab is used when it is free", "[.used_when_free_shared_slab]") {
    PoolFixture fixture;
    SharedSlab<std::uint64_t> slab(fixture.cache, "numbers");
    std::uint64_t& number = slab.make(1u);
    slab.destroy(number);
    use(&number);
}

TEST_CASE("a block of a heap is used when it is free", "[.used_when_free_heap]") {
    PoolFixture fixture;
    Heap heap(fixture.pool, "texts");
    heap.allocate(100);
    void* block = heap.allocate(100);
    heap.deallocate(block, 100);
    use(block);
}

TEST_CASE("memory of an arena is used when it is free", "[.used_when_free_arena]") {
    PoolFixture fixture;
    Arena arena(fixture.cache);
    void* memory = nullptr;
    {
        const Arena::Scope scope(arena);
        memory = arena.allocate(100);
    }
    use(memory);
}

TEST_CASE("a page is used when it is free", "[.used_when_free_page]") {
    PoolFixture fixture;
    void* page = fixture.cache.allocate();
    fixture.cache.deallocate(page);
    use(page);
}

}  // namespace
}  // namespace tern::alloc
