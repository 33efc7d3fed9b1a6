#include "alloc/pool.h"

#include "alloc/arena.h"
#include "alloc/slab.h"
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
using locking::Held;
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

// AT-POOL-1: every public operation with the domain held, not held, held by another thread, and
// with a different domain held. Release builds included, since nothing here is a debug check.
template <class F>
void check_matrix(const char* operation, F&& act) {
    INFO(operation);

    struct Setup {
        Domain<Outer> domain{"the domain"};
        Domain<Outer> other{"a different one"};
        std::optional<Pool> pool;
        void* block = nullptr;
        int* object = nullptr;
        Slab<int>* slab = nullptr;

        Setup() {
            locking::TransitLock lock(domain);
            pool.emplace(domain, "the pool");
            block = pool->block(100);
            object = &pool->make<int>(7);
            slab = &pool->make<Slab<int>>("numbers");
        }
    };

    {
        Setup setup;
        Guard<Outer> guard = setup.domain.lock_dynamic();
        act(setup);
        setup.pool.reset();
    }
    CHECK(locking::death_of([&] {
              Setup setup;
              act(setup);
          }).says("the pool", "the domain"));
    CHECK(locking::death_of([&] {
              Setup setup;
              setup.domain.lock_erased();
              std::thread([&] { act(setup); }).join();
          }).says("the pool", "the domain"));
    CHECK(locking::death_of([&] {
              Setup setup;
              Guard<Outer> guard = setup.other.lock_dynamic();
              act(setup);
          }).says("the pool", "the domain", "a different one"));
}

TEST_CASE("each operation on a pool aborts unless its domain is held") {
    check_matrix("make", [](auto& s) { s.pool->template make<int>(1); });
    check_matrix("make resource", [](auto& s) { s.pool->template make<Slab<long>>("s"); });
    check_matrix("destroy", [](auto& s) { s.pool->destroy(*s.object); });
    check_matrix("block", [](auto& s) { s.pool->block(10); });
    check_matrix("resize", [](auto& s) { s.pool->resize(s.block, 10); });
    check_matrix("release", [](auto& s) { s.pool->release(s.block); });
    check_matrix("child", [](auto& s) { s.pool->child("c"); });
    check_matrix("child with domain",
                 [](auto& s) { s.pool->template child_with_domain<Inner>("c"); });
    check_matrix("clear", [](auto& s) { s.pool->clear(); });
    check_matrix("slab make", [](auto& s) { s.slab->make(1); });
    check_matrix("slab clear", [](auto& s) { s.slab->clear(); });
    check_matrix("slab for each", [](auto& s) { s.slab->for_each([](int&) {}); });
    check_matrix("slab embedded", [](auto& s) { Slab<int> slab(*s.pool, "embedded"); });
    check_matrix("arena", [](auto& s) { PoolArena arena(*s.pool, "arena"); });
}

// AT-POOL-2
TEST_CASE("moving needs both domains and touches nothing if one is missing") {
    {
        Domain<Outer> first("first");
        Domain<Middle> second("second");
        Guard<Outer> a = first.lock_dynamic();
        Guard<Middle> b = second.lock_dynamic();
        Pool from(first, "from");
        Pool to(second, "to");
        void* block = from.block(32);
        std::memset(block, 7, 32);
        to.adopt_block_of(from, block);
        CHECK(from.usage().effective == 0);
        CHECK(to.usage().effective == 32);
        to.release(block);
    }
    for (const bool have_first : {true, false}) {
        const locking::Death death = locking::death_of([&] {
            Domain<Outer> outer("the source");
            Domain<Middle> middle("the target");
            outer.lock_erased();
            middle.lock_erased();
            Pool source(outer, "source");
            Pool target(middle, "target");
            void* moved = source.block(8);
            middle.unlock_erased();
            if (!have_first) {
                outer.unlock_erased();
                middle.lock_erased();
            }
            target.adopt_block_of(source, moved);
        });
        CHECK(death.says(have_first ? "the target" : "the source"));
    }
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

// AT-POOL-4
template <class From, class To>
concept CanHaveChild = requires(Pool& pool, Held<From>& from, Domain<To>& to) {
    pool.child(from, to, "child");
};

static_assert(CanHaveChild<Outer, Inner> && CanHaveChild<Outer, Middle>);
static_assert(!CanHaveChild<Inner, Outer> && !CanHaveChild<Outer, Outer>);

TEST_CASE("a child of lower or equal rank in another domain is refused") {
    CHECK(locking::death_of([] {
              Domain<Middle> parent("parent domain");
              Domain<Outer> child("child domain");
              Guard<Middle> guard = parent.lock_dynamic();
              Pool pool(parent, "root");
              pool.child_of(child, "below");
          }).says("root/below", "parent domain", "child domain", "must rank higher"));
    CHECK(locking::death_of([] {
              Domain<Middle> parent("parent domain");
              Domain<Middle> child("its equal");
              Guard<Middle> guard = parent.lock_dynamic();
              Pool pool(parent, "root");
              pool.child_of(child, "below");
          }).says("its equal", "must rank higher"));
}

// AT-POOL-5
TEST_CASE("mass free waits for the holders of inner domains and never inverts") {
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

// AT-POOL-6
TEST_CASE("a report while others allocate adds up") {
    Domain<Outer> outer("outer");
    Domain<Inner> inner("inner");
    locking::ThreadEntry entry;
    std::optional<Pool> root;
    Pool* child = nullptr;
    {
        Guard<Outer> guard = outer.lock(entry);
        root.emplace(outer, "root");
        child = &root->child(guard, inner, "busy");
    }
    std::atomic<bool> stop{false};
    std::thread worker([&] {
        while (!stop.load()) {
            Guard<Inner> guard = inner.lock_dynamic();
            void* block = child->block(100);
            child->release(block);
        }
    });
    MemoryUsage empty;
    for (int i = 0; i < 200; ++i) {
        MemoryText text;
        root->report(text);
        const MemoryUsage usage = root->usage();
        CHECK(usage.effective == 0);
        if (i == 0) empty = usage;
        CHECK(usage == empty);
        CHECK(text.text().find("pool busy in domain inner") != std::string::npos);
    }
    stop.store(true);
    worker.join();
    CHECK(locking::held_count() == 0);
}

// AT-POOL-7
TEST_CASE("a domain owned by a pool goes with it") {
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

TEST_CASE("find tells which resource an address belongs to") {
    Domain<Outer> outer("outer");
    Domain<Inner> inner("inner");
    Guard<Outer> guard = outer.lock_dynamic();
    Pool root(outer, "root");
    Pool& child = root.child(guard, inner, "child");
    int* number = nullptr;
    {
        Guard<Inner> deeper = inner.lock(guard);
        number = &child.make<Slab<int>>("numbers").make(4);
    }
    Resource* found = root.find(number);
    REQUIRE(found != nullptr);
    CHECK(found->kind() == "slab");
    CHECK(found->name() == "numbers");
    CHECK(found->parent() == &child);
    int local = 0;
    CHECK(root.find(&local) == nullptr);
    CHECK(locking::held_count() == 1);
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

}  // namespace
}  // namespace tern::alloc
