#include "loops/timer.h"

#include "loops/loop.h"
#include "loops/settle.h"

#include <algorithm>

namespace tern::loops {

void Timer::arm(Instant when) {
    if (postpone(when) || loop_.silent()) return;
    loop_.set_timer(*this, when);
}

void Timer::at(Instant when, locking::Here where) {
    loop_.assert_held("timer set", where);
    period_ = Duration();
    arm(when);
}

void Timer::in(Duration delay, locking::Here where) {
    loop_.assert_held("timer set", where);
    period_ = Duration();
    arm(loop_.now() + std::max(delay, Duration()));
}

void Timer::every(Duration period, Duration jitter, locking::Here where) {
    loop_.assert_held("timer set", where);
    TERN_ASSERT(period > Duration() && jitter >= Duration() && jitter <= period,
                "timer period and jitter");
    period_ = period;
    jitter_ = jitter;
    arm(loop_.now() + loop_.jittered(period, jitter));
}

void Timer::stop(locking::Here where) {
    if (!active()) return;
    loop_.assert_held("timer stopped or destroyed", where);
    loop_.timers_.remove(*this);
    expiry_ = Instant::never();
}

Duration Timer::remaining() const {
    if (!active()) return Duration::infinite();
    return std::max(expiry_ - loop_.now(), Duration());
}

void Settle::kick(Duration min, Duration max) {
    const Instant now = timer_.loop().now();
    if (!timer_.active()) first_ = now;
    timer_.at(std::max(std::min(now + min, first_ + std::max(min, max)), now));
}

}  // namespace tern::loops
