// Readers of random length, with stores in flight before each section and threads that come and go,
// against writers that publish, retire and spoil. TERN_STRESS makes it long (stress/scale.h).

#include "locking/death_test.h"
#include "locking/lock_timings.h"
#include "locking/rcu.h"
#include "locking/rcu_litmus_testing.h"
#include "locking/rcu_testing.h"
#include "stress/locking/levels.h"
#include "stress/scale.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <random>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

namespace tern::stress {
namespace {

namespace rcu = locking::rcu;

constexpr std::uint64_t alive = 0x600dcafe600dcafe;
constexpr std::uint64_t dead = 0xdeaddeaddeaddead;

/// What is published: readers must find both words alive. The second is plain, so that the thread
/// sanitizer checks the order as well.
struct Object : rcu::Retired {
    std::atomic<std::uint64_t> canary{alive};
    std::uint64_t plain = alive;
    std::atomic<std::uint64_t>* reclaimed = nullptr;
};

struct Torture {
    static constexpr std::size_t slots = 4;

    std::array<std::atomic<Object*>, slots> published{};
    std::atomic<bool> stop{false};
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> reads{0};
    std::atomic<std::uint64_t> made{0};
    std::atomic<std::uint64_t> reclaimed{0};
    locking::TickHistogram grace_periods;  ///< those somebody waited for
    locking::TickScale scale;
};

void reclaim_object(rcu::Retired& retired) noexcept {
    Object& object = static_cast<Object&>(retired);
    object.canary.store(dead, std::memory_order_relaxed);
    object.plain = dead;
    object.reclaimed->fetch_add(1, std::memory_order_relaxed);
    delete &object;
}

/// One section: looks at some objects, for a random time, nested at random.
void read_once(Torture& torture, std::mt19937& random, std::array<std::atomic<int>, 64>& pressure) {
    for (std::atomic<int>& word : pressure)
        word.store(1, std::memory_order_relaxed);
    rcu::ReadSection section;
    const Object* object =
        torture.published[random() % Torture::slots].load(std::memory_order_acquire);
    const unsigned length = static_cast<unsigned>(random() % 16 == 0 ? 2000 : random() % 20);
    for (unsigned i = 0; i <= length; ++i) {
        if (object->canary.load(std::memory_order_relaxed) != alive) torture.hits.fetch_add(1);
        if (i % 8 == 7) {
            rcu::ReadSection nested;
            const Object* other =
                torture.published[random() % Torture::slots].load(std::memory_order_acquire);
            if (other->plain != alive) torture.hits.fetch_add(1);
        }
    }
    if (object->plain != alive) torture.hits.fetch_add(1);
    torture.reads.fetch_add(1, std::memory_order_relaxed);
}

void read_until_stopped(Torture& torture, unsigned seed) {
    std::mt19937 random(seed);
    std::array<std::atomic<int>, 64> pressure{};
    while (!torture.stop.load(std::memory_order_relaxed))
        read_once(torture, random, pressure);
}

/// Threads that read a few times and end.
void churn(Torture& torture) {
    for (unsigned seed = 0; !torture.stop.load(std::memory_order_relaxed); ++seed) {
        std::thread([&torture, seed] {
            std::mt19937 random(seed);
            std::array<std::atomic<int>, 64> pressure{};
            for (int i = 0; i < 3; ++i)
                read_once(torture, random, pressure);
        }).join();
    }
}

Object* make_object(Torture& torture) {
    auto* object = new Object;
    object->reclaimed = &torture.reclaimed;
    torture.made.fetch_add(1, std::memory_order_relaxed);
    return object;
}

/// Replaces objects, and waits or retires at random.
void write(Torture& torture, unsigned seed, std::uint64_t updates) {
    std::mt19937 random(seed);
    for (std::uint64_t i = 0; i < updates; ++i) {
        Object* old = torture.published[random() % Torture::slots].exchange(make_object(torture));
        if (random() % 8 == 0) {
            const std::uint64_t began = locking::ticks_now();
            rcu::synchronize();
            torture.grace_periods.add(locking::ticks_now() - began);
            reclaim_object(*old);
        } else {
            rcu::retire(*old, reclaim_object);
            if (random() % 4 == 0) rcu::reclaim(8);
        }
    }
}

void run(Torture& torture, std::uint64_t updates) {
    for (std::atomic<Object*>& slot : torture.published)
        slot.store(make_object(torture));
    std::vector<std::thread> others;
    for (unsigned i = 0; i < 3; ++i)
        others.emplace_back([&torture, i] { read_until_stopped(torture, i); });
    others.emplace_back([&torture] { churn(torture); });
    {
        std::thread second([&] { write(torture, 7, updates / 2); });
        write(torture, 8, updates / 2);
        second.join();
    }
    torture.stop.store(true);
    for (std::thread& thread : others)
        thread.join();
    for (std::atomic<Object*>& slot : torture.published)
        rcu::retire(*slot.load(), reclaim_object);
    rcu::drain();
}

/// How long writers waited for readers, in one line; the bounds are powers of two of ticks.
void print_grace_periods(const Torture& torture) {
    const locking::TickHistogram& times = torture.grace_periods;
    const double us_per_tick = torture.scale.ns_per_tick() / 1000;
    std::printf("%llu grace periods waited for", static_cast<unsigned long long>(times.count()));
    for (const double share : {0.1, 0.5, 0.9, 0.99, 1.0})
        std::printf(", %g %% within %.0f us", share * 100,
                    static_cast<double>(times.quantile(share)) * us_per_tick);
    std::puts("");
}

TEST_CASE("AT-RCU-4 no reader ever sees what was reclaimed", "[AT-RCU-4]") {
    Torture torture;
    run(torture, scaled(1500));
    print_grace_periods(torture);
    CHECK(torture.hits.load() == 0);
    CHECK(torture.reads.load() > 0);
    CHECK(torture.reclaimed.load() == torture.made.load());
}

TEST_CASE("AT-RCU-4 torture with readers that fence, as on a poorer kernel", "[AT-RCU-4]") {
    const locking::Death death = locking::death_of([] {
        rcu::testing::fence_in_readers();
        Torture torture;
        run(torture, scaled(500));
        std::fprintf(
            stderr, "hits %llu, left %llu.", static_cast<unsigned long long>(torture.hits.load()),
            static_cast<unsigned long long>(torture.made.load() - torture.reclaimed.load()));
    });
    CHECK_FALSE(death.aborted);
    INFO(death.report);
    CHECK(death.report.find("hits 0, left 0.") != std::string::npos);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool instrumented = true;
#else
constexpr bool instrumented = false;
#endif

// Another machine than x86-64 may be emulated, which shows the defect too rarely to be waited for.
#if defined(__x86_64__)
constexpr bool shows_for_sure = true;
#else
constexpr bool shows_for_sure = false;
#endif

// The defect that the barrier is there for, brought back. It needs two cores to show. Where they
// are free it takes a tenth of a second, on a busy machine more rounds, so there is time for many.
TEST_CASE("AT-RCU-1 without the barrier a reader sees what was reclaimed", "[AT-RCU-1][AT-RCU-4]") {
    constexpr std::uint64_t patience_ns = shows_for_sure ? 60'000'000'000 : 5'000'000'000;
    const bool reduced = from_environment("TERN_STRESS", 100) < 100;
    if (instrumented || reduced || std::thread::hardware_concurrency() < 2) {
        std::puts("SKIPPED: the missing barrier shows on two bare cores only");
        return;
    }
    rcu::testing::set_fault(rcu::testing::Fault::no_barrier);
    const std::uint64_t until_ns = locking::platform::now_ns() + patience_ns;
    std::uint64_t hits = 0;
    while (hits == 0 && locking::platform::now_ns() < until_ns)
        hits = rcu::testing::Litmus().run(5'000'000);
    rcu::testing::set_fault(rcu::testing::Fault::none);
    if (hits == 0 && !shows_for_sure)
        std::puts("SKIPPED: not seen in so short a time; AT-RCU-5 shows it, too");
    CHECK((hits != 0 || !shows_for_sure));
    CHECK(rcu::testing::Litmus().run(200) == 0);
}

}  // namespace
}  // namespace tern::stress
