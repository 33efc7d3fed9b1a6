#include "locking/death_test.h"
#include "locking/shared_guarded.h"
#include "locking/test_levels.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::locking {
namespace {

using testing::Inner;
using testing::Middle;
using testing::Outer;

TEST_CASE("readers share, a writer is alone") {
    SharedDomain<Middle> domain("shared");
    ReadGuard<Middle> mine = domain.read_dynamic();
    CHECK(domain.held_shared_by_this_thread());
    CHECK_FALSE(domain.held_by_this_thread());
    bool entered = false;
    std::thread([&] {
        ReadGuard<Middle> other = domain.read_dynamic();
        entered = true;
    }).join();
    CHECK(entered);
}

TEST_CASE("a read guard is a position for further locks") {
    SharedDomain<Middle> domain("shared");
    Domain<Inner> inner("inner");
    ThreadEntry entry;
    ReadGuard<Middle> read = domain.read(entry);
    Guard<Inner> guard = inner.lock(read);
    CHECK(held_count() == 2);
}

TEST_CASE("writers lose no update and readers see whole ones") {
    SharedDomain<Middle> domain("shared");
    std::uint64_t first = 0;
    std::uint64_t second = 0;
    std::atomic<bool> torn{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            ThreadEntry entry;
            for (int n = 0; n < 5000; ++n) {
                WriteGuard<Middle> guard = domain.write(entry);
                ++first;
                ++second;
            }
        });
        threads.emplace_back([&] {
            ThreadEntry entry;
            for (int n = 0; n < 5000; ++n) {
                ReadGuard<Middle> guard = domain.read(entry);
                if (first != second) torn.store(true);
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(first == 10000);
    CHECK_FALSE(torn.load());
}

TEST_CASE("guarded data is const for readers and open for writers") {
    SharedGuarded<int, Middle> guarded("value", 7);
    ThreadEntry entry;
    CHECK(guarded.write(entry, [](int& value, Held<Middle>&) { return ++value; }) == 8);
    CHECK(guarded.read(entry, [&](const int& value, HeldShared<Middle>& held) {
        return value + guarded(held);
    }) == 16);
    WriteGuard<Middle> guard = guarded.domain().write(entry);
    CHECK(guarded(guard) == 8);
}

TEST_CASE("a token of another shared domain does not open guarded data") {
    CHECK(death_of([] {
              SharedGuarded<int, Middle> guarded("right", 7);
              SharedDomain<Middle> other("wrong");
              ReadGuard<Middle> guard = other.read_dynamic();
              (void)guarded(guard);
          }).says("right", "must be held for reading, but nobody holds it"));
}

TEST_CASE("order is checked as for any domain") {
    CHECK(death_of([] {
              SharedDomain<Outer> shared("shared outer");
              Domain<Inner> inner("inner first");
              Guard<Inner> guard = inner.lock_dynamic();
              ReadGuard<Outer> read = shared.read_dynamic();
          }).says("shared outer", "inner first"));
}

TEST_CASE("a try neither waits nor minds the order") {
    SharedDomain<Outer> shared("shared");
    Domain<Inner> inner("inner");
    Guard<Inner> guard = inner.lock_dynamic();
    REQUIRE(shared.try_lock_shared_erased());
    std::thread([&] {
        CHECK(shared.try_lock_shared_erased());
        shared.unlock_shared_erased();
        CHECK_FALSE(shared.try_lock_erased());
    }).join();
    shared.unlock_shared_erased();
    REQUIRE(shared.try_lock_erased());
    std::thread([&] { CHECK_FALSE(shared.try_lock_shared_erased()); }).join();
    shared.unlock_erased();
    CHECK(shared.stats().writes == 1);
    CHECK(death_of([&] {
              REQUIRE(shared.try_lock_shared_erased());
              (void)shared.try_lock_shared_erased();
          }).says("shared (rank 100) taken twice"));
}

}  // namespace
}  // namespace tern::locking
