#include "alloc/heap.h"

#include "alloc/pool_fixture_test.h"
#include "locking/death_test.h"
#include "locking/test_levels.h"

#include <cstring>
#include <optional>
#include <random>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

using locking::Domain;
using locking::Guard;
using locking::testing::Outer;

struct Fixture : PoolFixture {
    Heap heap{pool, "texts"};
};

/// A block with a mark in each byte.
struct Block {
    std::byte* start;
    std::size_t bytes;
    std::byte mark;
};

bool intact(const Block& block) {
    for (std::size_t i = 0; i < block.bytes; ++i) {
        if (block.start[i] != block.mark) return false;
    }
    return true;
}

TEST_CASE("blocks of all sizes lie side by side in one page") {
    Fixture fixture;
    auto* first = static_cast<std::byte*>(fixture.heap.allocate(100));
    auto* second = static_cast<std::byte*>(fixture.heap.allocate(1));
    auto* third = static_cast<std::byte*>(fixture.heap.allocate(2000));
    CHECK(second == first + 112);
    CHECK(third == second + 16);
    CHECK(fixture.heap.stats().pages == 1);
    CHECK(fixture.heap.stats().bytes == 2101);
    fixture.heap.verify();
    fixture.heap.deallocate(first, 100);
    fixture.heap.deallocate(second, 1);
    // The two holes are one.
    CHECK(fixture.heap.allocate(128) == first);
    fixture.heap.verify();
}

TEST_CASE("a hole that small blocks left serves large ones and the other way round") {
    Fixture fixture;
    std::vector<void*> blocks(256);
    for (void*& block : blocks)
        block = fixture.heap.allocate(16);
    CHECK(fixture.heap.stats().pages == 1);
    for (std::size_t i = 60; i < 200; ++i)
        fixture.heap.deallocate(blocks[i], 16);
    // 140 granules, across words.
    void* large = fixture.heap.allocate(140 * 16);
    CHECK(large == blocks[60]);
    fixture.heap.verify();
    fixture.heap.deallocate(large, 140 * 16);
    CHECK(fixture.heap.allocate(1000) == blocks[60]);
    CHECK(fixture.heap.stats().pages == 1);
    fixture.heap.verify();
}

TEST_CASE("the page with the smallest hole that is large enough is taken") {
    Fixture fixture;
    void* a = fixture.heap.allocate(4096);
    void* b = fixture.heap.allocate(4096);
    void* c = fixture.heap.allocate(4096);
    fixture.heap.deallocate(a, 4096);
    void* rest = fixture.heap.allocate(3000);
    CHECK(rest == a);
    fixture.heap.deallocate(b, 4096);
    fixture.heap.verify();
    CHECK(page_of(fixture.heap.allocate(1000)) == a);
    CHECK(page_of(fixture.heap.allocate(1000)) == b);
    fixture.heap.deallocate(c, 4096);
}

TEST_CASE("one empty page is kept, the others go back") {
    Fixture fixture;
    std::vector<void*> blocks(10);
    for (void*& block : blocks)
        block = fixture.heap.allocate(4000);
    CHECK(fixture.heap.stats().pages == 10);
    for (void* block : blocks)
        fixture.heap.deallocate(block, 4000);
    CHECK(fixture.heap.stats().pages == 1);
    CHECK(fixture.cache.stats().in_use == 1);
    fixture.heap.verify();
    fixture.heap.clear();
    CHECK(fixture.cache.stats().in_use == 0);
    fixture.heap.verify();
}

TEST_CASE("blocks are aligned as asked, also large ones") {
    Fixture fixture;
    for (std::size_t alignment = 1; alignment <= page_bytes; alignment *= 2) {
        for (const std::size_t bytes : {1, 100, 3000, 4096, 10000}) {
            void* block = fixture.heap.allocate_aligned(bytes, alignment);
            CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
            void* other = fixture.heap.allocate(40);
            fixture.heap.deallocate(block, bytes);
            CHECK(fixture.heap.contains(other));
        }
    }
    fixture.heap.verify();
}

TEST_CASE("blocks at random keep their contents, beside a model") {
    Fixture fixture;
    std::mt19937 random(11);
    std::vector<Block> live;
    for (int step = 0; step < 60000; ++step) {
        const bool grow = step / 10000 % 2 == 0;
        if (live.empty() || random() % 100 < (grow ? 60u : 40u)) {
            const std::size_t bytes = random() % 50 == 0 ? random() % 9000 : 1 + random() % 600;
            auto* start = static_cast<std::byte*>(fixture.heap.allocate(bytes));
            const auto mark = static_cast<std::byte>(random());
            std::memset(start, static_cast<int>(mark), bytes);
            live.push_back({start, bytes, mark});
        } else {
            std::swap(live[random() % live.size()], live.back());
            REQUIRE(intact(live.back()));
            fixture.heap.deallocate(live.back().start, live.back().bytes);
            live.pop_back();
        }
        if (step % 5000 == 0) fixture.heap.verify();
    }
    std::size_t bytes = 0;
    for (const Block& block : live) {
        REQUIRE(intact(block));
        bytes += block.bytes;
    }
    CHECK(fixture.heap.stats().blocks == live.size());
    CHECK(fixture.heap.stats().bytes == bytes);
    for (const Block& block : live)
        fixture.heap.deallocate(block.start, block.bytes);
    CHECK(fixture.heap.stats().pages <= 1);
    fixture.heap.verify();
}

