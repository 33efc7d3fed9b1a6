// A tree of pools that many threads build, move, clear and describe at the same time.

#include "alloc/arena.h"
#include "alloc/memory_report.h"
#include "alloc/page_source_test.h"
#include "alloc/slab.h"
#include "stress/alloc/model.h"
#include "stress/scale.h"

#include <atomic>
#include <optional>
#include <random>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::alloc::torture {
namespace {

struct Root {
    static constexpr locking::LockRank rank = 100;
    static constexpr std::string_view name = "root";
};

struct Branch {
    static constexpr locking::LockRank rank = 200;
    static constexpr std::string_view name = "branch";
};

struct Leaf {
    static constexpr locking::LockRank rank = 300;
    static constexpr std::string_view name = "leaf";
};

/// Counts how deep a report is and whether it ends where it began.
struct Depth final : MemoryVisitor {
    void enter_pool(std::string_view, std::string_view) override { ++depth; }

    void resource(std::string_view, std::string_view, const MemoryUsage&) override { ++lines; }

    void leave_pool(std::string_view, const MemoryUsage&) override { --depth; }

    int depth = 0;
    int lines = 0;
};

constexpr std::size_t branches = 3;

struct Tree {
    TestSource source;
    PageCache cache{source, PageCacheConfig{}};
    locking::Domain<Root> domain{"the root"};
    std::optional<Pool> root;
    std::array<Pool*, branches> pools{};

    Tree() {
        const auto guard = domain.lock_dynamic();
        root.emplace(domain, "root", cache);
        for (Pool*& pool : pools)
            pool = &root->child_with_domain<Branch>("branch");
    }

    ~Tree() {
        const auto guard = domain.lock_dynamic();
        root.reset();
    }
};

/// Makes and frees below one branch: pools of the same domain, pools with their own, things in all.
void grow(Pool& branch, std::mt19937& random) {
    const locking::TransitLock lock(branch.domain());
    Pool& twig = branch.child("twig");
    for (auto n = random() % 6; n != 0; --n) {
        twig.block(1 + random() % 9000);
        Slab<std::uint64_t>& slab = twig.make<Slab<std::uint64_t>>("numbers");
        for (auto count = random() % 700; count != 0; --count)
            slab.make(count);
        twig.make<PoolArena>("texts").arena().allocate(random() % 5000);
    }
    Pool& leaf = twig.child_with_domain<Leaf>("leaf");
    {
        const locking::TransitLock inner(leaf.domain());
        leaf.block(100);
        leaf.make<Slab<std::uint64_t>>("numbers").make(7u);
    }
    // Elsewhere in this branch.
    Pool& nest = branch.child("nest");
    nest.adopt(leaf);
    if (random() % 2 == 0) branch.destroy(twig);
    if (random() % 2 == 0) nest.clear();
    if (random() % 8 == 0) branch.clear();
}

TEST_CASE("pools are made, moved, cleared and described by many threads at once") {
    Tree tree;
    std::atomic<int> growing{static_cast<int>(branches)};
    std::atomic<int> torn{0};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < branches; ++i) {
        threads.emplace_back([&, i] {
            std::mt19937 random(static_cast<unsigned>(i));
            for (std::uint64_t n = 0; n < stress::scaled(2000); ++n)
                grow(*tree.pools[i], random);
            growing.fetch_sub(1);
        });
    }
    threads.emplace_back([&] {
        while (growing.load() != 0) {
            Depth depth;
            tree.root->report(depth);
            if (depth.depth != 0) torn.fetch_add(1);
            Depth hasty;
            tree.root->report_without_waiting(hasty);
            if (hasty.depth != 0) torn.fetch_add(1);
            (void)tree.root->usage();
            (void)tree.root->find(&tree);
        }
    });
    for (std::thread& thread : threads)
        thread.join();
    CHECK(torn.load() == 0);
    {
        const auto guard = tree.domain.lock_dynamic();
        tree.root->clear();
    }
    CHECK(tree.root->usage().effective == 0);
    tree.cache.verify();
    CHECK(tree.cache.stats().in_use == 0);
}

TEST_CASE("a branch is freed from above while its threads go on in others") {
    const std::uint64_t domains = locking::RankedLock::alive();
    for (std::uint64_t round = 0; round < stress::scaled(200); ++round) {
        Tree tree;
        std::thread busy([&] {
            std::mt19937 random(round);
            for (int n = 0; n < 20; ++n)
                grow(*tree.pools[0], random);
        });
        for (std::size_t i = 1; i < branches; ++i) {
            std::mt19937 random(round);
            grow(*tree.pools[i], random);
            const auto guard = tree.domain.lock_dynamic();
            tree.root->destroy(*tree.pools[i]);
        }
        busy.join();
    }
    CHECK(locking::RankedLock::alive() == domains);
}

}  // namespace
}  // namespace tern::alloc::torture
