#include "alloc/arena.h"

#include "alloc/io_buffer.h"
#include "alloc/page_source_test.h"
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

struct Fixture {
    TestSource source;
    PageCache cache{source, PageCacheConfig{}};
};

TEST_CASE("nothing from an empty arena is an address all the same") {
    TestSource source;
    PageCache cache(source, PageCacheConfig{});
    Arena arena(cache);
    CHECK(arena.allocate(0) != nullptr);
    arena.release_all();
    CHECK(arena.allocate(0) != nullptr);
    const Arena::Mark start;
    arena.release_all();
    arena.rewind(start);
    arena.reset();
    CHECK(arena.allocate(0, 1) != nullptr);
}

TEST_CASE("an arena gives aligned memory that does not overlap") {
    Fixture fixture;
    Arena arena(fixture.cache);
    std::mt19937 random(7);
    std::vector<std::pair<unsigned char*, std::size_t>> all;
    for (int i = 0; i < 2000; ++i) {
        const std::size_t bytes = random() % 300 + (i % 100 == 0 ? 5000 : 0);
        const std::size_t alignment = std::size_t{1} << (random() % 7);
        auto* start = static_cast<unsigned char*>(arena.allocate(bytes, alignment));
        CHECK(reinterpret_cast<std::uintptr_t>(start) % alignment == 0);
        std::memset(start, i & 0xff, bytes);
        all.emplace_back(start, bytes);
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t n = 0; n < all[i].second; ++n) {
            if (all[i].first[n] != (i & 0xff)) FAIL("allocation " << i << " was overwritten");
        }
    }
    arena.release_all();
    CHECK(arena.held_bytes() == 0);
    CHECK(fixture.cache.stats().in_use == 0);
}

TEST_CASE("a rewind frees what came after the mark and nothing else") {
    Fixture fixture;
    Arena arena(fixture.cache);
    int& kept = arena.make<int>(42);
    const std::size_t before = arena.held_bytes();
    {
        Arena::Scope scope(arena);
        for (int i = 0; i < 1000; ++i)
            arena.make_array<std::uint64_t>(20);
        arena.allocate(100000);
        {
            Arena::Scope inner(arena);
            arena.allocate(200000);
        }
        CHECK(arena.held_bytes() > 100000);
    }
    CHECK(arena.held_bytes() == before);
    CHECK(kept == 42);
    CHECK(arena.contains(&kept));
    CHECK_FALSE(arena.contains(&fixture));
}

TEST_CASE("a scope around an empty arena keeps one page for the next") {
    Fixture fixture;
    Arena arena(fixture.cache);
    for (int i = 0; i < 100; ++i) {
        Arena::Scope scope(arena);
        arena.allocate(5000);
        for (int n = 0; n < 10; ++n)
            arena.allocate(1000);
    }
    CHECK(arena.held_bytes() == page_bytes);
    arena.reset();
    CHECK(arena.held_bytes() == page_bytes);
}

TEST_CASE("copies of texts and spans are independent") {
    Fixture fixture;
    Arena arena(fixture.cache);
    std::string text = "export where";
    const std::string_view copy = arena.copy(text);
    text[0] = 'E';
    CHECK(copy == "export where");
    const int numbers[] = {1, 2, 3};
    const std::span<int> copied = arena.copy(std::span<const int>(numbers));
    CHECK(copied.size() == 3);
    CHECK(copied[2] == 3);
    CHECK(arena.copy(std::string_view()).empty());
    CHECK(arena.make_array<int>(5)[4] == 0);
}

TEST_CASE("a rewind to a void mark aborts") {
    CHECK(locking::death_of([] {
              Fixture fixture;
              Arena arena(fixture.cache);
              arena.allocate(8);
              for (int i = 0; i < 10; ++i)
                  arena.allocate(1000);
              const Arena::Mark late = arena.mark();
              arena.reset();
              arena.rewind(late);
          }).says("mark that is void"));
}

TEST_CASE("rewound bytes are poisoned for the address sanitizer") {
    if (!Poison::asan()) return;
    Fixture fixture;
    Arena arena(fixture.cache);
    arena.allocate(8);
    const Arena::Mark mark = arena.mark();
    void* later = arena.allocate(64);
    CHECK_FALSE(Poison::hidden(later));
    arena.rewind(mark);
    CHECK(Poison::hidden(later));
}

