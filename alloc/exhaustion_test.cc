// What is said when there is no memory left: by each of those who abort then, with the path of its
// pool, the figures of the cache, and whatever the program adds.

#include "alloc/heap.h"
#include "alloc/pool_fixture_test.h"
#include "alloc/slab.h"
#include "alloc/slab_indexed.h"
#include "alloc/slab_shared.h"
#include "locking/death_test.h"

#include <array>
#include <limits>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

using Thing = std::array<std::byte, 48>;

/// The last words of an action for which there is no page, in pool root/tables.
template <class F>
locking::Death starved(F&& action) {
    return locking::death_of([&] {
        PoolFixture fixture;
        Pool& pool = fixture.pool.child("tables");
        ReclaimHook hook{"a hook", [](void*) noexcept { return false; }, nullptr};
        fixture.cache.add_reclaim(hook);
        fixture.cache.on_exhaustion(
            [](void*, locking::TextBuffer& report) noexcept { report.add({"\nthe program's"}); },
            nullptr);
        fixture.source.fail_from(1);
        action(pool);
    });
}

/// What all of them say, besides who they are.
bool says_all(const locking::Death& death, const char* who) {
    return death.says(who, "; the kernel refused. Of 0 pages mapped",
                      "hooks that had nothing to free: a hook\nthe program's\n",
                      "/pool_fixture_test.h:");
}

TEST_CASE("a slab without memory says what it is, in which pool, and what the cache knows") {
    const locking::Death slab =
        starved([](Pool& pool) { pool.make<Slab<Thing>>("routes").make(); });
    INFO(slab.report);
    CHECK(says_all(slab,
                   "out of memory: no memory for 48 bytes in slab routes in pool root/tables;"
                   " domain d: held by thread"));
    const locking::Death owned =
        starved([](Pool& pool) { (void)pool.make<Slab<Thing>>("routes").make_owned(); });
    CHECK(says_all(owned, "no memory for 48 bytes in slab routes in pool root/tables; domain d"));
}

TEST_CASE("an indexed slab tells want of memory from want of ids") {
    const locking::Death memory =
        starved([](Pool& pool) { pool.make<IndexedSlab<Thing>>("ids").make(); });
    INFO(memory.report);
    CHECK(says_all(memory,
                   "out of memory: no memory for 48 bytes in indexed slab ids in pool "
                   "root/tables; domain d: held by thread"));
    CHECK(starved([](Pool& pool) {
              auto& ids = pool.make<IndexedSlab<Thing>>("ids");
              ids.test_skip_pages(std::numeric_limits<std::uint32_t>::max() / ids.layout.count);
              ids.make();
          })
              .says("out of ids: 0 objects live in indexed slab ids in pool root/tables; domain d: "
                    "held by thread"));
}

TEST_CASE("a shared slab without memory says which pool lists it, if one does") {
    const locking::Death listed =
        starved([](Pool& pool) { pool.make<PoolSharedSlab<Thing>>("paths").slab().make(); });
    INFO(listed.report);
    CHECK(says_all(listed,
                   "out of memory: no memory for 48 bytes in shared slab paths in pool "
                   "root/tables; the kernel refused"));
    CHECK(says_all(starved([](Pool& pool) {
                       SharedSlab<Thing> alone(pool.cache(), "alone");
                       alone.make();
                   }),
                   "no memory for 48 bytes in shared slab alone; the kernel refused"));
}

TEST_CASE("a pool and a heap without memory say the path and the place of the call") {
    const locking::Death block = starved([](Pool& pool) { pool.block(100'000); });
    INFO(block.report);
    CHECK(says_all(block, "bytes in pool root/tables; domain d: held by thread"));
    CHECK(block.says("exhaustion_test.cc:"));
    const locking::Death heap = starved([](Pool& pool) { pool.make<Heap>("texts").allocate(100); });
    CHECK(says_all(heap, "memory for 100 bytes in heap texts in pool root/tables; domain d"));
    CHECK(heap.says("exhaustion_test.cc:"));
}

TEST_CASE("the last words name the limit if that refused") {
    CHECK(locking::death_of([] {
              TestSource source;
              PageCache cache(source, PageCacheConfig{.mapped_pages_max = region_pages});
              SharedSlab<Thing> alone(cache, "alone");
              for (;;)
                  alone.make();
          }).says("in shared slab alone; the limit refused. Of 512 pages mapped (limit 512,"));
}

}  // namespace
}  // namespace tern::alloc
