#include "alloc/arena.h"
#include "alloc/page_cache.h"
#include "alloc/page_source_mmap.h"
#include "alloc/slab.h"
#include "alloc/slab_shared.h"
#include "stress/oom_regression/heap.h"

#include <array>

#include <unistd.h>

namespace tern::oom {

namespace {

using alloc::PageCache;
using Object = std::array<std::byte, Heap::object_bytes>;

/// The limits of the report, and regions are not given back either: what is mapped is then the most
/// there ever was.
alloc::PageCacheConfig recipe_limits() {
    alloc::PageCacheConfig config;
    config.keep_pages_main_max = keep_pages_max;
    config.keep_pages_main_min = keep_pages_min;
    config.cleanup_pages_bulk = cleanup_pages_bulk;
    config.keep_cold_regions = 1'000'000;
    return config;
}

PageCache::TestFault fault_of(const std::string& name) {
    using enum PageCache::TestFault;
    if (name == "ignore_cold") return ignore_cold;
    if (name == "lose_on_flush") return lose_on_flush;
    return none;
}

struct Level {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "worker";
};

class AllocHand final : public Hand {
  public:
    explicit AllocHand(PageCache& cache)
        : guard_(domain_.lock(entry_)), pool_(domain_, "worker", cache) {}

    void make_object() override { objects_.make(); }

    void make_text() override { texts_.arena().allocate(Heap::object_bytes); }

  private:
    locking::Domain<Level> domain_;
    locking::ThreadEntry entry_;
    locking::Guard<Level> guard_;
    alloc::Pool pool_;
    alloc::Slab<Object>& objects_ = pool_.make<alloc::Slab<Object>>("objects");
    alloc::PoolArena& texts_ = pool_.make<alloc::PoolArena>("texts");
};

class AllocHeap final : public Heap {
  public:
    explicit AllocHeap(const Options& options)
        : source_(alloc::MmapSource::HugePages::never),
          cache_(source_, recipe_limits()),
          shared_(cache_, "shared objects"),
          faulty_(!options.fault.empty()) {
        cache_.test_fault(fault_of(options.fault));
    }

    void* page() override { return cache_.allocate(); }

    void give_page(void* page) override { cache_.deallocate(page); }

    void* shared_object() override { return &shared_.make(); }

    void give_shared_object(void* object) override {
        shared_.destroy(*static_cast<Object*>(object));
    }

    std::unique_ptr<Hand> hand() override { return std::make_unique<AllocHand>(cache_); }

    void upkeep() override {
        if (cache_.maintenance_due()) cache_.maintain();
    }

    /// Free pages that the limits allow to keep do not count: where in its hysteresis a cycle ends
    /// is no growth.
    Memory sample() override {
        while (cache_.maintenance_due())
            cache_.maintain();
        if (!faulty_) {
            cache_.verify();
            shared_.verify();
        }
        Memory memory = memory_of(::getpid());
        memory.resident -= static_cast<double>(cache_.stats().kept() * alloc::page_bytes) / 1024;
        return memory;
    }

  private:
    alloc::MmapSource source_;
    PageCache cache_;
    alloc::SharedSlab<Object> shared_;
    bool faulty_;
};

}  // namespace

std::unique_ptr<Heap> make_alloc_heap(const Options& options) {
    return std::make_unique<AllocHeap>(options);
}

}  // namespace tern::oom
