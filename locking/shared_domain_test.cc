#include "locking/shared_domain.h"

#include "locking/death_test.h"
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

TEST_CASE("order and recursion are checked as for any domain") {
    CHECK(death_of([] {
              SharedDomain<Outer> shared("shared outer");
              Domain<Inner> inner("inner first");
              Guard<Inner> guard = inner.lock_dynamic();
              ReadGuard<Outer> read = shared.read_dynamic();
          }).says("shared outer", "inner first"));
    CHECK(death_of([] {
              SharedDomain<Outer> shared("upgraded");
              ReadGuard<Outer> read = shared.read_dynamic();
              WriteGuard<Outer> write = shared.write_dynamic();
          }).says("taken twice", "upgraded"));
}

TEST_CASE("reading rights are not writing rights") {
    CHECK(death_of([] {
              SharedDomain<Outer> shared("guarded");
              ReadGuard<Outer> read = shared.read_dynamic();
              shared.assert_held_shared();
              shared.assert_held();
          }).says("guarded", "for writing"));
    CHECK(death_of([] {
              SharedDomain<Outer> shared("guarded");
              shared.assert_held_shared();
          }).says("guarded", "for reading"));
}

}  // namespace
}  // namespace tern::locking
