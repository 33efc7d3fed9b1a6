#include "loops/pace.h"

#include <algorithm>

namespace tern::loops {

Instant Pace::refresh() {
    now_ = clock_.now();
    ticks_ = counts_ ? locking::ticks_now() : 0;
    since_read_ns_ = 0;
    if (counts_ && now_ >= calibrate_at_) calibrate();
    return now_;
}

/// The longer the span, the closer the result, so it is doubled each time.
void Pace::calibrate() {
    ns_per_tick_ = static_cast<std::uint64_t>(scale_.ns_per_tick() * (1 << scale_bits));
    calibrate_at_ = now_ + calibrated_span_;
    calibrated_span_ = calibrated_span_ * 2;
}

std::uint64_t Pace::look() {
    std::uint64_t took_ns = 0;
    if (counts_) {
        const std::uint64_t ticks = locking::ticks_now();
        // Counters of two processors may differ a little.
        const std::uint64_t took = ticks > ticks_ ? ticks - ticks_ : 0;
        took_ns = took * ns_per_tick_ >> scale_bits;
        ticks_ = ticks;
        since_read_ns_ += took_ns;
        if (since_read_ns_ > ns_between_reads) refresh();
    } else {
        const Instant before = now_;
        refresh();
        const std::int64_t us = (now_ - before).microseconds();
        took_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(us, 0)) * 1000;
    }
    spent_ns_ += took_ns;
    stride_ = took_ns < short_handler_ns * stride_ ? std::min(stride_ * 2, stride_max) : 1;
    unchecked_ = stride_;
    return took_ns;
}

}  // namespace tern::loops
