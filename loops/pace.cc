#include "loops/pace.h"

#include <algorithm>

namespace tern::loops {

namespace {

// The frequency of the counter is known well enough after that.
constexpr std::int64_t calibration_us = 100;
// And is worked out anew as long as the product fits.
constexpr std::int64_t calibration_us_max = 1'000'000'000;

}  // namespace

Instant Pace::refresh() {
    now_ = clock_.now();
    ticks_ = read_at_ = counts_ ? counter_ticks() : 0;
    const std::int64_t us = (now_ - start_).microseconds();
    if (counts_ && us > calibration_us && us < calibration_us_max && ticks_ > start_ticks_) {
        const std::uint64_t ns = static_cast<std::uint64_t>(us) * 1000;
        ns_per_tick_ = (ns << scale_bits) / (ticks_ - start_ticks_);
    }
    return now_;
}

std::uint64_t Pace::look() {
    std::uint64_t took_ns = 0;
    if (counts_) {
        const std::uint64_t ticks = counter_ticks();
        // Counters of two processors may differ a little.
        const std::uint64_t took = ticks > ticks_ ? ticks - ticks_ : 0;
        took_ns = took * ns_per_tick_ >> scale_bits;
        ticks_ = ticks;
        if (ticks - read_at_ > ticks_between_reads) refresh();
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
