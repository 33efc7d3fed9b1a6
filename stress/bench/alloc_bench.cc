// Rows A1 to A17: slabs, arenas, pools and pages against mallocs and pool libraries.

#include "alloc/pool.h"
#include "alloc/slab.h"
#include "stress/bench/measure.h"
#include "stress/bench/suite.h"

#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory_resource>

#ifdef TERN_BENCH_TALLOC
#include <talloc.h>
#endif

namespace tern::bench {
namespace {

struct Level {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "bench";
};

struct Object {
    std::array<std::uint64_t, 8> words;
};

static_assert(sizeof(Object) == 64);

/// 64 objects in flight: each step gives the oldest back and takes a new one.
template <class Take, class Give>
Sample hot_pairs(Take&& take, Give&& give) {
    constexpr std::uint64_t steps = 2'000'000;
    std::array<Object*, 64> flight;
    for (Object*& object : flight)
        object = take();
    std::size_t at = 0;
    const Sample sample = ns_per_operation(steps, [&] {
        Object*& object = flight[at];
        at = (at + 1) % flight.size();
        give(object);
        object = take();
        keep(object->words[0]);
    });
    for (Object* object : flight)
        give(object);
    return sample;
}

Sample slab_hot_pairs() {
    locking::Domain<Level> domain;
    locking::ThreadEntry entry;
    const locking::Guard<Level> guard = domain.lock(entry);
    alloc::Pool pool(domain, "bench");
    alloc::Slab<Object> slab(pool, "objects");
    return hot_pairs([&] { return &slab.make(); }, [&](Object* object) { slab.destroy(*object); });
}

Sample malloc_hot_pairs() {
    return hot_pairs([] { return static_cast<Object*>(std::malloc(sizeof(Object))); },
                     [](Object* object) { std::free(object); });
}

Sample pmr_hot_pairs() {
    std::pmr::unsynchronized_pool_resource resource;
    return hot_pairs(
        [&] { return static_cast<Object*>(resource.allocate(sizeof(Object), alignof(Object))); },
        [&](Object* object) { resource.deallocate(object, sizeof(Object), alignof(Object)); });
}

#ifdef TERN_BENCH_TALLOC
Sample talloc_hot_pairs() {
    void* context = talloc_new(nullptr);
    const Sample sample =
        hot_pairs([&] { return static_cast<Object*>(talloc_size(context, sizeof(Object))); },
                  [](Object* object) { talloc_free(object); });
    talloc_free(context);
    return sample;
}
#endif

void add_object_rows(Suite& suite) {
    Row& hot = suite.add({.id = "A1",
                          .group = "objects",
                          .text = "64-byte object freed and taken, 64 in flight, domain checked",
                          .unit = "ns",
                          .target = {.value = 3.2, .ratio = 0.53, .peer = "tcmalloc"}});
    hot.add("tern slab", slab_hot_pairs).add_mallocs(malloc_hot_pairs);
    hot.add("pmr pool", pmr_hot_pairs);
#ifdef TERN_BENCH_TALLOC
    hot.add("talloc", talloc_hot_pairs);
#else
    hot.leave_out("talloc", "built without libtalloc-dev");
#endif
}

}  // namespace
}  // namespace tern::bench

int main(int argc, char** argv) {
    tern::bench::Suite suite("alloc");
    tern::bench::add_object_rows(suite);
    return suite.main(argc, argv);
}
