// Rows A5, A6 and A15: arenas, mass free, reports over trees of pools.

#include "alloc/arena.h"
#include "alloc/memory_report.h"
#include "stress/bench/alloc_bench.h"

#include <memory>
#include <memory_resource>
#include <optional>

#ifdef TERN_BENCH_APR
#include <apr_pools.h>
#endif
#ifdef TERN_BENCH_TALLOC
#include <talloc.h>
#endif

namespace tern::bench {
namespace {

constexpr std::size_t bumps = 10'000;
constexpr std::size_t bump_rounds = 100;

/// Bytes for a task of so many objects, thrown away at its end.
template <class Take, class Reset>
Sample bump(Take&& take, Reset&& reset) {
    const double start = thread_ns();
    for (std::size_t round = 0; round < bump_rounds; ++round) {
        for (std::size_t i = 0; i < bumps; ++i) {
            void* bytes = take();
            keep(bytes);
        }
        reset();
    }
    return (thread_ns() - start) / (bumps * bump_rounds);
}

Sample arena_bump() {
    SlabSide side;
    alloc::PoolArena arena(side.pool, "texts");
    return bump([&] { return arena.arena().allocate(64); }, [&] { arena.arena().reset(); });
}

Sample monotonic_bump() {
    std::optional<std::pmr::monotonic_buffer_resource> resource;
    resource.emplace();
    return bump([&] { return resource->allocate(64); },
                [&] {
                    resource.reset();
                    resource.emplace();
                });
}

#ifdef TERN_BENCH_APR
struct Apr {
    Apr() { apr_pool_initialize(); }

    ~Apr() { apr_pool_terminate(); }
};

Sample apr_bump() {
    const Apr apr;
    apr_pool_t* pool = nullptr;
    apr_pool_create(&pool, nullptr);
    return bump([&] { return apr_palloc(pool, 64); }, [&] { apr_pool_clear(pool); });
}
#endif

constexpr std::size_t pools_count = 1000;
constexpr std::size_t pool_objects = 1000;

/// CPU milliseconds to free all.
template <class Free>
Sample mass_free(Free&& free_all) {
    const double start = thread_ns();
    free_all();
    return (thread_ns() - start) / 1e6;
}

Sample arenas_mass_free() {
    SlabSide side;
    alloc::Pool& parent = side.pool.child("parent");
    for (std::size_t i = 0; i < pools_count; ++i) {
        auto& arena = parent.child("session").make<alloc::PoolArena>("texts").arena();
        for (std::size_t n = 0; n < pool_objects; ++n)
            *static_cast<std::size_t*>(arena.allocate(64)) = n;
    }
    return mass_free([&] { parent.clear(); });
}

Sample slabs_mass_free() {
    SlabSide side;
    alloc::Pool& parent = side.pool.child("parent");
    for (std::size_t i = 0; i < pools_count; ++i) {
        auto& slab = parent.child("session").make<alloc::Slab<Object>>("objects");
        for (std::size_t n = 0; n < pool_objects; ++n)
            slab.make().words[0] = n;
    }
    return mass_free([&] { parent.clear(); });
}

Sample monotonic_mass_free() {
    std::vector<std::unique_ptr<std::pmr::monotonic_buffer_resource>> pools;
    for (std::size_t i = 0; i < pools_count; ++i) {
        pools.push_back(std::make_unique<std::pmr::monotonic_buffer_resource>());
        for (std::size_t n = 0; n < pool_objects; ++n)
            *static_cast<std::size_t*>(pools.back()->allocate(64)) = n;
    }
    return mass_free([&] { pools.clear(); });
}

#ifdef TERN_BENCH_APR
Sample apr_mass_free() {
    const Apr apr;
    apr_pool_t* parent = nullptr;
    apr_pool_create(&parent, nullptr);
    for (std::size_t i = 0; i < pools_count; ++i) {
        apr_pool_t* pool = nullptr;
        apr_pool_create(&pool, parent);
        for (std::size_t n = 0; n < pool_objects; ++n)
            *static_cast<std::size_t*>(apr_palloc(pool, 64)) = n;
    }
    return mass_free([&] { apr_pool_clear(parent); });
}
#endif

#ifdef TERN_BENCH_TALLOC
Sample talloc_mass_free() {
    void* parent = talloc_new(nullptr);
    for (std::size_t i = 0; i < pools_count; ++i) {
        void* context = talloc_new(parent);
        for (std::size_t n = 0; n < pool_objects; ++n)
            *static_cast<std::size_t*>(talloc_size(context, 64)) = n;
    }
    return mass_free([&] { talloc_free(parent); });
}
#endif

/// Adds up and forgets.
struct Total final : alloc::MemoryVisitor {
    void enter_pool(std::string_view, std::string_view) override {}

