#include "alloc/pool.h"

#include "alloc/arena.h"
#include "alloc/heap.h"
#include "alloc/page_source_test.h"
#include "alloc/pmr.h"
#include "alloc/slab.h"
#include "alloc/slab_indexed.h"
#include "locking/death_test.h"
#include "locking/test_levels.h"

#include <cstring>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::alloc {
namespace {

using locking::Domain;
using locking::Guard;
using locking::testing::Inner;
using locking::testing::Middle;
using locking::testing::Outer;

/// Writes its letter when it is destroyed.
struct Witness {
    Witness(std::string& log_, char letter_) : log(log_), letter(letter_) {}

    ~Witness() { log += letter; }

    std::string& log;
    char letter;
};

TEST_CASE("a pool destroys what was made in it, newest first") {
    std::string log;
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    {
        Pool pool(domain, "root");
        pool.make<Witness>(log, 'a');
        Witness& b = pool.make<Witness>(log, 'b');
        pool.make<Witness>(log, 'c');
        pool.destroy(b);
        CHECK(log == "b");
        pool.child("child").make<Witness>(log, 'd');
        pool.make<Witness>(log, 'e');
    }
    CHECK(log == "bedca");
}

TEST_CASE("an owned object goes with its pointer") {
    std::string log;
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    {
        Owned<Witness> owned = pool.make_owned<Witness>(log, 'x');
        Owned<Witness> moved = std::move(owned);
        CHECK_FALSE(static_cast<bool>(owned));
        CHECK(moved->letter == 'x');
        CHECK(log.empty());
        moved = pool.make_owned<Witness>(log, 'y');
        CHECK(log == "x");
    }
    CHECK(log == "xy");
    CHECK(locking::death_of([] { *Owned<int>(); }).says("empty Owned"));
}

TEST_CASE("objects of strict alignment are aligned") {
    struct alignas(64) Line {
        char bytes[64];
    };

    struct alignas(64) Large {
        char bytes[3 * page_bytes];
    };

    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    Line& line = pool.make<Line>();
    Large& large = pool.make<Large>();
    CHECK(reinterpret_cast<std::uintptr_t>(&line) % 64 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(&large) % 64 == 0);
    std::memset(&large, 1, sizeof(large));
    pool.destroy(line);
    pool.destroy(large);
}

TEST_CASE("blocks keep their contents when resized") {
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    auto* text = static_cast<char*>(pool.block(8));
    std::memcpy(text, "1234567", 8);
    text = static_cast<char*>(pool.resize(text, 20000));
    CHECK(std::string(text) == "1234567");
    text = static_cast<char*>(pool.resize(text, 4));
    CHECK(std::string(text, 4) == "1234");
    pool.release(text);
    pool.release(nullptr);
    CHECK(pool.usage().effective == 0);
}

TEST_CASE("a pool moves only where its domain still ranks higher") {
    Domain<Outer> outer("outer");
    Domain<Middle> middle("middle");
    Domain<Inner> inner("inner");
    Guard<Outer> a = outer.lock_dynamic();
    Guard<Middle> b = middle.lock_dynamic();
    Pool root(outer, "root");
    Pool& left = root.child_of(middle, "left");
    Pool& deep = root.child_of(inner, "deep");
    left.adopt(deep);
    CHECK(deep.path() == "root/left/deep");
    CHECK(locking::death_of([&] {
              Guard<Inner> c = inner.lock_dynamic();
              deep.adopt(left);
          }).says("must rank higher"));
}

TEST_CASE("AT-POOL-5 mass free waits for the holders of inner domains and never inverts",
          "[AT-POOL-5]") {
    Domain<Outer> outer("outer");
    Domain<Middle> middle("middle");
    Domain<Inner> inner("inner");
    std::atomic<bool> stop{false};
    for (int round = 0; round < 20; ++round) {
        std::thread holder([&] {
            std::mt19937 random(static_cast<unsigned>(round));
            while (!stop.load()) {
                Guard<Inner> guard = inner.lock_dynamic();
                for (auto i = random() % 50; i != 0; --i)
                    std::this_thread::yield();
            }
        });
        {
            Guard<Outer> guard = outer.lock_dynamic();
            Pool root(outer, "root");
            Pool& same = root.child("same domain");
            Pool& second = same.child(guard, middle, "second");
            Guard<Middle> deeper = middle.lock_dynamic();
            Pool& third = second.child(deeper, inner, "third");
            Guard<Inner> deepest = inner.lock_dynamic();
            Pool& fifth = third.child("fourth").child("fifth");
            fifth.make<int>(5);
            fifth.make<Slab<int>>("numbers").make(3);
            {
                locking::ReleaseScope<Inner> released(deepest);
                std::this_thread::yield();
            }
        }
        stop.store(true);
        holder.join();
        stop.store(false);
    }
}

TEST_CASE("AT-POOL-7 a domain owned by a pool goes with it", "[AT-POOL-7]") {
    PageCache::process();  // has one that stays
    const std::uint64_t alive = locking::RankedLock::alive();
    {
        Domain<Outer> outer("outer");
        Guard<Outer> guard = outer.lock_dynamic();
        Pool root(outer, "root");
        for (int i = 0; i < 10; ++i) {
            Pool& pool = root.child_with_domain<Inner>("own");
            CHECK(pool.domain().name() == "own");
            locking::TransitLock lock(pool.domain());
            pool.make<int>(1);
        }
        CHECK(locking::RankedLock::alive() == alive + 11);
        Pool& one = root.child_with_domain<Inner>("single");
        root.destroy(one);
        CHECK(locking::RankedLock::alive() == alive + 11);
        root.clear();
        CHECK(locking::RankedLock::alive() == alive + 1);
    }
    CHECK(locking::RankedLock::alive() == alive);
}

TEST_CASE("AT-POOL-7 notices a domain that nobody ends", "[AT-POOL-7]") {
    PageCache::process();  // has one that stays
    const std::uint64_t alive = locking::RankedLock::alive();
    alignas(Domain<Inner>) std::byte storage[sizeof(Domain<Inner>)];
    auto* leaked = ::new (storage) Domain<Inner>("leaked");
    {
        Domain<Outer> outer("outer");
        Guard<Outer> guard = outer.lock_dynamic();
        Pool root(outer, "root");
        root.child_of(*leaked, "does not own its domain");
    }
    CHECK(locking::RankedLock::alive() == alive + 1);
    leaked->~Domain();
}

TEST_CASE("blocks of any alignment are aligned and released like others") {
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root");
    for (std::size_t alignment = 1; alignment <= page_bytes; alignment *= 2) {
        for (const std::size_t bytes : {std::size_t{1}, std::size_t{100}, std::size_t{9000}}) {
            void* block = pool.block_aligned(bytes, alignment);
            CHECK(reinterpret_cast<std::uintptr_t>(block) % alignment == 0);
            std::memset(block, 1, bytes);
            CHECK(pool.find(block)->kind == "block");
            pool.release(block);
        }
    }
    CHECK(pool.usage().effective == 0);
}

TEST_CASE("a block that cannot be made larger stays as it was") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root", cache);
    auto* text = static_cast<char*>(pool.block(20000));
    std::memcpy(text, "kept", 5);
    source.fail_from(1);
    const std::size_t much = 3 * region_bytes;
    CHECK(pool.try_resize(text, much) == nullptr);
    CHECK(pool.try_block(much) == nullptr);
    CHECK(std::string(text) == "kept");
    CHECK(pool.usage().effective == 20000);
    CHECK(locking::death_of([&] {
              pool.resize(text, much);
          }).says("out of memory", "6291456 bytes in pool root"));
    pool.release(text);
}

