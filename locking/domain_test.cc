#include "locking/domain.h"

#include "locking/death_test.h"
#include "locking/guarded.h"
#include "locking/rcu.h"
#include "locking/test_levels.h"
#include "locking/thread_owner.h"

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::locking {
namespace {

using testing::Inner;
using testing::Leaf;
using testing::Middle;
using testing::Outer;

template <class From, class To>
concept CanLock = requires(Held<From>& from, Domain<To>& to) {
    to.lock(from);
};

// The first line of defence: a wrong order does not compile.
static_assert(CanLock<Nothing, Outer> && CanLock<Nothing, Leaf>);
static_assert(CanLock<Outer, Middle> && CanLock<Outer, Inner> && CanLock<Middle, Inner>);
static_assert(!CanLock<Middle, Outer> && !CanLock<Inner, Outer> && !CanLock<Inner, Middle>);
static_assert(!CanLock<Outer, Outer> && !CanLock<Leaf, Leaf> && !CanLock<Leaf, Inner>);
static_assert(!std::is_copy_constructible_v<Guard<Outer>> &&
              !std::is_move_constructible_v<Guard<Outer>>);
static_assert(testing::Order::name_of(200) == "middle" && testing::Order::name_of(201).empty());

TEST_CASE("a domain is held between lock and the end of the scope") {
    Domain<Outer> domain("d");
    ThreadEntry entry;
    CHECK_FALSE(domain.held_by_this_thread());
    {
        Guard<Outer> guard = domain.lock(entry);
        CHECK(domain.held_by_this_thread());
        CHECK(held_count() == 1);
        domain.assert_held();
    }
    CHECK_FALSE(domain.held_by_this_thread());
    CHECK(held_count() == 0);
    CHECK(domain.stats().acquisitions == 1);
}

TEST_CASE("a long name is cut, not lost") {
    const std::string name(100, 'n');
    Domain<Outer> domain(name);
    CHECK(domain.name() == name.substr(0, RankedLock::name_bytes_max));
}

TEST_CASE("another thread does not hold what this one holds") {
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    bool held = true;
    std::thread([&] { held = domain.held_by_this_thread(); }).join();
    CHECK_FALSE(held);
}

TEST_CASE("domains exclude each other's threads") {
    Domain<Outer> domain("counter");
    std::uint64_t counter = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            ThreadEntry entry;
            for (int n = 0; n < 20000; ++n) {
                Guard<Outer> guard = domain.lock(entry);
                ++counter;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(counter == 80000);
    CHECK(domain.stats().acquisitions == 80000);
}

TEST_CASE("two domains of one level abort without a pair lock") {
    const Death death = death_of([] {
        Domain<Outer> a("a one");
        Domain<Outer> b("b two");
        Guard<Outer> first = a.lock_dynamic();
        Guard<Outer> second = b.lock_dynamic();
    });
    CHECK(death.says("lock order violated", "a one", "b two"));
}

TEST_CASE("leaves may be taken in a read section") {
    Domain<Leaf> leaf("leaf");
    rcu::ReadSection section;
    Guard<Leaf> guard = leaf.lock_dynamic();
    CHECK(leaf.held_by_this_thread());
}

TEST_CASE("try fails on a taken domain and may go against the order") {
    Domain<Outer> outer("outer");
    Domain<Middle> middle("middle");
    Domain<Inner> inner("inner");
    Guard<Middle> guard = middle.lock_dynamic();
    {
        TryGuard<Outer> against = outer.try_lock();
        CHECK(static_cast<bool>(against));
        // The floor stays at the highest rank held, not at the last one.
        Guard<Inner> above = inner.lock_dynamic();
        CHECK(held_count() == 3);
    }
    bool taken = true;
    std::thread([&] { taken = static_cast<bool>(middle.try_lock()); }).join();
    CHECK_FALSE(taken);
    CHECK_FALSE(static_cast<bool>(middle.try_lock()));
}

TEST_CASE("after a try against the order the higher rank still counts") {
    const Death death = death_of([] {
        Domain<Outer> outer("low");
        Domain<Middle> middle("wanted");
        Domain<Inner> inner("high");
        Guard<Inner> guard = inner.lock_dynamic();
        TryGuard<Outer> against = outer.try_lock();
        Guard<Middle> wrong = middle.lock_dynamic();
    });
    CHECK(death.says("wanted (rank 200)", "high (rank 300)"));
}

TEST_CASE("a transit lock takes a domain only if it is not held") {
    Domain<Outer> domain("d");
    {
        TransitLock lock(domain);
        CHECK(lock.locked());
        TransitLock again(domain);
        CHECK_FALSE(again.locked());
        CHECK(held_count() == 1);
    }
    CHECK(held_count() == 0);
}

TEST_CASE("pairs of one level may be locked from both sides at once") {
    Domain<Outer> a("a");
    Domain<Outer> b("b");
    std::uint64_t sum = 0;
    auto work = [&](Domain<Outer>& first, Domain<Outer>& second) {
        ThreadEntry entry;
        for (int i = 0; i < 20000; ++i) {
            PairLock<Outer> pair(entry, first, second);
            ++sum;
        }
    };
    std::thread one([&] { work(a, b); });
    std::thread two([&] { work(b, a); });
    one.join();
    two.join();
    CHECK(sum == 40000);
}

TEST_CASE("groups of one level may be locked in any order of naming them") {
    std::vector<Domain<Outer>> domains(5);
    std::uint64_t sum = 0;
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 3; ++seed) {
        threads.emplace_back([&, seed] {
            std::mt19937 random(seed);
            std::vector<Domain<Outer>*> all;
            for (Domain<Outer>& domain : domains)
                all.push_back(&domain);
            ThreadEntry entry;
            for (int i = 0; i < 2000; ++i) {
                std::shuffle(all.begin(), all.end(), random);
                GroupLock<Outer> group(entry, all);
                if (held_count() != domains.size()) std::abort();
                ++sum;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    CHECK(sum == 6000);
}

TEST_CASE("a sibling is refused if a higher rank is held through a try") {
    CHECK(death_of([] {
              Domain<Outer> a("a");
              Domain<Outer> b("b");
              Domain<Inner> high("high");
              Guard<Inner> guard = high.lock_dynamic();
              TryGuard<Outer> against = a.try_lock();
              b.lock_sibling_erased();
          }).says("domain b (rank 100) wanted while high (rank 300) is held"));
}

TEST_CASE("a release scope gives the domain up and takes it again") {
    Domain<Outer> domain("d");
    Guard<Outer> guard = domain.lock_dynamic();
    {
        ReleaseScope<Outer> released(guard);
        CHECK_FALSE(domain.held_by_this_thread());
        std::thread([&] { Guard<Outer> other = domain.lock_dynamic(); }).join();
    }
    CHECK(domain.held_by_this_thread());
}

TEST_CASE("a release scope of an outer domain aborts") {
    const Death death = death_of([] {
        Domain<Outer> outer("outer one");
        Domain<Inner> inner("inner one");
        Guard<Outer> first = outer.lock_dynamic();
        Guard<Inner> second = inner.lock_dynamic();
        ReleaseScope<Outer> released(first);
    });
    CHECK(death.says("outer one", "released before inner one"));
}

TEST_CASE("a thread entry with something held aborts") {
    const Death death = death_of([] {
        Domain<Outer> domain("left over");
        domain.lock_erased();
        ThreadEntry entry;
    });
    CHECK(death.says("thread entry", "left over"));
}

TEST_CASE("guarded data is reached with a lock or a token of its own domain") {
    Guarded<int, Middle> guarded("value", 7);
    ThreadEntry entry;
    CHECK(guarded.with(entry, [](int& value, Held<Middle>&) { return ++value; }) == 8);
    Guard<Middle> guard = guarded.domain().lock(entry);
    CHECK(guarded(guard) == 8);
    Proof<Middle> proof = guarded.domain().proof();
    CHECK(guarded(proof) == 8);
}

TEST_CASE("an object without lock admits its thread only, until handed over") {
    ThreadOwner owner;
    owner.check();
    owner.release();
    std::thread([&] {
        owner.take_over();
        owner.release();
    }).join();
    owner.take_over();
    CHECK(death_of([&] { std::thread([&] { owner.check(); }).join(); }).says("does not own"));
}

TEST_CASE("waiting is counted and timed") {
    Domain<Outer> domain("contended");
    std::atomic<bool> started{false};
    std::thread other;
    {
        Guard<Outer> guard = domain.lock_dynamic();
        other = std::thread([&] {
            started.store(true);
            Guard<Outer> mine = domain.lock_dynamic();
        });
        while (!started.load())
            std::this_thread::yield();
        for (int i = 0; i < 1000; ++i)
            std::this_thread::yield();
    }
    other.join();
    CHECK(domain.stats().acquisitions == 2);
    CHECK(domain.stats().contended <= 1);
    CHECK(static_cast<double>(domain.stats().wait_ns_max) ==
          Approx(static_cast<double>(domain.stats().wait_ns_total)).epsilon(1e-6));
}

TEST_CASE("random legal chains over many domains keep every counter exact") {
    constexpr std::size_t count = 16;

    struct Row {
        Guarded<std::uint64_t, Outer> outer{"outer", 0u};
        Guarded<std::uint64_t, Middle> middle{"middle", 0u};
        Guarded<std::uint64_t, Inner> inner{"inner", 0u};
    };

    std::vector<Row> rows(count);
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 4; ++seed) {
        threads.emplace_back([&, seed] {
            std::mt19937 random(seed);
            ThreadEntry entry;
            for (int i = 0; i < 5000; ++i) {
                rows[random() % count].outer.with(entry, [&](auto& a, Held<Outer>& held) {
                    ++a;
                    rows[random() % count].middle.with(held, [&](auto& b, Held<Middle>& deeper) {
                        ++b;
                        rows[random() % count].inner.with(deeper, [](auto& c, auto&) { ++c; });
                    });
                });
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    std::uint64_t sums[3] = {};
    for (Row& row : rows) {
        sums[0] += row.outer.with_dynamic([](auto& value, auto&) { return value; });
        sums[1] += row.middle.with_dynamic([](auto& value, auto&) { return value; });
        sums[2] += row.inner.with_dynamic([](auto& value, auto&) { return value; });
    }
    CHECK(sums[0] == 20000);
    CHECK(sums[1] == 20000);
    CHECK(sums[2] == 20000);
}

}  // namespace
}  // namespace tern::locking
