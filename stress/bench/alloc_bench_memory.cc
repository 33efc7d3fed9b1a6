// Rows A9 to A12 and A14: what stays resident, and what giving it back costs.

#include "alloc/heap.h"
#include "stress/bench/alloc_bench.h"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace tern::bench {
namespace {

using std::chrono::milliseconds;

constexpr double mib = 1024.0 * 1024.0;
constexpr std::size_t burst_objects = 256 * 1024 * 1024 / sizeof(Object);

/// What a loop does for the page cache: sleeps until it is kicked, then runs maintenance.
class Keeper {
  public:
    explicit Keeper(alloc::PageCache& cache) : cache_(cache), thread_([this] { run(); }) {
        cache_.on_maintenance_due([](void* self) noexcept { static_cast<Keeper*>(self)->kick(); },
                                  this);
    }

    ~Keeper() {
        cache_.on_maintenance_due(nullptr, nullptr);
        stop_ = true;
        kick();
        thread_.join();
    }

    /// Longest run in CPU milliseconds, once it sleeps again.
    double longest_ms() {
        const std::lock_guard lock(mutex_);
        return longest_ns_ / 1e6;
    }

  private:
    void kick() {
        const std::lock_guard lock(mutex_);
        kicked_ = true;
        wake_.notify_one();
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (!stop_) {
            wake_.wait(lock, [&] { return kicked_; });
            kicked_ = false;
            while (cache_.maintenance_due()) {
                lock.unlock();
                const double start = thread_ns();
                cache_.maintain();
                const double ns = thread_ns() - start;
                lock.lock();
                longest_ns_ = std::max(longest_ns_, ns);
            }
        }
    }

    alloc::PageCache& cache_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool kicked_ = false;
    std::atomic<bool> stop_{false};
    double longest_ns_ = 0;
    std::thread thread_;
};

/// MiB that are there more than before, 1.5 s after a burst was freed and nobody called again.
template <class Side>
Sample after_burst() {
    std::optional<Keeper> keeper;
    if constexpr (std::is_same_v<Side, SlabSide>) keeper.emplace(alloc::PageCache::process());
    Side side;
    std::vector<Object*> objects(burst_objects);
    const double before = resident_mib();
    for (Object*& object : objects) {
        object = side.take();
        object->words[0] = 1;
    }
    for (Object* object : objects)
        side.give(object);
    std::this_thread::sleep_for(milliseconds(1500));
    return std::max(0.0, resident_mib() - before);
}

/// Longest single step of giving memory back, in CPU ms.
Sample cooling_stall() {
    Keeper keeper(alloc::PageCache::process());
    SlabSide side;
    std::vector<Object*> objects(burst_objects);
    for (Object*& object : objects) {
        object = side.take();
        object->words[0] = 1;
    }
    for (Object* object : objects)
        side.give(object);
    std::this_thread::sleep_for(milliseconds(500));
    return keeper.longest_ms();
}

/// Longest run of 1000 calls that free an object: mallocs give memory back in there.
template <class Side>
Sample freeing_stall() {
    std::optional<Keeper> keeper;
    if constexpr (std::is_same_v<Side, SlabSide>) keeper.emplace(alloc::PageCache::process());
    Side side;
    std::vector<Object*> objects(burst_objects);
    for (Object*& object : objects) {
        object = side.take();
        object->words[0] = 1;
    }
    double longest = 0;
    for (std::size_t i = 0; i < objects.size(); i += 1000) {
        const double start = thread_ns();
        for (std::size_t n = i; n < std::min(i + 1000, objects.size()); ++n)
            side.give(objects[n]);
        longest = std::max(longest, thread_ns() - start);
    }
    return longest / 1e6;
}

constexpr std::size_t cohorts = 100;

/// Resident by live memory when nine of ten cohorts have gone.
Sample cohort_pools() {
    Keeper keeper(alloc::PageCache::process());
    SlabSide side;
    std::vector<alloc::Pool*> pools;
    std::vector<alloc::Slab<Object>*> slabs;
    const double before = resident_mib();
    for (std::size_t i = 0; i < cohorts; ++i) {
        pools.push_back(&side.pool.child("cohort"));
        slabs.push_back(&pools.back()->make<alloc::Slab<Object>>("objects"));
    }
    for (std::size_t i = 0; i < burst_objects; ++i)
        slabs[i % cohorts]->make().words[0] = i;
    for (std::size_t i = 0; i < cohorts; ++i) {
        if (i % 10 != 0) pools[i]->clear();
    }
    std::this_thread::sleep_for(milliseconds(1500));
    return (resident_mib() - before) / (256.0 / 10);
}

Sample cohort_malloc() {
    std::vector<Object*> objects(burst_objects);
    MallocSide side;
    const double before = resident_mib();
    for (Object*& object : objects) {
        object = side.take();
        object->words[0] = 1;
    }
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (i % cohorts % 10 != 0) side.give(objects[i]);
    }
    std::this_thread::sleep_for(milliseconds(1500));
    return (resident_mib() - before) / (256.0 / 10);
}

// Sizes that drift --------------------------------------------------------------------------

constexpr std::size_t size_step = 16;
constexpr std::size_t sizes_count = 32;

template <std::size_t bytes>
struct Sized {
    std::byte content[bytes];
};

/// One slab for each size.
class SizedSlabs {
  public:
    void* take(std::size_t bytes) { return classes_[bytes / size_step - 1]->take(); }