TEST_CASE("an embedded resource leaves the pool by itself and must do so in time") {
    struct Owner {
        explicit Owner(Pool& pool) : numbers(pool, "numbers") { numbers.make(1); }

        Slab<int> numbers;
    };

    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    {
        Pool pool(domain, "root");
        pool.make<Owner>(pool);
        Owner outside(pool);
        pool.clear();
        CHECK(outside.numbers.live() == 1);
    }
    CHECK(locking::death_of([&] {
              std::optional<Pool> pool;
              pool.emplace(domain, "root");
              Owner outlives(*pool);
              pool.reset();
          }).says("slab", "numbers", "still embedded"));
}

/// Whether a resource lies in the block of the pool.
bool lies_behind(const Pool& pool, const Resource& resource) {
    const auto distance =
        reinterpret_cast<std::uintptr_t>(&resource) - reinterpret_cast<std::uintptr_t>(&pool);
    return distance >= sizeof(Pool) && distance < 2 * sizeof(Pool) + sizeof(Slab<int>);
}

TEST_CASE("a resource lies behind its pool, one at a time") {
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool root(domain, "root");
    Pool& pool = root.child("pool");
    const MemoryUsage alone = pool.usage();
    auto& first = pool.make<Slab<int>>("first");
    CHECK(lies_behind(pool, first));
    CHECK(pool.usage() == alone);  // its place was there before
    auto& second = pool.make<Slab<int>>("second");
    CHECK_FALSE(lies_behind(pool, second));
    pool.destroy(first);
    CHECK(lies_behind(pool, pool.make<Slab<int>>("third")));
    CHECK_FALSE(lies_behind(root, root.make<Slab<int>>("in a root")));
}

