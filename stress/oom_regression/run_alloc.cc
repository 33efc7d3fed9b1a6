#include "alloc/arena.h"
#include "alloc/page_cache.h"
#include "alloc/page_source_mmap.h"
#include "alloc/slab.h"
#include "alloc/slab_shared.h"
#include "stress/oom_regression/run.h"

#include <barrier>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include <unistd.h>

namespace tern::oom {

namespace {

using alloc::PageCache;

/// The limits of the report: KEEP_PAGES_MAIN_MAX 4096, _MIN 1000, CLEANUP_PAGES_BULK 4096.
alloc::PageCacheConfig recipe_limits() {
    alloc::PageCacheConfig config;
    config.keep_pages_main_max = 4096;
    config.keep_pages_main_min = 1000;
    config.cleanup_pages_bulk = 4096;
    // Regions are not given back either: what is mapped is then the most there ever was.
    config.keep_cold_regions = 1'000'000;
    return config;
}

PageCache::TestFault fault_of(const std::string& name) {
    using enum PageCache::TestFault;
    if (name == "ignore_cold") return ignore_cold;
    if (name == "lose_on_flush") return lose_on_flush;
    return none;
}

struct CacheUser {
    explicit CacheUser(const Options& options)
        : source(alloc::MmapSource::HugePages::never), cache(source, recipe_limits()) {
        cache.test_fault(fault_of(options.fault));
        faulty = !options.fault.empty();
    }

    void settle() {
        while (cache.maintenance_due()) {
            cache.maintain();
        }
    }

    Memory sample() {
        settle();
        if (!faulty) cache.verify();
        Memory memory = memory_of(::getpid());
        memory.resident -= static_cast<double>(cache.stats().kept() * alloc::page_bytes) / 1024;
        return memory;
    }

    alloc::MmapSource source;
    PageCache cache;
    bool faulty = false;
};

/// Pages of the cache, or of malloc for comparison.
class Pages final : public Workload {
  public:
    explicit Pages(const Options& options)
        : user_(options),
          pages_(options.pages),
          period_(options.period),
          use_malloc_(options.use_malloc) {}

    Memory cycle() override {
        for (void*& page : pages_) {
            page = use_malloc_ ? std::aligned_alloc(alloc::page_bytes, alloc::page_bytes)
                               : user_.cache.allocate();
            *static_cast<std::size_t*>(page) = operations_;
            step();
        }
        for (void* page : pages_) {
            if (use_malloc_) {
                std::free(page);
            } else {
                user_.cache.deallocate(page);
            }
            step();
        }
        return use_malloc_ ? memory_of(::getpid()) : user_.sample();
    }

  private:
    void step() {
        if (++operations_ % period_ == 0 && user_.cache.maintenance_due()) user_.cache.maintain();
    }

    CacheUser user_;
    std::vector<void*> pages_;
    std::size_t period_;
    std::size_t operations_ = 0;
    bool use_malloc_;
};

struct Level {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "worker";
};

struct Object {
    std::uint64_t words[8];
};

/// Pages, slabs, arenas and shared objects in threads whose number is another one each cycle; a
/// third of the shared objects is freed by another thread than made them.
class Threads final : public Workload {
  public:
    explicit Threads(const Options& options)
        : user_(options),
          pages_(options.pages),
          threads_max_(options.threads),
          hands_(options.threads) {
        for (Hands& hands : hands_) {
            hands.objects.assign(pages_ / 4 * 63, nullptr);
            hands.pages.assign(pages_ / 4, nullptr);
        }
    }

    Memory cycle() override {
        const std::size_t count = 1 + random_() % threads_max_;
        std::barrier<> phase(static_cast<std::ptrdiff_t>(count));
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < count; ++i) {
            threads.emplace_back([this, i, count, &phase] {
                work(pages_ / count, hands_[i], hands_[(i + 1) % count].objects, phase);
            });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        if (!user_.faulty) objects_.verify();
        return user_.sample();
    }

  private:
    /// What a thread holds; made once for the largest share, or the C library's heaps would be
    /// measured.
    struct Hands {
        std::vector<Object*> objects;
        std::vector<void*> pages;
    };

    void upkeep() {
        if (user_.cache.maintenance_due()) user_.cache.maintain();
    }

    void work(std::size_t share,
              Hands& hands,
              const std::vector<Object*>& others,
              std::barrier<>& phase) {
        std::vector<Object*>& mine = hands.objects;
        std::vector<void*>& pages = hands.pages;
        mine.clear();
        pages.clear();
        locking::Domain<Level> domain;
        locking::ThreadEntry entry;
        const locking::Guard<Level> guard = domain.lock(entry);
        alloc::Pool pool(domain, "worker", user_.cache);
        auto& slab = pool.make<alloc::Slab<Object>>("objects");
        auto& arena = pool.make<alloc::PoolArena>("texts");
        // A quarter of the share each for pages, slab, arena and shared objects.
        for (std::size_t page = 0; page < share / 4; ++page) {
            pages.push_back(user_.cache.allocate());
            for (int i = 0; i < 63; ++i) {
                slab.make();
                mine.push_back(&objects_.make());
                arena.arena().allocate(64);
            }
            upkeep();
        }
        phase.arrive_and_wait();
        for (std::size_t i = 0; i < mine.size(); ++i) {
            if (i % 3 != 0) objects_.destroy(*mine[i]);
        }
        phase.arrive_and_wait();
        for (std::size_t i = 0; i < others.size(); i += 3) {
            objects_.destroy(*others[i]);
        }
        for (void* page : pages) {
            user_.cache.deallocate(page);
            upkeep();
        }
    }

    CacheUser user_;
    alloc::SharedSlab<Object> objects_{user_.cache, "shared objects"};
    std::size_t pages_;
    std::size_t threads_max_;
    std::vector<Hands> hands_;
    std::mt19937 random_{1};
};

}  // namespace

std::unique_ptr<Workload> make_pages(const Options& options) {
    return std::make_unique<Pages>(options);
}

std::unique_ptr<Workload> make_threads(const Options& options) {
    return std::make_unique<Threads>(options);
}

}  // namespace tern::oom