    void give(void* object, std::size_t bytes) { classes_[bytes / size_step - 1]->give(object); }

  private:
    struct Class {
        virtual ~Class() = default;
        virtual void* take() = 0;
        virtual void give(void* object) = 0;
    };

    template <std::size_t bytes>
    struct ClassOf final : Class {
        explicit ClassOf(alloc::Pool& pool) : slab(pool, "sized") {}

        void* take() override { return &slab.make(); }

        void give(void* object) override { slab.destroy(*static_cast<Sized<bytes>*>(object)); }

        alloc::Slab<Sized<bytes>> slab;
    };

    template <std::size_t... i>
    static std::array<std::unique_ptr<Class>, sizes_count> make(alloc::Pool& pool,
                                                                std::index_sequence<i...>) {
        return {std::make_unique<ClassOf<(i + 1) * size_step>>(pool)...};
    }

    SlabSide side_;
    std::array<std::unique_ptr<Class>, sizes_count> classes_ =
        make(side_.pool, std::make_index_sequence<sizes_count>());
};

/// One heap for all sizes.
class SizedHeap {
  public:
    void* take(std::size_t bytes) { return heap_.allocate(bytes); }

    void give(void* object, std::size_t bytes) { heap_.deallocate(object, bytes); }

  private:
    SlabSide side_;
    alloc::Heap heap_{side_.pool, "sized"};
};

struct SizedMalloc {
    void* take(std::size_t bytes) { return std::malloc(bytes); }

    void give(void* object, std::size_t) { std::free(object); }
};

/// 24 cycles between 96 and 16 MiB of live memory whose sizes drift: the highest resident memory by
/// the 96 MiB.
template <class Sizes>
Sample drifting_sizes() {
    std::optional<Keeper> keeper;
    if constexpr (!std::is_same_v<Sizes, SizedMalloc>) keeper.emplace(alloc::PageCache::process());
    Sizes sizes;
    std::mt19937 random(5);
    std::vector<std::pair<void*, std::size_t>> live;
    live.reserve(4'000'000);
    for (std::size_t i = 0; i < live.capacity(); ++i)
        live.emplace_back(nullptr, 0);
    live.clear();
    const double before = resident_mib();
    double peak = 0;
    std::size_t bytes_live = 0;
    for (std::size_t cycle = 0; cycle < 24; ++cycle) {
        while (bytes_live < 96 * 1024 * 1024) {
            const std::size_t bytes = size_step * (2 + cycle % 12 + random() % 8);
            void* object = sizes.take(bytes);
            *static_cast<std::size_t*>(object) = bytes;
            live.emplace_back(object, bytes);
            bytes_live += bytes;
        }
        peak = std::max(peak, resident_mib() - before);
        while (bytes_live > 16 * 1024 * 1024) {
            std::swap(live[random() % live.size()], live.back());
            sizes.give(live.back().first, live.back().second);
            bytes_live -= live.back().second;
            live.pop_back();
        }
    }
    for (const auto& [object, bytes] : live)
        sizes.give(object, bytes);
    return peak / 96;
}

/// Resident by asked-for memory at 64 bytes.
template <class Side>
Sample overhead() {
    Side side;
    std::vector<Object*> objects(burst_objects);
    const double before = resident_mib();
    for (Object*& object : objects) {
        object = side.take();
        object->words[0] = 1;
    }
    const double grown = resident_mib() - before;
    for (Object* object : objects)
        side.give(object);
    return grown / 256;
}

}  // namespace

void add_memory_rows(Suite& suite) {
    suite
        .add({.id = "A9",
              .group = "resident",
              .text = "resident 1.5 s after 256 MiB of objects were freed, without another call",
              .unit = "MiB",
              .target = {.value = 12, .ratio = 0.05, .peer = "tcmalloc"},
              .rounds = 5})
        .add("tern slab", after_burst<SlabSide>)
        .add_mallocs(after_burst<MallocSide>);
    suite
        .add({.id = "A10",
              .group = "stalls",
              .text = "longest step of giving 256 MiB back, and longest 1000 calls that free",
              .unit = "ms",
              .target = {.value = 0.5},
              .rounds = 5})
        .add("tern maintain()", cooling_stall)
        .add("tern slab, 1000 calls", freeing_stall<SlabSide>)
        .add_mallocs(freeing_stall<MallocSide>);
    suite
        .add({.id = "A11",
              .group = "factors",
              .text = "resident by live memory, nine of ten cohorts (pools) freed",
              .unit = "x",
              .target = {.value = 1.57, .ratio = 0.17, .peer = "tcmalloc"},
              .rounds = 3})
        .add("tern pools", cohort_pools)
        .add_mallocs(cohort_malloc);
    suite
        .add({.id = "A12",
              .group = "factors",
              .text = "highest resident by live memory, 24 cycles of drifting sizes",
              .unit = "x",
              .target = {.value = 1.1, .ratio = 0.83, .peer = "glibc"},
              .rounds = 3})
        .add("tern heap", drifting_sizes<SizedHeap>)
        .add("tern slabs", drifting_sizes<SizedSlabs>)
        .add_mallocs(drifting_sizes<SizedMalloc>);
    suite
        .add({.id = "A14",
              .group = "factors",
              .text = "resident by asked-for memory at 64 bytes",
              .unit = "x",
              .target = {.value = 1.016},
              .rounds = 3})
        .add("tern slab", overhead<SlabSide>)
        .add_mallocs(overhead<MallocSide>);
}

}  // namespace tern::bench