TEST_CASE("an arena of a pool is checked against the domain and listed") {
    using locking::testing::Outer;
    Fixture fixture;
    locking::Domain<Outer> domain("d");
    locking::Guard<Outer> guard = domain.lock_dynamic();
    Pool pool(domain, "root", fixture.cache);
    PoolArena& member = pool.make<PoolArena>("temporary");
    member.arena().allocate(100);
    CHECK(member.memory().effective == page_bytes);
    CHECK(locking::death_of([&] {
              std::thread([&] { member.arena().allocate(1); }).join();
          }).says("root", "without its domain"));
}

TEST_CASE("the scratch arena belongs to the thread") {
    Arena* mine = &scratch();
    {
        Arena::Scope scope(scratch());
        scratch().allocate(100);
    }
    Arena* other = nullptr;
    std::thread([&] {
        Arena::Scope scope(scratch());
        scratch().allocate(100);
        other = &scratch();
    }).join();
    CHECK(mine != other);
    PageCache::process().verify();
}

TEST_CASE("scopes of an arena end inside out") {
    Fixture fixture;
    Arena arena(fixture.cache);
    {
        Arena::Scope outer(arena);
        CHECK(arena.copy("outer") == "outer");
        {
            Arena::Scope inner(arena);
            arena.allocate(3 * page_bytes);
            CHECK(arena.in_scope());
        }
        CHECK(arena.held_bytes() == page_bytes);
        CHECK(arena.in_scope());
    }
    CHECK_FALSE(arena.in_scope());
    CHECK(locking::death_of([&] {
              std::optional<Arena::Scope> outer(std::in_place, arena);
              std::optional<Arena::Scope> inner(std::in_place, arena);
              outer.reset();
          }).says("ended before one within it"));
}

TEST_CASE("trimming scratch memory gives back the page that is kept, but nothing of a scope") {
    {
        Arena::Scope scope(scratch());
        const std::string_view text = scratch().copy("in use");
        trim_scratch();
        CHECK(text == "in use");
        CHECK(scratch().held_bytes() == page_bytes);
    }
    CHECK(scratch().held_bytes() == page_bytes);
    trim_scratch();
    CHECK(scratch().held_bytes() == 0);
}

// IoBuffer -------------------------------------------------------------------------------------

std::span<const std::byte> bytes_of(std::string_view text) {
    return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

TEST_CASE("a buffer takes, gives and compacts") {
    Fixture fixture;
    IoBuffer buffer(fixture.cache, 5000);
    CHECK(buffer.capacity() == 2 * page_bytes);
    CHECK(buffer.empty());
    CHECK(buffer.append(bytes_of("0123456789")) == 10);
    buffer.consume(4);
    CHECK(buffer.readable().size() == 6);
    CHECK(static_cast<char>(buffer.readable()[0]) == '4');
    buffer.compact();
    CHECK(buffer.writable().size() == buffer.capacity() - 6);
    CHECK(static_cast<char>(buffer.readable()[0]) == '4');
    buffer.consume(6);
    CHECK(buffer.writable().size() == buffer.capacity());
    buffer.commit(buffer.capacity());
    CHECK(buffer.append(bytes_of("x")) == 0);
    CHECK(locking::death_of([&] { buffer.commit(1); }).says("beyond the buffer"));
    CHECK(locking::death_of([&] { buffer.consume(100000); }).says("beyond the contents"));
}

TEST_CASE("a released or moved buffer lends nothing") {
    Fixture fixture;
    IoBuffer buffer(fixture.cache, 1);
    IoBuffer moved = std::move(buffer);
    CHECK_FALSE(static_cast<bool>(buffer));
    CHECK(buffer.writable().empty());
    CHECK(fixture.cache.stats().in_use == 1);
    moved.release();
    CHECK(fixture.cache.stats().in_use == 0);
    moved = IoBuffer(fixture.cache, 1);
    CHECK(fixture.cache.stats().in_use == 1);
}

TEST_CASE("a shared block lives as long as its last user") {
    Fixture fixture;
    IoBlock block(fixture.cache, 4000);
    CHECK(block.capacity() >= 4000);
    std::memcpy(block.writable().data(), "stream", 6);
    block.commit(6);
    IoBlock copy = block;
    CHECK(copy.users() == 2);
    CHECK(copy == block);
    block.release();
    CHECK(copy.users() == 1);
    CHECK(copy.readable().size() == 6);
    CHECK(static_cast<char>(copy.readable()[0]) == 's');
    std::thread([moved = std::move(copy)]() mutable { moved.release(); }).join();
    CHECK(fixture.cache.stats().in_use == 0);
    CHECK(IoBlock().size() == 0);
}

}  // namespace
}  // namespace tern::alloc
