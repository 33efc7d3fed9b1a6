// What is said about a tree of pools: sums, text, JSON, addresses. The acceptance test AT-POOL-6.

#include "alloc/arena.h"
#include "alloc/heap.h"
#include "alloc/io_buffer.h"
#include "alloc/memory_report.h"
#include "alloc/page_source_test.h"
#include "alloc/pool.h"
#include "alloc/slab.h"
#include "alloc/slab_indexed.h"
#include "alloc/slab_shared.h"
#include "locking/death_test.h"
#include "locking/test_levels.h"

#include <array>
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

namespace tern::alloc {
namespace {

using locking::Domain;
using locking::Guard;
using locking::testing::Inner;
using locking::testing::Outer;

TEST_CASE("AT-POOL-6 a report while others allocate adds up", "[AT-POOL-6]") {
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
    for (int i = 0; i < 50; ++i) {
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

TEST_CASE(
    "AT-POOL-6 reports of many threads' pools are whole and their sums are those of the lines",
    "[AT-POOL-6]") {
    /// Adds up what it is told.
    struct Sum final : MemoryVisitor {
        void enter_pool(std::string_view, std::string_view) override { ++open; }

        void resource(std::string_view, std::string_view, const MemoryUsage& usage) override {
            lines += usage.effective;
        }

        void leave_pool(std::string_view, const MemoryUsage& usage) override {
            if (--open == 0) total = usage.effective;
        }

        int open = 0;
        std::size_t lines = 0;
        std::size_t total = 0;
    };

    Domain<Outer> outer("outer");
    std::optional<Pool> root;
    std::array<Pool*, 3> pools{};
    {
        Guard<Outer> guard = outer.lock_dynamic();
        root.emplace(outer, "root");
        for (Pool*& pool : pools)
            pool = &root->child_with_domain<Inner>("busy");
    }
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (Pool* pool : pools) {
        threads.emplace_back([&stop, pool] {
            std::vector<void*> blocks;
            while (!stop.load()) {
                const locking::TransitLock lock(pool->domain());
                blocks.push_back(pool->block(64));
                if (blocks.size() < 20) continue;
                for (void* block : blocks)
                    pool->release(block);
                blocks.clear();
            }
            const locking::TransitLock lock(pool->domain());
            pool->clear();
        });
    }
    for (int i = 0; i < 50; ++i) {
        Sum sum;
        root->report(sum);
        CHECK(sum.open == 0);
        CHECK(sum.lines == sum.total);
        CHECK(sum.total % 64 == 0);
        CHECK(sum.total <= pools.size() * 20 * 64);
    }
    stop.store(true);
    for (std::thread& thread : threads)
        thread.join();
    CHECK(root->usage().effective == 0);
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
    const std::optional<AddressOwner> found = root.find(number);
    REQUIRE(found);
    CHECK(found->pool == "root/child");
    CHECK(found->kind == "slab");
    CHECK(found->name == "numbers");
    CHECK(found->part == "live object");
    CHECK(root.find(number + 4)->part == "free slot");
    CHECK(root.find(&child)->kind == "pool");
    int local = 0;
    CHECK_FALSE(root.find(&local));
    CHECK(locking::held_count() == 1);
}

TEST_CASE("all that is cut from pages is in the reports and found by address") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    Domain<Outer> outer("outer");
    Guard<Outer> guard = outer.lock_dynamic();
    Pool root(outer, "root", cache);
    auto& shared = root.make<PoolSharedSlab<int>>("events").slab();
    int* event = &shared.make(1);
    int* route = &root.make<IndexedSlab<int>>("routes").make(2);
    void* text = root.make<PoolArena>("texts").arena().allocate(10);
    void* block = root.make<Heap>("blocks").allocate(10);
    void* large = root.block(10000);
    IoBuffer buffer(cache, 1);
    const auto tells = [&](const void* address, std::string_view kind, std::string_view name,
                           std::string_view part) {
        const std::optional<AddressOwner> found = root.find(address);
        REQUIRE(found);
        CHECK(found->pool == "root");
        CHECK(found->kind == kind);
        CHECK(found->name == name);
        CHECK(found->part == part);
    };
    tells(event, "shared slab", "events", "object, or free in a thread's stock");
    tells(page_of(event) + 255 * 16, "shared slab", "events", "free slot");
    tells(route, "indexed slab", "routes", "");
    tells(text, "arena", "texts", "");
    tells(block, "heap", "blocks", "block");
    tells(large, "block", "", "");
    tells(buffer.writable().data(), "page cache", "", "in use");
    shared.destroy(*event);
    MemoryJson json;
    root.report(json);
    for (const char* kind : {"shared slab", "indexed slab", "arena", "heap", "block"}) {
        INFO(kind);
        CHECK(json.text().find("{\"kind\":\"" + std::string(kind)) != std::string::npos);
    }
    CHECK(root.usage().effective >= 4 + page_bytes + 10 + 10000);
}

/// A small tree whose figures do not depend on the machine.
struct Figures {
    void tell(MemoryVisitor& visitor) const {
        visitor.enter_pool("root", "main");
        visitor.resource("block", "", {10, 2});
        visitor.enter_pool("say \"hi\"\n", "inner");
        visitor.resource("slab", "routes\\", {30, 4});
        visitor.leave_pool("say \"hi\"\n", {30, 5});
        visitor.leave_pool("root", {40, 9});
    }
};

TEST_CASE("a report is text, one line for each resource") {
    MemoryText text;
    text.enter_pool("root", "main");
    text.resource("block", "", {10, 2});
    text.enter_pool("child", "inner");
    text.resource("slab", "routes", {30, 4});
    text.leave_pool("child", {30, 5});
    text.leave_pool("root", {40, 9});
    CHECK(text.text() ==
          "pool root in domain main\n"
          "  block: 10 + 2\n"
          "  pool child in domain inner\n"
          "    slab routes: 30 + 4\n"
          "    all of child: 30 + 5\n"
          "  all of root: 40 + 9\n");
}

TEST_CASE("a report is JSON, whatever the names") {
    MemoryJson json;
    Figures().tell(json);
    CHECK(json.text() == R"({"pool":"root","domain":"main","contents":[)"
                         R"({"kind":"block","name":"","effective":10,"overhead":2},)"
                         R"({"pool":"say \"hi\"\u000a","domain":"inner","contents":[)"
                         R"({"kind":"slab","name":"routes\\","effective":30,"overhead":4}],)"
                         R"("effective":30,"overhead":5}],"effective":40,"overhead":9})");
}

TEST_CASE("the last words of a process have the tree, but for what another thread holds") {
    Domain<Outer> outer("outer");
    Domain<Inner> inner("inner");
    const locking::Death death = locking::death_of([&] {
        TestSource source;
        PageCache cache(source, PageCacheConfig{});
        Guard<Outer> guard = outer.lock_dynamic();
        Pool root(outer, "root", cache);
        root.block(77);
        Pool& busy = root.child(guard, inner, "in work");
        root.child("calm").make<Slab<int>>("numbers");
        std::atomic<bool> taken{false};
        std::thread([&] {
            inner.lock_erased();
            taken.store(true);
            taken.notify_one();
            taken.wait(true);  // for ever: the process dies with the domain held
        }).detach();
        taken.wait(false);
        cache.on_exhaustion(
            [](void* context, locking::TextBuffer&) noexcept {
                MemoryLines lines(STDERR_FILENO);
                static_cast<Pool*>(context)->report_without_waiting(lines);
            },
            &root);
        source.fail_from(1);
        (void)busy;
        root.block(100000);
    });
    INFO(death.report);
    CHECK(death.says("pool root in domain outer\n", "  block: 77 + ",
                     "  busy pool in work: 0 + 0\n", "    slab numbers: 0 + ",
                     "bytes in pool root"));
}

TEST_CASE("of a large tree the last words have who uses most, the largest first") {
    const locking::Death death = locking::death_of([] {
        Domain<Outer> domain("outer");
        Guard<Outer> guard = domain.lock_dynamic();
        TestSource source;
        PageCache cache(source, PageCacheConfig{});
        Pool root(domain, "root", cache);
        for (std::size_t i = 0; i < 40; ++i)
            root.child("small").block(10 + i);
        root.child("large").child(std::string(200, 'x')).block(7000);
        root.child("middle").block(300);
        cache.on_exhaustion(tell_largest, &root);
        source.fail_from(1);
        root.block(3 * region_bytes);
    });
    INFO(death.report);
    const auto at = [&](const char* text) { return death.report.find(text); };
    CHECK(death.says("bytes in use + overhead, the largest first:\n  pool root: ",
                     "  block in pool root/large/xxx", "  pool root/middle: 300 + ",
                     "bytes in pool root"));
    CHECK(at("  pool root: ") < at("  pool root/large: 7000 + "));
    CHECK(at("  pool root/large: 7000 + ") < at("  pool root/large/xxx"));
    CHECK(at("  block in pool root/large/xxx") < at("  pool root/middle: 300"));
    CHECK(at("  pool root/middle: 300") < at("  pool root/small: 49 + "));
    // 41 small and middle pools with a block each, two large ones with one, the root: 86 in all.
    CHECK(death.says("  and 70 more\n"));
    CHECK(at("  pool root/small: 10 + ") == std::string::npos);
}

}  // namespace
}  // namespace tern::alloc
