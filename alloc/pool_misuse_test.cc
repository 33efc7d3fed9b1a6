// What happens to those who use pools wrongly: each case aborts, and says which objects, domains
// and places were involved. The acceptance tests AT-POOL-1 to AT-POOL-4.

#include "alloc/arena.h"
#include "alloc/heap.h"
#include "alloc/memory_report.h"
#include "alloc/pool.h"
#include "alloc/slab.h"
#include "alloc/slab_indexed.h"
#include "alloc/slab_shared.h"
#include "locking/death_test.h"
#include "locking/test_levels.h"

#include <cstring>
#include <memory>
#include <optional>
#include <string>
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

/// A pool with one of everything in it.
struct Setup {
    Domain<Outer> domain{"the domain"};
    Domain<Outer> other{"a different one"};
    std::optional<Pool> pool;
    void* block = nullptr;
    int* object = nullptr;
    Slab<int>* slab = nullptr;
    IndexedSlab<int>* ids = nullptr;
    Arena* arena = nullptr;
    Heap* heap = nullptr;
    void* text = nullptr;
    void* large = nullptr;
    PoolSharedSlab<int>* shared = nullptr;
    int* number = nullptr;
    int* named = nullptr;
    Pool* child = nullptr;
    // Ended by the operation or not at all.
    alignas(Owned<int>) std::byte owned_room[2][sizeof(Owned<int>)];
    Owned<int>* owned_object = nullptr;
    Owned<int>* owned_number = nullptr;

