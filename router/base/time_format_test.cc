#include "router/base/time_format.h"

#include <cstdlib>
#include <ctime>

#include <catch2/catch.hpp>

namespace tern {
namespace {

constexpr std::int64_t second = 1'000'000;

loops::WallTime at(std::int64_t us) {
    return loops::WallTime::from_microseconds(us);
}

void use_utc() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
}

TEST_CASE("iso long formats have the wanted digits") {
    use_utc();
    const loops::WallTime time = at(1'700'000'000 * second + 123'456);
    CHECK(format_time(iso_long(SubSecond::none), time, time) == "2023-11-14 22:13:20");
    CHECK(format_time(iso_long(SubSecond::milliseconds), time, time) == "2023-11-14 22:13:20.123");
    CHECK(format_time(iso_long(SubSecond::microseconds), time, time) ==
          "2023-11-14 22:13:20.123456");
}

TEST_CASE("iso short shows the date for times older than 20 hours") {
    use_utc();
    const loops::WallTime time = at(1'700'000'000 * second);
    const TimeFormat format = iso_short(SubSecond::milliseconds);
    CHECK(format_time(format, time, at(time.microseconds() + 72000 * second)) == "22:13:20.000");
    CHECK(format_time(format, time, at(time.microseconds() + 72001 * second)) == "2023-11-14");
}

TEST_CASE("sub-second digits may have any length from one to six") {
    use_utc();
    CHECK(expand_time("%1f %6f %f", at(987'654), 64).value() == "9 987654 987654");
    CHECK(expand_time("100%% %S", at(5 * second), 64).value() == "100% 05");
}

TEST_CASE("an expansion that is too long is an error") {
    use_utc();
    const TimeFormat format{.recent = "%F %F %F %F %F", .limit_us = 0, .older = {}};
    CHECK(format_time(format, at(0), at(0)) == "<error>");
}

TEST_CASE("times before the epoch have positive fractions") {
    use_utc();
    CHECK(expand_time("%T.%3f", at(-1), 64).value() == "23:59:59.999");
}

}  // namespace
}  // namespace tern
