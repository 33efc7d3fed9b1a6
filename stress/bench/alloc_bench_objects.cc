// Rows A1 to A4, A13 and A16: single objects of 64 bytes.

#include "alloc/slab_shared.h"
#include "stress/bench/alloc_bench.h"

#include <barrier>
#include <memory_resource>
#include <thread>

#ifdef TERN_BENCH_TALLOC
#include <talloc.h>
#endif

namespace tern::bench {
namespace {

struct PmrSide {
    std::pmr::unsynchronized_pool_resource resource;

    Object* take() {
        return static_cast<Object*>(resource.allocate(sizeof(Object), alignof(Object)));
    }

    void give(Object* object) { resource.deallocate(object, sizeof(Object), alignof(Object)); }
};

#ifdef TERN_BENCH_TALLOC
struct TallocSide {
    void* context = talloc_new(nullptr);

    ~TallocSide() { talloc_free(context); }

    Object* take() { return static_cast<Object*>(talloc_size(context, sizeof(Object))); }

    void give(Object* object) { talloc_free(object); }
};
#endif

/// 64 objects in flight: each step gives the oldest back and takes a new one.
template <class Side>
Sample hot_pairs() {
    constexpr std::uint64_t steps = 2'000'000;
    Side side;
    std::array<Object*, 64> flight;
    for (Object*& object : flight)
        object = side.take();
    std::size_t at = 0;
    const Sample sample = ns_per_operation(steps, [&] {
        Object*& object = flight[at];
        at = (at + 1) % flight.size();
        side.give(object);
        object = side.take();
        keep(object->words[0]);
    });
    for (Object* object : flight)
        side.give(object);
    return sample;
}

/// Takes so many, frees them in random order; the freeing counts.
template <class Side, std::size_t count>
Sample random_free() {
    constexpr std::size_t rounds = 1'000'000 / count;
    const std::vector<std::uint32_t> order = shuffled(count);
    std::vector<Object*> objects(count);
    Side side;
    double ns = 0;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (Object*& object : objects) {
            object = side.take();
            object->words[0] = round;
        }
        std::vector<Object*> mixed(count);
        for (std::size_t i = 0; i < count; ++i)
            mixed[i] = objects[order[i]];
        const double start = thread_ns();
        for (Object* object : mixed)
            side.give(object);
        ns += thread_ns() - start;
    }
    return ns / static_cast<double>(rounds * count);
}

/// A million objects; each step frees one at random and takes another.
template <class Side>
Sample random_replace() {
    constexpr std::size_t count = 1'000'000;
    const std::vector<std::uint32_t> order = shuffled(count);
    std::vector<Object*> objects(count);
    Side side;
    for (Object*& object : objects) {
        object = side.take();
        object->words[0] = 1;
    }
    std::size_t at = 0;
    const Sample sample = ns_per_operation(count, [&] {
        Object*& object = objects[order[at++]];
        side.give(object);
        object = side.take();
        object->words[0] = at;
    });
    for (Object* object : objects)
        side.give(object);
    return sample;
}

/// One thread makes, another frees, in batches of a thousand; CPU of both for one object.
template <class Take, class Give>
Sample from_another_thread(Take&& take, Give&& give) {
    constexpr std::size_t batch = 1000;
    constexpr std::size_t batches = 500;
    std::array<std::vector<Object*>, 2> handed{std::vector<Object*>(batch),
                                               std::vector<Object*>(batch)};
    std::barrier<> exchange(2);
    double freeing = 0;
    std::thread other([&] {
        for (std::size_t i = 0; i < batches; ++i) {
            exchange.arrive_and_wait();
            const double start = thread_ns();
            for (Object* object : handed[i % 2])
                give(object);
            freeing += thread_ns() - start;
        }
        exchange.arrive_and_wait();
    });
    double making = 0;
    for (std::size_t i = 0; i < batches; ++i) {
        const double start = thread_ns();
        for (Object*& object : handed[i % 2]) {
            object = take();
            object->words[0] = i;
        }
        making += thread_ns() - start;
        exchange.arrive_and_wait();
    }
    exchange.arrive_and_wait();
    other.join();
    return (making + freeing) / static_cast<double>(batch * batches);
}

Sample shared_slab_from_another_thread() {
    alloc::SharedSlab<Object> slab(alloc::PageCache::process(), "objects");
    return from_another_thread([&] { return &slab.make(); },
                               [&](Object* object) { slab.destroy(*object); });
}

Sample malloc_from_another_thread() {
    MallocSide side;
    return from_another_thread([&] { return side.take(); },
                               [&](Object* object) { side.give(object); });
}

/// What each operation of a slab pays to be checked and counted, alone.
Sample check_and_count() {
    SlabSide side;
    std::size_t live = 0;
    std::size_t peak = 0;
    return ns_per_operation(20'000'000, [&] {
        side.pool.check(locking::Here::now());
        if (++live > peak) peak = live;
        keep(live);
    });
}

/// The same loop without.
Sample count_nothing() {
    std::size_t live = 0;
    return ns_per_operation(20'000'000, [&] { keep(live); });
}

}  // namespace

void add_object_rows(Suite& suite) {
    Row& hot = suite.add({.id = "A1",
                          .group = "objects",
                          .text = "64-byte object freed and taken, 64 in flight, domain checked",
                          .unit = "ns",
                          .target = {.value = 3.2, .ratio = 0.5, .peer = "mimalloc"}});
    hot.add("tern slab", hot_pairs<SlabSide>).add_mallocs(hot_pairs<MallocSide>);
    hot.add("pmr pool", hot_pairs<PmrSide>);
#ifdef TERN_BENCH_TALLOC
    hot.add("talloc", hot_pairs<TallocSide>);
#else
    hot.leave_out("talloc", "built without libtalloc-dev");
#endif
    suite
        .add({.id = "A2",
              .group = "objects",
              .text = "one of 20,000 objects freed in random order",
              .unit = "ns",
              .target = {.value = 3.0, .ratio = 0.77, .peer = "mimalloc"}})
        .add("tern slab", random_free<SlabSide, 20'000>)
        .add_mallocs(random_free<MallocSide, 20'000>)
        .add("pmr pool", random_free<PmrSide, 20'000>);
    suite
        .add({.id = "A3",
              .group = "objects",
              .text = "one of 1,000,000 objects freed in random order",
              .unit = "ns",
              .target = {.value = 15, .ratio = 0.56, .peer = "mimalloc"},
              .rounds = 8})
        .add("tern slab", random_free<SlabSide, 1'000'000>)
        .add_mallocs(random_free<MallocSide, 1'000'000>);
    suite
        .add({.id = "A4",
              .group = "objects",
              .text = "one of 1,000,000 objects replaced at random",
              .unit = "ns",
              .target = {.value = 45, .ratio = 0.9, .peer = "jemalloc"},
              .rounds = 8})
        .add("tern slab", random_replace<SlabSide>)
        .add_mallocs(random_replace<MallocSide>);
    suite
        .add({.id = "A13",
              .group = "objects",
              .text = "object made here and freed in another thread, in batches",
              .unit = "ns",
              .target = {.value = 8, .ratio = 0.5, .peer = "mimalloc"}})
        .add("tern shared slab", shared_slab_from_another_thread)
        .add_mallocs(malloc_from_another_thread);
    suite
        .add({.id = "A16",
              .group = "objects",
              .text = "checking the domain and counting, for each operation, alone",
              .unit = "ns",
              .target = {.value = 0.6}})
        .add("tern check and count", check_and_count)
        .add("empty loop", count_nothing);
}

}  // namespace tern::bench
