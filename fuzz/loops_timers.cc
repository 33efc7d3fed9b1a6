/// A loop's timers against a sorted map: set, move, stop, let time pass in steps of any size.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "loops/timer_twins_testing.h"

#include <algorithm>

namespace {

using namespace tern::loops;

constexpr std::size_t timers_max = 256;
constexpr std::int64_t last_now = std::int64_t{1} << 60;

}  // namespace

TERN_FUZZ(loops_timers, data, size) {
    tern::loops::test::TimerTwins twins(timers_max);
    std::int64_t now = 1'000'000;
    // Each operation: what, which timer, and a time of 24 bits scaled by up to 2^28.
    for (std::size_t at = 0; at + 6 <= size; at += 6) {
        Timer& timer = *twins.timers[data[at + 1]];
        const std::int64_t mantissa = data[at + 2] | data[at + 3] << 8 | data[at + 4] << 16;
        const std::int64_t span = mantissa << data[at + 5] % 29;
        switch (data[at] % 8) {
            case 0:
                twins.remove(timer);
                break;
            case 1:
                now = std::min(now + span, last_now);
                twins.expire(Instant::from_microseconds(now));
                break;
            case 2:
                twins.set(timer,
                          Instant::from_microseconds(std::max<std::int64_t>(now - mantissa, 0)));
                break;
            default:
                twins.set(timer, Instant::from_microseconds(now + span));
        }
        twins.check();
    }
    twins.expire(Instant::from_microseconds(INT64_MAX - 1));
    TERN_ASSERT(twins.queue.empty(), "something never expired");
}
