// What happens to those who give back, or ask about, an address that is nowhere: between two
// regions, where nothing is mapped, in memory that has gone, on the stack. Each is told so in words
// instead of by a fault.

#include "alloc/heap.h"
#include "alloc/page_source_test.h"
#include "alloc/pool.h"
#include "alloc/slab.h"
#include "alloc/slab_indexed.h"
#include "alloc/slab_shared.h"
#include "locking/death_test.h"
#include "locking/test_levels.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/mman.h>

namespace tern::alloc {
namespace {

using locking::Domain;
using locking::Guard;
using locking::testing::Outer;

/// Objects with a destructor that would read them.
struct Text {
    std::string text{"a text that is too long to lie in the object itself"};
    std::array<std::byte, 32> more{};
};

/// A pool over a cache with holes between its regions.
struct Holes {
    TestSource source;
    PageCache cache = make_cache();
    Domain<Outer> domain{"the domain"};
    Guard<Outer> guard = domain.lock_dynamic();
    Pool root{domain, "root", cache};
    Pool& pool = root.child("pool");
    std::vector<void*> pages = take_pages();
    /// Behind the first region, in front of another.
    std::byte* hole = find_hole();

    template <class T>
    T& in_hole() const {
        return *reinterpret_cast<T*>(hole);
    }

    ~Holes() {
        for (void* page : pages)
            cache.deallocate(page);
    }

  private:
    PageCache make_cache() {
        source.leave_holes();
        PageCacheConfig config;
        config.keep_cold_regions = 0;
        config.keep_pages_main_max = 128;
        config.keep_pages_main_min = 0;
        return PageCache(source, config);
    }

    /// Of four regions, so that two holes at least have regions on both sides.
    std::vector<void*> take_pages() {
        std::vector<void*> taken(4 * region_pages);
        for (void*& page : taken)
            page = cache.allocate();
        return taken;
    }