    void resource(std::string_view, std::string_view, const alloc::MemoryUsage& usage) override {
        bytes += usage.effective;
    }

    void leave_pool(std::string_view, const alloc::MemoryUsage&) override {}

    std::size_t bytes = 0;
};

struct Small {
    std::uint64_t words[4];
};

constexpr std::size_t report_pools = 100'000;

Sample pools_report() {
    SlabSide side;
    alloc::Pool& parent = side.pool.child("parent");
    for (std::size_t i = 0; i < report_pools; ++i) {
        auto& slab = parent.child("session").make<alloc::Slab<Small>>("objects");
        for (int n = 0; n < 100; ++n)
            slab.make();
    }
    Total total;
    const double start = thread_ns();
    parent.report(total);
    const double ns = thread_ns() - start;
    keep(total.bytes);
    return ns / 1e6;
}

#ifdef TERN_BENCH_TALLOC
Sample talloc_report() {
    void* parent = talloc_new(nullptr);
    for (std::size_t i = 0; i < report_pools; ++i) {
        void* context = talloc_new(parent);
        for (int n = 0; n < 100; ++n)
            (void)talloc_size(context, 32);
    }
    const double start = thread_ns();
    std::size_t bytes = talloc_total_size(parent);
    const double ns = thread_ns() - start;
    keep(bytes);
    talloc_free(parent);
    return ns / 1e6;
}
#endif

void name_absent(Row& row) {
#ifndef TERN_BENCH_APR
    row.leave_out("APR", "built without libapr1-dev");
#endif
#ifndef TERN_BENCH_TALLOC
    row.leave_out("talloc", "built without libtalloc-dev");
#endif
    (void)row;
}

}  // namespace

void add_pool_rows(Suite& suite) {
    Row& bumping = suite.add({.id = "A5",
                              .group = "pools",
                              .text = "64 bytes from an arena, thrown away every 10,000",
                              .unit = "ns",
                              .target = {.value = 1.5, .ratio = 0.2, .peer = "APR"}});
    bumping.add("tern arena", arena_bump).add("pmr monotonic", monotonic_bump);
#ifdef TERN_BENCH_APR
    bumping.add("APR", apr_bump);
#endif
    name_absent(bumping);

    Row& freeing = suite.add({.id = "A6",
                              .group = "pools",
                              .text = "1,000 pools with 1,000 objects each freed at once",
                              .unit = "ms",
                              .target = {.value = 0.06, .ratio = 0.2, .peer = "APR"}});
    freeing.add("tern arenas", arenas_mass_free).add("tern slabs", slabs_mass_free);
    freeing.add("pmr monotonic", monotonic_mass_free);
#ifdef TERN_BENCH_APR
    freeing.add("APR", apr_mass_free);
#endif
#ifdef TERN_BENCH_TALLOC
    freeing.add("talloc", talloc_mass_free);
#endif
    name_absent(freeing);

    Row& report = suite.add({.id = "A15",
                             .group = "reports",
                             .text = "memory report over 100,000 pools and 10,000,000 objects",
                             .unit = "ms",
                             .target = {.value = 5},
                             .rounds = 5,
                             .own_process = true});
    report.add("tern", pools_report);
#ifdef TERN_BENCH_TALLOC
    report.add("talloc", talloc_report);
#endif
    name_absent(report);
}

}  // namespace tern::bench