TEST_CASE("a resource that was adopted outlives the pool it was made in") {
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool root(domain, "root");
    Pool& first = root.child("first");
    Pool& second = root.child("second");
    auto& numbers = first.make<Slab<int>>("numbers");
    second.make<Slab<int>>("of its own");
    numbers.make(42);
    SECTION("when the pool ends before") {
        second.adopt(numbers);
        root.destroy(first);
        // What was free would be used by these.
        root.child("third").make<Slab<int>>("other numbers").make(1);
        CHECK(numbers.live() == 1);
        numbers.for_each([](int number) { CHECK(number == 42); });
        root.child("fourth").adopt(numbers);
        root.destroy(second);
        numbers.verify();
    }
    SECTION("when the pool ends later") {
        second.adopt(numbers);
        root.destroy(second);
        CHECK_FALSE(lies_behind(first, first.make<Slab<int>>("not there yet")));
        root.destroy(first);
    }
    SECTION("when it comes back") {
        second.adopt(numbers);
        first.adopt(numbers);
        first.destroy(numbers);
        CHECK(lies_behind(first, first.make<Slab<int>>("the next one")));
        root.destroy(first);
    }
}

/// Uses the resource, made in one pool and adopted by another of the same domain, with the domain
/// held and then without, when the old pool has gone.
template <class R, class F>
void check_adopted(F&& use) {
    const auto adopt_and_use = [&](bool hold) {
        Domain<Outer> domain("d");
        domain.lock_erased();
        {
            Pool root(domain, "root");
            Pool& first = root.child("first");
            R& resource = first.make<R>("moved");
            root.child("second").adopt(resource);
            root.destroy(first);
            if (!hold) domain.unlock_erased();
            use(resource);
        }
        domain.unlock_erased();
    };
    adopt_and_use(true);
    CHECK(locking::death_of([&] { adopt_and_use(false); }).says("pool root/second", "domain d"));
}

TEST_CASE("a resource that was adopted asks its new pool whether the domain is held") {
    check_adopted<Slab<int>>([](auto& slab) { slab.make(1); });
    check_adopted<IndexedSlab<int>>([](auto& slab) { slab.make(1); });
    check_adopted<Heap>([](auto& heap) { heap.allocate(100); });
    check_adopted<PoolArena>([](auto& arena) { arena.arena().allocate(100); });
}

TEST_CASE("what containers have of a pool keeps its adapter there") {
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    Pool root(domain, "root");
    Pool& first = root.child("first");
    Pool& second = root.child("second");
    auto& memory = first.make<PoolMemory>();
    {
        std::pmr::vector<int> numbers({1, 2, 3}, &memory);
        CHECK(locking::death_of([&] { second.adopt(memory); })
                  .says("pmr memory moved from pool root/first to root/second while others have 1 "
                        "blocks of the old one"));
    }
    second.adopt(memory);
    root.destroy(first);
    std::pmr::vector<int> numbers({1, 2, 3}, &memory);
    CHECK(numbers.back() == 3);
}

}  // namespace
}  // namespace tern::alloc
