#include "locking/use_count.h"

#include "locking/death_test.h"

#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::locking {
namespace {

TEST_CASE("only the last drop schedules a prune") {
    UseCount uses(2);
    int scheduled = 0;
    uses.add();
    uses.drop([&] { ++scheduled; });
    uses.drop([&] { ++scheduled; });
    CHECK(scheduled == 0);
    CHECK(uses.value() == 1);
    CHECK_FALSE(uses.settled_idle());
    uses.drop([&] { ++scheduled; });
    CHECK(scheduled == 1);
    CHECK(uses.settled_idle());
}

TEST_CASE("an object may come to life again before it is pruned") {
    UseCount uses(1);
    int scheduled = 0;
    uses.drop([&] { ++scheduled; });
    uses.add();
    CHECK_FALSE(uses.settled_idle());
    uses.drop([&] { ++scheduled; });
    CHECK(scheduled == 2);
    CHECK(uses.settled_idle());
}

TEST_CASE("one drop too many aborts") {
    CHECK(death_of([] {
              UseCount uses;
              uses.drop([] {});
          }).says("below zero"));
}

TEST_CASE("whoever drops last, the prune is scheduled and finds the count settled") {
    for (int round = 0; round < 200; ++round) {
        UseCount uses(4);
        std::atomic<int> scheduled{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < 50; ++n) {
                    uses.add();
                    uses.drop([&] { scheduled.fetch_add(1); });
                }
                uses.drop([&] { scheduled.fetch_add(1); });
            });
        }
        for (std::thread& thread : threads)
            thread.join();
        CHECK(scheduled.load() >= 1);
        CHECK(uses.settled_idle());
    }
}

}  // namespace
}  // namespace tern::locking