TEST_CASE("sizes that drift leave no sparse pages behind") {
    Fixture fixture;
    std::mt19937 random(5);
    std::vector<std::pair<void*, std::size_t>> live;
    std::size_t bytes = 0;
    std::size_t pages_max = 0;
    constexpr std::size_t high = 4 * 1024 * 1024;
    for (std::size_t cycle = 0; cycle < 14; ++cycle) {
        while (bytes < high) {
            const std::size_t size = 16 * (2 + cycle % 12 + random() % 8);
            live.emplace_back(fixture.heap.allocate(size), size);
            bytes += size;
        }
        pages_max = std::max(pages_max, fixture.heap.stats().pages);
        while (bytes > high / 6) {
            std::swap(live[random() % live.size()], live.back());
            fixture.heap.deallocate(live.back().first, live.back().second);
            bytes -= live.back().second;
            live.pop_back();
        }
    }
    CHECK(pages_max * page_bytes < high * 108 / 100);
    fixture.heap.verify();
}

TEST_CASE("no memory is nullptr or the end, and changes nothing") {
    Fixture fixture;
    fixture.source.fail_from(1);
    CHECK(fixture.heap.try_allocate(10) == nullptr);
    CHECK(fixture.heap.try_allocate(10000) == nullptr);
    CHECK(fixture.heap.stats().blocks == 0);
    fixture.heap.verify();
    CHECK(locking::death_of([&] { fixture.heap.allocate(10); }).says("out of memory", "texts"));
    fixture.source.fail_from(0);
    CHECK(fixture.heap.try_allocate(10) != nullptr);
}

TEST_CASE("a wrong pointer, a wrong size and a block given back twice abort") {
    Fixture fixture;
    void* block = fixture.heap.allocate(100);
    void* large = fixture.heap.allocate(10000);
    int local = 0;
    const auto gives = [&](void* wrong, std::size_t bytes) {
        return locking::death_of([&] { fixture.heap.deallocate(wrong, bytes); })
            .says("heap texts in pool root", "not a block of it in use", "heap_test.cc");
    };
    CHECK(gives(&local, 4));
    CHECK(gives(static_cast<std::byte*>(block) + 1, 10));
    CHECK(gives(block, 200));
    CHECK(gives(large, 20000));
    fixture.heap.deallocate(block, 100);
    CHECK(gives(block, 100));
    // Of a heap that is gone, at the same address.
    fixture.heap.clear();
    CHECK(gives(block, 100));
    Heap other(fixture.pool, "other");
    CHECK(gives(other.allocate(16), 16));
}

TEST_CASE("a heap is used with the domain of its pool held") {
    Domain<Outer> domain("the domain");
    std::optional<Pool> pool;
    std::optional<Heap> heap;
    void* block = nullptr;
    {
        Guard<Outer> guard = domain.lock_dynamic();
        pool.emplace(domain, "root");
        heap.emplace(*pool, "texts");
        block = heap->allocate(10);
    }
    CHECK(locking::death_of([&] { heap->allocate(10); }).says("root", "the domain"));
    CHECK(locking::death_of([&] { (void)heap->try_allocate(10); }).says("root", "the domain"));
    CHECK(locking::death_of([&] { heap->deallocate(block, 10); }).says("root", "the domain"));
    CHECK(locking::death_of([&] { heap->clear(); }).says("root", "the domain"));
    Guard<Outer> guard = domain.lock_dynamic();
    heap.reset();
    pool.reset();
}

TEST_CASE("a heap is in the reports of its pool, and its blocks are found") {
    Fixture fixture;
    void* block = fixture.heap.allocate(100);
    void* large = fixture.heap.allocate(10000);
    CHECK(fixture.pool.usage().effective == 10100);
    CHECK(fixture.pool.find(block)->name == "texts");
    CHECK(fixture.pool.find(block)->part == "block");
    CHECK(fixture.pool.find(static_cast<std::byte*>(block) + 112)->part == "free");
    CHECK(fixture.pool.find(static_cast<std::byte*>(large) + 9000)->part == "large block");
}

}  // namespace
}  // namespace tern::alloc
