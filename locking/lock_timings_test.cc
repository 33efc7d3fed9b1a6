#include "locking/lock_timings.h"

#include "locking/death_test.h"
#include "locking/domain.h"
#include "locking/lock_report.h"
#include "locking/test_levels.h"

#include <string>
#include <thread>

#include <catch2/catch.hpp>

namespace tern::locking {
namespace {

using testing::Outer;

TEST_CASE("a histogram counts by powers of two and knows its quantiles") {
    TickHistogram histogram;
    CHECK(histogram.quantile(0.5) == 0);
    for (int i = 0; i < 98; ++i)
        histogram.add(5);
    histogram.add(1000);
    histogram.add(~std::uint64_t{0});
    CHECK(histogram.count() == 100);
    CHECK(histogram.quantile(0.5) == 8);
    CHECK(histogram.quantile(0.99) == 1024);
    CHECK(histogram.quantile(1) == std::uint64_t{1} << 47);
}

TEST_CASE("the longest hold keeps its place") {
    LockTimings timings;
    timings.add_hold(1000, {"first.cc", 1});
    timings.add_hold(3000000, {"second.cc", 2});
    timings.add_hold(2000, {"third.cc", 3});
    CHECK(std::string(timings.longest_hold().taken.file) == "second.cc");
    CHECK(timings.longest_hold().taken.line == 2);
    CHECK(timings.longest_hold().ns > 0);
    CHECK(timings.holds().timed == 3);
}

TEST_CASE("one hold in 128 is timed once a domain is measured") {
    Domain<Outer> domain("measured");
    LockTimings timings;
    for (int i = 0; i < 100; ++i)
        Guard<Outer> guard = domain.lock_dynamic();
    CHECK(timings.holds().timed == 0);
    {
        Guard<Outer> guard = domain.lock_dynamic();
        domain.measure(&timings);
    }
    for (int i = 0; i < 1280; ++i)
        Guard<Outer> guard = domain.lock_dynamic();
    CHECK(timings.holds().timed == 10);
    CHECK(timings.waits().timed == 0);
    CHECK(std::string(timings.longest_hold().taken.file).find("lock_timings_test.cc") !=
          std::string::npos);
    {
        Guard<Outer> guard = domain.lock_dynamic();
        domain.measure(nullptr);
    }
    for (int i = 0; i < 1280; ++i)
        Guard<Outer> guard = domain.lock_dynamic();
    CHECK(timings.holds().timed == 10);
}

TEST_CASE("every wait is timed, and the hold that follows it") {
    Domain<Outer> domain("contended");
    LockTimings timings;
    std::thread waiter;
    {
        Guard<Outer> guard = domain.lock_dynamic();
        domain.measure(&timings);
        waiter = std::thread([&] { Guard<Outer> mine = domain.lock_dynamic(); });
        char room[4096];
        while (report_locks(room).find("waits for contended") == std::string_view::npos)
            std::this_thread::yield();
    }
    waiter.join();
    CHECK(domain.stats().contended == 1);
    CHECK(domain.stats().wait_ns_max > 0);
    CHECK(timings.waits().timed == 1);
    CHECK(timings.holds().timed == 1);
    const LockTimings::Summary waits = timings.waits();
    CHECK(waits.p99_ns >= waits.p50_ns);
}

TEST_CASE("measuring a domain wants it held") {
    Domain<Outer> domain("loose");
    CHECK(death_of([&] { domain.measure(nullptr); }).says("loose", "must be held here"));
}

}  // namespace
}  // namespace tern::locking
