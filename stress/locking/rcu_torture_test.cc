// Readers of random length, with stores in flight before each section and threads that come and go,
// against writers that publish, retire and spoil. TERN_STRESS makes it long (stress/scale.h).

#include "locking/death_test.h"
#include "locking/lock_timings.h"
#include "locking/rcu.h"
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
#include <sched.h>

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

/// Binds the calling thread to the processor of that number among those it may use. Left alone, the
/// kernel may put two threads that wait for each other onto one.
void stay_on_processor(int number) {
    cpu_set_t allowed;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    int processor = -1;
    while (number >= 0 && ++processor < CPU_SETSIZE)
        number -= CPU_ISSET(processor, &allowed) ? 1 : 0;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    (void)::sched_setaffinity(0, sizeof one, &one);
}

/// A reader whose stores are slow, because each goes to a line of memory that no cache has; while
/// they and the word of its section stand in line, its loads go ahead.
void read_past_slow_stores(const std::atomic<std::atomic<std::uint64_t>*>& current,
                           std::atomic<std::uint64_t>& hits,
                           std::atomic<bool>& reading,
                           const std::atomic<bool>& stop) {
    constexpr std::size_t lines = std::size_t{1} << 20;
    constexpr std::size_t line_words = 16;
    stay_on_processor(1);
    std::vector<std::atomic<int>> memory(lines * line_words);
    std::mt19937 random(1);
    reading.store(true);
    reading.notify_all();
    while (!stop.load(std::memory_order_relaxed)) {
        for (int i = 0; i < 30; ++i)
            memory[random() % lines * line_words].store(1, std::memory_order_relaxed);
        rcu::ReadSection section;
        const std::atomic<std::uint64_t>* object = current.load(std::memory_order_acquire);
        for (int i = 0; i < 100; ++i) {
            if (object->load(std::memory_order_relaxed) == dead) hits.fetch_add(1);
        }
    }
}

/// Replaces one of two objects, waits for readers and spoils the old one, until a reader sees that
/// or `rounds` are over.
void spoil_after_readers(std::atomic<std::atomic<std::uint64_t>*>& current,
                         std::array<std::atomic<std::uint64_t>, 2>& objects,
                         const std::atomic<std::uint64_t>& hits,
                         std::uint64_t rounds) {
    stay_on_processor(0);
    for (std::uint64_t round = 0; round < rounds; ++round) {
        if (hits.load(std::memory_order_relaxed) != 0) break;
        std::atomic<std::uint64_t>* old = current.load();
        std::atomic<std::uint64_t>* fresh = old == &objects[0] ? &objects[1] : &objects[0];
        fresh->store(alive, std::memory_order_relaxed);
        current.store(fresh, std::memory_order_release);
        const rcu::Ticket ticket = rcu::begin();
        // Others may have a use for the processor.
        while (!rcu::done(ticket))
            std::this_thread::yield();
        old->store(dead, std::memory_order_relaxed);
    }
}

/// How often a reader saw a spoiled object.
std::uint64_t spoil(std::uint64_t rounds) {
    std::array<std::atomic<std::uint64_t>, 2> objects{alive, alive};
    std::atomic<std::atomic<std::uint64_t>*> current{&objects[0]};
    std::atomic<std::uint64_t> hits{0};
    std::atomic<bool> reading{false};
    std::atomic<bool> stop{false};
    std::thread reader([&] { read_past_slow_stores(current, hits, reading, stop); });
    reading.wait(false);
    std::thread writer([&] { spoil_after_readers(current, objects, hits, rounds); });
    writer.join();
    stop.store(true);
    reader.join();
    return hits.load();
}

// Another machine than x86-64 may be emulated, which shows the defect too rarely to be waited for.
#if defined(__x86_64__)
constexpr bool shows_for_sure = true;
#else
constexpr bool shows_for_sure = false;
#endif

// The defect that the barrier is there for, brought back. It needs two cores to show. Where they
// are free it takes a tenth of a second, on a busy machine more rounds, so there is time for many.
TEST_CASE("AT-RCU-4 without the barrier the torture sees it", "[AT-RCU-4]") {
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
        hits = spoil(5'000'000);
    rcu::testing::set_fault(rcu::testing::Fault::none);
    if (hits == 0 && !shows_for_sure)
        std::puts("SKIPPED: not seen in so short a time; AT-RCU-5 shows it, too");
    CHECK((hits != 0 || !shows_for_sure));
    CHECK(spoil(200) == 0);
}

}  // namespace
}  // namespace tern::stress
