#include "loops/time.h"

#include <time.h>

namespace tern::loops {

namespace {

std::int64_t read_us(clockid_t clock) {
    timespec value{};
    clock_gettime(clock, &value);
    return static_cast<std::int64_t>(value.tv_sec) * 1'000'000 + value.tv_nsec / 1000;
}

}  // namespace

Instant SteadyClock::now() const {
    return Instant::from_microseconds(read_us(CLOCK_MONOTONIC));
}

WallTime SteadyClock::wall_now() const {
    return WallTime::from_microseconds(read_us(CLOCK_REALTIME));
}

}  // namespace tern::loops