    /// The note of an address in it would be read there, too.
    std::byte* find_hole() const {
        const auto start = region_start(pages.front()) + region_bytes;
        return reinterpret_cast<std::byte*>(start + 64 * page_bytes);
    }
};

/// Memory that is not there any more.
std::byte* gone() {
    void* start = ::mmap(nullptr, region_bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ::munmap(start, region_bytes);
    return static_cast<std::byte*>(start) + region_bytes / 2;
}

/// Addresses that nothing has come from, by name.
struct Nowhere {
    const char* name;
    std::byte* address;
};

std::array<Nowhere, 5> nowhere(const Holes& holes) {
    alignas(64) static std::array<std::byte, 512> data;
    return {{{"a hole between regions", holes.hole},
             {"memory that has gone", gone()},
             {"a small number", reinterpret_cast<std::byte*>(std::uintptr_t{64})},
             {"no address at all", reinterpret_cast<std::byte*>(~std::uintptr_t{0} << 12)},
             {"data", data.data() + 256}}};
}

/// Each address nowhere is refused in these words.
template <class F>
void check_refused(const char* words, F&& act) {
    for (std::size_t i = 0; i < std::tuple_size_v<decltype(nowhere(std::declval<Holes&>()))>; ++i) {
        const locking::Death death = locking::death_of([&] {
            Holes holes;
            act(holes, nowhere(holes)[i].address);
        });
        const Holes holes;
        INFO(nowhere(holes)[i].name << ": " << death.report);
        CHECK(death.says(words, "foreign_pointer_test.cc"));
    }
}

TEST_CASE("pages and runs from nowhere are refused in words") {
    check_refused("page cache: 0x", [](Holes& holes, std::byte* address) {
        holes.cache.deallocate(page_of(address));
    });
    for (const std::size_t pages : {5, 600}) {
        check_refused("page cache: 0x", [&](Holes& holes, std::byte* address) {
            holes.cache.deallocate_run(page_of(address), pages);
        });
    }
}

TEST_CASE("objects from nowhere are refused by slabs in words, before anything of them ends") {
    check_refused("slab texts in pool root/pool: 0x", [](Holes& holes, std::byte* address) {
        auto& texts = holes.pool.make<Slab<Text>>("texts");
        texts.make();
        texts.destroy(*reinterpret_cast<Text*>(address));
    });
    check_refused("shared slab texts: 0x", [](Holes& holes, std::byte* address) {
        SharedSlab<Text> texts(holes.cache, "texts");
        texts.make();
        texts.destroy(*reinterpret_cast<Text*>(address));
    });
    check_refused("indexed slab texts in pool root/pool: 0x", [](Holes& holes, std::byte* address) {
        auto& texts = holes.pool.make<IndexedSlab<Text>>("texts");
        texts.make();
        texts.destroy(*reinterpret_cast<Text*>(address));
    });
    CHECK(locking::death_of([] {
              Holes holes;
              auto& texts = holes.pool.make<IndexedSlab<Text>>("texts");
              (void)texts.id_of(holes.in_hole<Text>());
          }).says("indexed slab texts in pool root/pool: 0x", "is not an object of this slab"));
}

TEST_CASE("blocks from nowhere are refused by heaps in words, whatever their size") {
    for (const std::size_t bytes : {std::size_t{100}, 3 * page_bytes, 2 * region_bytes}) {
        check_refused("heap blocks in pool root/pool: 0x", [&](Holes& holes, std::byte* address) {
            auto& heap = holes.pool.make<Heap>("blocks");
            heap.allocate(bytes);
            heap.deallocate(address, bytes);
        });
    }
}

TEST_CASE("blocks from nowhere are refused by pools in words") {
    check_refused("foreign pointer: 0x", [](Holes& holes, std::byte* address) {
        holes.pool.block(100);
        holes.pool.release(address);
    });
    check_refused("is not an object or block of pool root/pool", [](Holes& holes, std::byte* at) {
        holes.pool.make<Text>();
        holes.pool.destroy(*reinterpret_cast<Text*>(at));
    });
    check_refused("foreign pointer: 0x",
                  [](Holes& holes, std::byte* address) { (void)holes.pool.resize(address, 200); });
    check_refused("foreign pointer: 0x", [](Holes& holes, std::byte* address) {
        holes.root.adopt_block_of(holes.pool, address);
    });
    CHECK(locking::death_of([] {
              Holes holes;
              long local[32] = {};
              holes.pool.release(local + 16);
          }).says("foreign pointer: 0x", "pool root/pool", "the domain: held by thread"));
}

TEST_CASE("an address from nowhere belongs to nobody") {
    Holes holes;
    auto& shared = holes.pool.make<PoolSharedSlab<Text>>("shared").slab();
    holes.pool.make<Slab<Text>>("texts").make();
    holes.pool.make<IndexedSlab<Text>>("ids").make();
    holes.pool.make<Heap>("blocks").allocate(100);
    Text& text = shared.make();
    for (const Nowhere& each : nowhere(holes)) {
        INFO(each.name);
        CHECK_FALSE(holes.root.find(each.address).has_value());
        CHECK(holes.cache.state_of(each.address) == PageState::foreign);
        CHECK(holes.cache.holder_of(each.address) == 0);
    }
    CHECK(holes.root.find(&text)->name == "shared");
    shared.destroy(text);
    shared.flush_thread();
}

TEST_CASE("what lies in a region that has gone is refused in words") {
    // All of a slab, and then maintenance until its regions are gone.
    CHECK(locking::death_of([] {
              Holes holes;
              auto& texts = holes.pool.make<Slab<Text>>("texts");
              Text* last = nullptr;
              for (int i = 0; i < 100'000; ++i)
                  last = &texts.make();
              texts.clear();
              while (holes.cache.maintenance_due())
                  holes.cache.maintain();
              texts.make();
              texts.destroy(*last);
          }).says("slab texts in pool root/pool: 0x", "is not an object of this slab"));
}

TEST_CASE("a run that is longer than a region is known by its start and its length") {
    const std::size_t pages = 3 * region_pages;
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    auto* run = static_cast<std::byte*>(cache.allocate_run(pages));
    std::memset(run, 1, pages * page_bytes);
    cache.verify();
    CHECK(cache.state_of(run + (pages - 1) * page_bytes) == PageState::in_use);
    for (const std::size_t wrong : {std::size_t{1}, std::size_t{5}, pages - 1, pages + 1}) {
        CHECK(locking::death_of([&] {
                  cache.deallocate_run(run, wrong);
              }).says("wrong number of pages", "foreign_pointer_test.cc"));
    }
    CHECK(locking::death_of([&] {
              cache.deallocate_run(run + page_bytes, pages);
          }).says("wrong number of pages"));
    CHECK(locking::death_of([&] {
              cache.deallocate_run(run, pages);
              cache.deallocate_run(run, pages);
          }).says("not a page of it (foreign)"));
    cache.deallocate_run(run, pages);
    cache.verify();
    CHECK(source.mapped_bytes() == 0);
}

TEST_CASE("large blocks given back twice are refused in words, whether memory is left or not") {
    for (const std::size_t bytes : {3 * page_bytes, 2 * region_bytes}) {
        CHECK(locking::death_of([&] {
                  Holes holes;
                  auto& heap = holes.pool.make<Heap>("blocks");
                  void* block = heap.allocate(bytes);
                  heap.deallocate(block, bytes);
                  if (Poison::asan() && bytes < region_bytes) std::abort();
                  heap.deallocate(block, bytes);
              }).aborted);
        CHECK(locking::death_of([&] {
                  Holes holes;
                  void* block = holes.pool.block(bytes);
                  holes.pool.release(block);
                  holes.pool.release(block);
              }).says(bytes < region_bytes ? "freed twice: 0x" : "foreign pointer: 0x"));
    }
}

TEST_CASE("the map of regions says of each address what a slow search says") {
    std::mt19937 random(11);
    RegionMap map;
    std::vector<std::uintptr_t> regions;
    const std::uintptr_t first = std::uintptr_t{7} << 40;
    const auto has = [&](std::uintptr_t at) {
        return std::any_of(regions.begin(), regions.end(),
                           [&](std::uintptr_t region) { return at - region < region_bytes; });
    };
    for (int step = 0; step < 3000; ++step) {
        const std::uintptr_t region = first + random() % 40 * region_bytes;
        const auto known = std::find(regions.begin(), regions.end(), region);
        if (known == regions.end()) {
            map.add(reinterpret_cast<void*>(region));
            regions.push_back(region);
        } else {
            map.remove(reinterpret_cast<void*>(region));
            regions.erase(known);
        }
        for (std::uintptr_t at = first - region_bytes; at < first + 42 * region_bytes;
             at += region_bytes / 2) {
            REQUIRE(map.has(reinterpret_cast<void*>(at)) == has(at));
            REQUIRE(map.has(reinterpret_cast<void*>(at - 1)) == has(at - 1));
        }
    }
}

}  // namespace
}  // namespace tern::alloc
