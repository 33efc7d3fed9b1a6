#include "router/base/log.h"

#include "router/base/log_sink.h"

#include <catch2/catch.hpp>

namespace tern {
namespace {

class TestClock final : public loops::Clock {
  public:
    [[nodiscard]] loops::Instant now() const override {
        return loops::Instant::from_microseconds(us);
    }

    [[nodiscard]] loops::WallTime wall_now() const override {
        return loops::WallTime::from_microseconds(us);
    }

    std::int64_t us = 0;
};

const TimeFormat seconds_only{.recent = "%S", .limit_us = 0, .older = {}};

struct Fixture {
    TestClock clock;
    Logger logger{clock};
    MemorySink* sink = nullptr;

    explicit Fixture(SeverityMask mask) {
        auto owned = std::make_unique<MemorySink>(10, seconds_only);
        sink = owned.get();
        logger.add_sink(std::move(owned), mask);
    }
};

TEST_CASE("a line has time, thread, class, object and text") {
    Fixture f(all_severities);
    f.logger.log(Severity::warning, "b1", "hold timer {}", 5);
    f.logger.log(Severity::info, {}, "started");
    REQUIRE(f.sink->lines().size() == 2);
    CHECK(f.sink->lines()[0] == "00 [0000] <WARN> b1: hold timer 5");
    CHECK(f.sink->lines()[1] == "00 [0000] <INFO> started");
    CHECK(f.logger.count(Severity::warning) == 1);
}

TEST_CASE("a class nobody wants is not formatted") {
    Fixture f(mask_of(Severity::error));
    CHECK_FALSE(f.logger.enabled(Severity::trace));
    f.logger.log(Severity::trace, "b1", "hidden");
    CHECK(f.sink->lines().empty());
    CHECK(f.logger.count(Severity::trace) == 0);
}

TEST_CASE("a rate limit marks its first refusal and recovers") {
    Fixture f(all_severities);
    LogLimit limit(1, 2);
    f.clock.us = 10'000'000;
    for (int i = 0; i < 5; ++i)
        f.logger.log_limited(limit, Severity::error, "b1", "n{}", i);
    REQUIRE(f.sink->lines().size() == 3);
    CHECK(f.sink->lines()[1] == "10 [0000] <ERR> b1: n1");
    CHECK(f.sink->lines()[2] == "10 [0000] <ERR> b1: n2 ...");
    f.clock.us += 1'000'000;
    f.logger.log_limited(limit, Severity::error, "b1", "again");
    CHECK(f.sink->lines().back() == "11 [0000] <ERR> b1: again");
    CHECK(limit.dropped() == 3);
}

TEST_CASE("sinks with equal keys are one and keep their state") {
    Fixture f(mask_of(Severity::info));
    f.logger.log(Severity::info, {}, "first");
    std::vector<Logger::Target> targets;
    targets.push_back({std::make_unique<MemorySink>(10, seconds_only), mask_of(Severity::error)});
    targets.push_back({std::make_unique<MemorySink>(10, seconds_only), mask_of(Severity::bug)});
    f.logger.set_sinks(std::move(targets));
    f.logger.log(Severity::bug, {}, "second");
    f.logger.log(Severity::info, {}, "unwanted");
    CHECK(f.sink->lines().size() == 2);
}

}  // namespace
}  // namespace tern
