#include "loops/watchdog.h"

#include <algorithm>

namespace tern::loops {

namespace {

// Two looks at one run see starts that differ by the time between reading the clock and the start.
constexpr Duration same_run = Duration::from_milliseconds(1);

}  // namespace

Watchdog::Watchdog(Loop& loop, Sink sink, void* context)
    : sink_(sink), context_(context), timer_(loop, callback<&Watchdog::look>(*this)) {}

void Watchdog::set_limit(Duration limit) {
    limit_ = limit;
    if (limit <= Duration()) {
        timer_.stop();
        return;
    }
    timer_.every(std::max(limit / 2, milliseconds(1)));
}

void Watchdog::look(Turn& turn) {
    Runtime& runtime = turn.loop().runtime();
    for (const ThreadReport& report : runtime.report_threads()) {
        if (report.running_since <= limit_) continue;
        const Instant start = runtime.clock().now() - report.running_since;
        Instant& last = reported_[{report.group, report.index}];
        if (start - last < same_run) continue;
        last = start;
        sink_(context_, report);
    }
}

}  // namespace tern::loops
