#include "loops/waiting.h"

namespace tern::loops {

bool SpinBudget::allows(Instant now) {
    if (filled_at_.is_zero()) filled_at_ = now;
    const std::int64_t gained_us = (now - filled_at_).microseconds() / share;
    if (gained_us > 0) {
        left_us_ = std::min(left_us_ + gained_us, left_us_max);
        filled_at_ += Duration::from_microseconds(gained_us * share);
    }
    return left_us_ > 0 && now >= barred_until_;
}

void WakeLead::learn(Duration late) {
    const std::int64_t sample = std::clamp<std::int64_t>(late.microseconds(), 0, late_us_max) * 16;
    sixteenths_ += sample < sixteenths_ ? (sample - sixteenths_) / 2 : (sample - sixteenths_) / 16;
}

}  // namespace tern::loops
