#include "loops/pace.h"

#include <catch2/catch.hpp>

namespace tern::loops {
namespace {

/// Takes the processor away for 20 ms, once, between what it reads and its caller.
class InterruptedClock final : public Clock {
  public:
    Instant now() const override {
        const Instant read = real_.now();
        if (interrupt_) {
            interrupt_ = false;
            wait_until(read + milliseconds(20));
        }
        return read;
    }

    WallTime wall_now() const override { return real_.wall_now(); }

    void interrupt_next() { interrupt_ = true; }

    void wait_until(Instant end) const {
        while (real_.now() < end) {
        }
    }

  private:
    SteadyClock real_;
    mutable bool interrupt_ = false;
};

TEST_CASE(
    "a thread that loses the processor while it looks at the clock goes on to tell the time") {
    InterruptedClock clock;
    Pace pace(clock, true);
    clock.wait_until(clock.now() + milliseconds(1));
    clock.interrupt_next();
    pace.refresh();
    clock.wait_until(clock.now() + milliseconds(10));
    CHECK(pace.look() >= 9'900'000);
}

}  // namespace
}  // namespace tern::loops
