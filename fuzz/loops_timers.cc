/// A loop's timers against a sorted map: set, move, stop, let time pass in steps of any size.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "loops/loop.h"
#include "loops/sim_runtime.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace {

using namespace tern::loops;

struct Main {
    static constexpr tern::locking::LockRank rank = 100;
    static constexpr std::string_view name = "main";
};

constexpr std::size_t timers_max = 256;
constexpr std::int64_t last_now = std::int64_t{1} << 60;

struct Queues {
    Queues() {
        for (std::optional<Timer>& timer : timers)
            timer.emplace(sim.runtime().main_loop(), nullptr, nullptr);
    }

    ~Queues() { queue.clear(); }

    void set(Timer& timer, Instant at) {
        queue.set(timer, at);
        forget(timer);
        model.emplace(at, &timer);
    }

    void stop(Timer& timer) {
        if (!timer.active()) return;
        queue.remove(timer);
        forget(timer);
    }

    void forget(const Timer& timer) {
        std::erase_if(model, [&timer](const auto& each) { return each.second == &timer; });
    }

    void expire(Instant now) {
        while (Timer* const timer = queue.take_due(now)) {
            TERN_ASSERT(!model.empty() && timer->expiry() == model.begin()->first, "order");
            forget(*timer);
        }
        TERN_ASSERT(model.empty() || model.begin()->first > now, "a due timer was left");
        TERN_ASSERT(queue.earliest() > now, "earliest is due");
    }

    void check() const {
        TERN_ASSERT(queue.size() == model.size(), "size");
        TERN_ASSERT(model.empty() || queue.earliest() <= model.begin()->first, "earliest is late");
    }

    tern::locking::Domain<Main> domain;
    SimRuntime sim{domain, 1};
    TimerQueue queue;
    std::array<std::optional<Timer>, timers_max> timers;
    std::multimap<Instant, Timer*> model;
};

}  // namespace

TERN_FUZZ(loops_timers, data, size) {
    Queues queues;
    std::int64_t now = 1'000'000;
    // Each operation: what, which timer, and a time of 24 bits scaled by up to 2^28.
    for (std::size_t at = 0; at + 6 <= size; at += 6) {
        Timer& timer = *queues.timers[data[at + 1]];
        const std::int64_t mantissa = data[at + 2] | data[at + 3] << 8 | data[at + 4] << 16;
        const std::int64_t span = mantissa << data[at + 5] % 29;
        switch (data[at] % 8) {
            case 0:
                queues.stop(timer);
                break;
            case 1:
                now = std::min(now + span, last_now);
                queues.expire(Instant::from_microseconds(now));
                break;
            case 2:
                queues.set(timer,
                           Instant::from_microseconds(std::max<std::int64_t>(now - mantissa, 0)));
                break;
            default:
                queues.set(timer, Instant::from_microseconds(now + span));
        }
        queues.check();
    }
    queues.expire(Instant::from_microseconds(INT64_MAX - 1));
    TERN_ASSERT(queues.queue.empty(), "something never expired");
}