    Setup() {
        locking::TransitLock lock(domain);
        pool.emplace(domain, "the pool");
        block = pool->block(100);
        object = &pool->make<int>(7);
        slab = &pool->make<Slab<int>>("numbers");
        ids = &pool->make<IndexedSlab<int>>("ids");
        arena = &pool->make<PoolArena>("arena").arena();
        number = &slab->make(1);
        named = &ids->make(1);
        child = &pool->child("a child");
        heap = &pool->make<Heap>("texts");
        text = heap->allocate(100);
        large = heap->allocate(10'000);
        shared = &pool->make<PoolSharedSlab<int>>("shared");
        owned_object = ::new (owned_room[0]) Owned<int>(pool->make_owned<int>(1));
        owned_number = ::new (owned_room[1]) Owned<int>(slab->make_owned(1));
    }
};

// Every public operation with the domain held, not held, held by another thread, and with a
// different domain held. Release builds included, since nothing here is a debug check.
void check_matrix(const char* operation, void (*act)(Setup&)) {
    INFO(operation);
    {
        Setup setup;
        Guard<Outer> guard = setup.domain.lock_dynamic();
        act(setup);
        setup.pool.reset();
    }
    CHECK(locking::death_of([&] {
              Setup setup;
              act(setup);
          }).says("the pool", "the domain", "nobody holds it"));
    CHECK(locking::death_of([&] {
              Setup setup;
              setup.domain.lock_erased();
              std::thread([&] { act(setup); }).join();
          }).says("the pool", "the domain", "held by thread", "pool_misuse_test.cc"));
    CHECK(locking::death_of([&] {
              Setup setup;
              Guard<Outer> guard = setup.other.lock_dynamic();
              act(setup);
          }).says("the pool", "the domain", "a different one"));
}

TEST_CASE("AT-POOL-1 each operation on a pool aborts unless its domain is held", "[AT-POOL-1]") {
    check_matrix("make", [](Setup& s) { s.pool->make<int>(1); });
    check_matrix("make resource", [](Setup& s) { s.pool->make<Slab<long>>("s"); });
    check_matrix("make owned", [](Setup& s) { (void)s.pool->make_owned<int>(1); });
    check_matrix("destroy", [](Setup& s) { s.pool->destroy(*s.object); });
    check_matrix("destroy resource", [](Setup& s) { s.pool->destroy(*s.slab); });
    check_matrix("destroy child", [](Setup& s) { s.pool->destroy(*s.child); });
    check_matrix("block", [](Setup& s) { s.pool->block(10); });
    check_matrix("try block", [](Setup& s) { (void)s.pool->try_block(10); });
    check_matrix("block aligned", [](Setup& s) { s.pool->block_aligned(10, 64); });
    check_matrix("resize", [](Setup& s) { s.pool->resize(s.block, 10); });
    check_matrix("try resize", [](Setup& s) { (void)s.pool->try_resize(s.block, 10); });
    check_matrix("release", [](Setup& s) { s.pool->release(s.block); });
    check_matrix("release nothing", [](Setup& s) { s.pool->release(nullptr); });
    check_matrix("child", [](Setup& s) { s.pool->child("c"); });
    check_matrix("child with domain", [](Setup& s) { s.pool->child_with_domain<Inner>("c"); });
    check_matrix("adopt", [](Setup& s) { s.child->adopt(*s.slab); });
    check_matrix("adopt block", [](Setup& s) { s.child->adopt_block_of(*s.pool, s.block); });
    check_matrix("clear", [](Setup& s) { s.pool->clear(); });
    check_matrix("owned object ends", [](Setup& s) { std::destroy_at(s.owned_object); });
    check_matrix("owned object reset", [](Setup& s) { s.owned_object->reset(); });
}

TEST_CASE("AT-POOL-1 each operation on what is in a pool aborts unless its domain is held",
          "[AT-POOL-1]") {
    check_matrix("slab make", [](Setup& s) { s.slab->make(1); });
    check_matrix("slab try make", [](Setup& s) { (void)s.slab->try_make(1); });
    check_matrix("slab destroy", [](Setup& s) { s.slab->destroy(*s.number); });
    check_matrix("slab clear", [](Setup& s) { s.slab->clear(); });
    check_matrix("slab for each", [](Setup& s) { s.slab->for_each([](int&) {}); });
    check_matrix("slab verify", [](Setup& s) { s.slab->verify(); });
    check_matrix("slab embedded", [](Setup& s) { Slab<int> slab(*s.pool, "embedded"); });
    check_matrix("indexed slab make", [](Setup& s) { s.ids->make(1); });
    check_matrix("indexed slab try make", [](Setup& s) { (void)s.ids->try_make(1); });
    check_matrix("indexed slab destroy", [](Setup& s) { s.ids->destroy(*s.named); });
    check_matrix("indexed slab find", [](Setup& s) { s.ids->find(0); });
    check_matrix("indexed slab clear", [](Setup& s) { s.ids->clear(); });
    check_matrix("indexed slab for each",
                 [](Setup& s) { s.ids->for_each([](std::uint32_t, int&) {}); });
    check_matrix("indexed slab verify", [](Setup& s) { s.ids->verify(); });
    check_matrix("arena made", [](Setup& s) { PoolArena arena(*s.pool, "arena"); });
    check_matrix("arena allocate", [](Setup& s) { s.arena->allocate(100); });
    check_matrix("arena large", [](Setup& s) { s.arena->allocate(10000); });
    check_matrix("arena scope", [](Setup& s) { Arena::Scope scope(*s.arena); });
    check_matrix("arena reset", [](Setup& s) { s.arena->reset(); });
    check_matrix("arena release", [](Setup& s) { s.arena->release_all(); });
    check_matrix("slab make owned", [](Setup& s) { (void)s.slab->make_owned(1); });
    check_matrix("owned object of a slab ends", [](Setup& s) { std::destroy_at(s.owned_number); });
}

TEST_CASE("AT-POOL-1 each operation on heaps and shared slabs aborts unless the domain is held",
          "[AT-POOL-1]") {
    check_matrix("heap embedded", [](Setup& s) { Heap heap(*s.pool, "embedded"); });
    check_matrix("heap allocate", [](Setup& s) { s.heap->allocate(10); });
    check_matrix("heap try allocate", [](Setup& s) { (void)s.heap->try_allocate(10); });
    check_matrix("heap allocate aligned", [](Setup& s) { s.heap->allocate_aligned(10, 64); });
    check_matrix("heap deallocate", [](Setup& s) { s.heap->deallocate(s.text, 100); });
    check_matrix("heap deallocate large", [](Setup& s) { s.heap->deallocate(s.large, 10'000); });
    check_matrix("heap clear", [](Setup& s) { s.heap->clear(); });
    check_matrix("heap verify", [](Setup& s) { s.heap->verify(); });
    check_matrix("heap destroy", [](Setup& s) { s.pool->destroy(*s.heap); });
    // Only its objects are free of the domain.
    check_matrix("shared slab made", [](Setup& s) { s.pool->make<PoolSharedSlab<int>>("s"); });
    check_matrix("shared slab embedded",
                 [](Setup& s) { PoolSharedSlab<int> slab(*s.pool, "embedded"); });
    check_matrix("shared slab destroy", [](Setup& s) { s.pool->destroy(*s.shared); });
}

/// For the handler of a failed move: the pools, and how they were before.
struct Move {
    Pool* from;
    Pool* to;
    std::string before;

    std::string trees() const {
        MemoryText text;
        from->report(text);
        to->report(text);
        return text.text();
    }
};

constinit Move* failed_move = nullptr;

void compare_lists(std::string_view report) noexcept {
    for (const Pool* pool : {failed_move->from, failed_move->to}) {
        if (pool->domain().held_by_this_thread()) pool->domain().unlock_erased();
    }
    const std::string after = failed_move->trees();
    std::string text(report);
    text += after == failed_move->before ? "both lists are untouched\n" : "changed to:\n" + after;
    (void)!::write(STDERR_FILENO, text.data(), text.size());
}

TEST_CASE("AT-POOL-2 moving needs both domains and touches nothing if one is missing",
          "[AT-POOL-2]") {
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
        for (const bool whole_pool : {true, false}) {
            const locking::Death death = locking::death_of([&] {
                Domain<Outer> outer("the source");
                Domain<Middle> middle("the target");
                Domain<Inner> inner("what moves");
                outer.lock_erased();
                middle.lock_erased();
                Pool source(outer, "source");
                Pool target(middle, "target");
                target.block(9);
                void* block = source.block(8);
                Pool& child = source.child_of(inner, "child");
                middle.unlock_erased();
                outer.unlock_erased();
                Move move{&source, &target, {}};
                move.before = move.trees();
                failed_move = &move;
                locking::set_violation_handler(compare_lists);
                have_first ? outer.lock_erased() : middle.lock_erased();
                whole_pool ? target.adopt(child) : target.adopt_block_of(source, block);
            });
            INFO(death.report);
            CHECK(death.says(have_first ? "pool target" : "pool source",
                             have_first ? "the target" : "the source", "pool_misuse_test.cc",
                             "both lists are untouched"));
        }
    }
}

template <class From, class To>
concept CanHaveChild = requires(Pool& pool, Held<From>& from, Domain<To>& to) {
    pool.child(from, to, "child");
};

static_assert(CanHaveChild<Outer, Inner> && CanHaveChild<Outer, Middle>);
static_assert(!CanHaveChild<Inner, Outer> && !CanHaveChild<Outer, Outer>);

TEST_CASE("AT-POOL-4 a child of lower or equal rank in another domain is refused", "[AT-POOL-4]") {
    CHECK(locking::death_of([] {
              Domain<Middle> parent("parent domain");
              Domain<Outer> child("child domain");
              Guard<Middle> guard = parent.lock_dynamic();
              Pool pool(parent, "root");
              pool.child_of(child, "below");
          })
              .says("root/below", "parent domain", "child domain", "held by thread",
                    "must rank higher"));
    CHECK(locking::death_of([] {
              Domain<Middle> parent("parent domain");
              Domain<Middle> child("its equal");
              Guard<Middle> guard = parent.lock_dynamic();
              Pool pool(parent, "root");
              pool.child_of(child, "below");
          }).says("its equal", "must rank higher"));
}

#ifdef NDEBUG
TEST_CASE("AT-POOL-3 a build without debug checks aborts all the same", "[AT-POOL-3]") {
    bool debug_checks = false;
    TERN_DEBUG_ASSERT((debug_checks = true));
    CHECK_FALSE(debug_checks);
    check_matrix("make", [](Setup& s) { s.pool->make<int>(1); });
    check_matrix("slab make", [](Setup& s) { s.slab->make(1); });
    check_matrix("arena allocate", [](Setup& s) { s.arena->allocate(100); });
    check_matrix("clear", [](Setup& s) { s.pool->clear(); });
    check_matrix("adopt", [](Setup& s) { s.child->adopt(*s.slab); });
}
#endif

// The texts ------------------------------------------------------------------------------------

/// A tree root/a/b in one domain, which is held.
struct Tree {
    Domain<Outer> domain{"the tree"};
    Guard<Outer> guard = domain.lock_dynamic();
    Pool root{domain, "root"};
    Pool& a = root.child("a");
    Pool& b = a.child("b");
};

TEST_CASE("an object destroyed twice is named with the path of its pool") {
    CHECK(
        locking::death_of([] {
            Tree tree;
            int& number = tree.b.make<int>(1);
            tree.b.destroy(number);
            tree.b.destroy(number);
        }).says("pool_misuse_test.cc", "freed twice", "pool root/a/b", "the tree: held by thread"));
    CHECK(locking::death_of([] {
              Tree tree;
              void* block = tree.b.block(1000);
              tree.b.release(block);
              tree.b.release(block);
          }).says("pool_misuse_test.cc", "freed twice", "pool root/a/b"));
    CHECK(locking::death_of([] {
              Tree tree;
              auto& numbers = tree.b.make<Slab<long>>("numbers");
              numbers.make(1);
              long& number = numbers.make(2);
              numbers.destroy(number);
              numbers.destroy(number);
          })
              .says("pool_misuse_test.cc", "slab numbers in pool root/a/b: 0x",
                    "is destroyed twice", "; domain the tree: held by thread"));
    CHECK(locking::death_of([] {
              Tree tree;
              auto& ids = tree.b.make<IndexedSlab<long>>("ids");
              ids.make(1);
              long& number = ids.make(2);
              ids.destroy(number);
              ids.destroy(number);
          })
              .says("pool_misuse_test.cc", "indexed slab ids in pool root/a/b: 0x",
                    "is destroyed twice", "; domain the tree: held by thread"));
    CHECK(locking::death_of([] {
              Tree tree;
              auto& numbers = tree.b.make<PoolSharedSlab<long>>("numbers").slab();
              long& number = numbers.make(1);
              numbers.destroy(number);
              numbers.destroy(number);
          })
              .says("pool_misuse_test.cc", "shared slab numbers in pool root/a/b: 0x",
                    "is destroyed twice"));
    CHECK(locking::death_of([] {
              // What has no destructor and was not the last one: more than what the depot keeps
              // without looking at the pages.
              SharedSlab<long> numbers(PageCache::process(), "numbers");
              std::vector<long*> made(600);
              for (long*& number : made)
                  number = &numbers.make(1);
              made[301] = made[300];
              for (long* number : made)
                  numbers.destroy(*number);
          }).says("shared slab numbers: 0x", "is destroyed twice", "thread"));
}

TEST_CASE("a foreign pointer is told from an object") {
    CHECK(locking::death_of([] {
              Tree tree;
              long elsewhere[32] = {};
              tree.b.release(elsewhere + 16);
          }).says("pool_misuse_test.cc", "foreign pointer", "pool root/a/b"));
    CHECK(locking::death_of([] {
              Tree tree;
              auto& numbers = tree.b.make<Slab<long>>("numbers");
              auto& others = tree.a.make<Slab<long>>("others");
              numbers.destroy(others.make(1));
          })
              .says("pool_misuse_test.cc", "slab numbers in pool root/a/b: 0x",
                    "is not an object of this slab; domain the tree: held by thread"));
    CHECK(locking::death_of([] {
              Tree tree;
              auto& ids = tree.b.make<IndexedSlab<long>>("ids");
              auto& others = tree.a.make<IndexedSlab<long>>("others");
              ids.destroy(others.make(1));
          })
              .says("pool_misuse_test.cc", "indexed slab ids in pool root/a/b: 0x",
                    "is not an object of this slab; domain the tree: held by thread"));
    CHECK(locking::death_of([] {
              SharedSlab<long> numbers(PageCache::process(), "numbers");
              SharedSlab<long> others(PageCache::process(), "others");
              numbers.destroy(others.make(1));
          })
              .says("pool_misuse_test.cc", "shared slab numbers: 0x",
                    "is not an object of this slab", "thread"));
}

TEST_CASE("an object given to the wrong pool is named with both paths") {
    CHECK(locking::death_of([] {
              Tree tree;
              tree.a.destroy(tree.b.make<int>(1));
          })
              .says("pool_misuse_test.cc", "object", "of pool root/a/b", "given to pool root/a",
                    "held by thread"));
    CHECK(locking::death_of([] {
              Tree tree;
              tree.a.destroy(tree.b.make<Slab<int>>("numbers"));
          })
              .says("slab numbers", "destroyed in pool root/a", "it is in root/a/b",
                    "the tree: held by thread"));
    CHECK(locking::death_of([] {
              Tree tree;
              tree.root.adopt_block_of(tree.a, tree.b.block(10));
          }).says("block", "of pool root/a/b", "given to pool root/a"));
}

TEST_CASE("a pool freed without the domain of its parent is named with its place") {
    const locking::Death child = locking::death_of([] {
        Tree tree;
        tree.domain.unlock_erased();
        tree.a.destroy(tree.b);
    });
    INFO(child.report);
    CHECK(child.says("pool_misuse_test.cc:",
                     "pool root/a used without its domain the tree (rank 100): nobody holds it",
                     "\nthread ", "holds no domain"));
    CHECK(locking::death_of([] {
              Tree tree;
              tree.domain.unlock_erased();
              tree.root.clear();
          })
              .says("pool_misuse_test.cc:",
                    "pool root used without its domain the tree (rank 100): nobody holds it"));
    CHECK(locking::death_of([] {
              Tree tree;
              std::thread([&] { tree.root.destroy(tree.a); }).join();
          })
              .says("pool_misuse_test.cc:",
                    "pool root used without its domain the tree (rank 100): held by thread ",
                    ", taken at "));
    CHECK(locking::death_of([] {
              Tree tree;
              auto embedded = std::make_unique<Slab<int>>(tree.b, "embedded");
              tree.domain.unlock_erased();
              embedded.reset();
          }).says("pool root/a/b used without its domain the tree (rank 100): nobody holds it"));
}

TEST_CASE("the end of a root is a walk: it takes the domain, if the order allows that") {
    struct Witness {
        Witness(const locking::DomainBase& domain_, bool& held_) : domain(domain_), held(held_) {}

        ~Witness() { held = domain.held_by_this_thread(); }

        const locking::DomainBase& domain;
        bool& held;
    };

    Domain<Middle> domain("the root's");
    bool held = false;
    {
        std::optional<Pool> root;
        {
            Guard<Middle> guard = domain.lock_dynamic();
            root.emplace(domain, "root");
            root->make<Witness>(domain, held);
        }
        root.reset();
    }
    CHECK(held);
    CHECK_FALSE(domain.held_by_this_thread());
    const locking::Death death = locking::death_of([] {
        Domain<Middle> own("the root's");
        Domain<Inner> foreign("further inside");
        std::optional<Pool> root;
        root.emplace(own, "root");
        Guard<Inner> guard = foreign.lock_dynamic();
        root.reset();
    });
    INFO(death.report);
    CHECK(
        death.says("lock order violated: domain the root's (rank 200) wanted while further inside "
                   "(rank 300) is held since",
                   "pool_misuse_test.cc:"));
}

TEST_CASE("what is bound to its domain does not move to another") {
    CHECK(locking::death_of([] {
              Tree tree;
              Pool& inner = tree.b.child_with_domain<Inner>("inner");
              const locking::TransitLock lock(inner.domain());
              inner.adopt(tree.a.make<Slab<int>>("numbers"));
          }).says("slab numbers is bound to its domain", "from pool root/a to root/a/b/inner"));
    CHECK(locking::death_of([] {
              Tree tree;
              tree.b.adopt(tree.a);
          }).says("pool a adopted by a pool inside of it"));
}

}  // namespace
}  // namespace tern::alloc
