#include "router/engine/recovery.h"

#include "loops/callback.h"
#include "loops/loop.h"
#include "router/engine/supervisor.h"

namespace tern::engine {

namespace {

constexpr loops::Duration look_period = loops::seconds(1);
/// So many looks in a row without a new route mean that all has been learnt.
constexpr unsigned quiet_looks = 3;

}  // namespace

Recovery::Recovery(loops::Loop& main_loop, const Supervisor& supervisor, Logger& log)
    : loop_(main_loop),
      supervisor_(supervisor),
      log_(log),
      timer_(main_loop, loops::callback<&Recovery::look>(*this)) {}

void Recovery::begin(loops::Duration wait) {
    active_ = true;
    wait_ = wait;
    deadline_ = loop_.now() + wait;
    timer_.every(look_period);
    log_.log(Severity::info, {}, "Graceful restart started");
}

loops::Duration Recovery::left() const {
    return std::max(deadline_ - loop_.now(), loops::Duration());
}

void Recovery::forget(const loops::Event& ended) {
    std::erase(told_, &ended);
}

void Recovery::look(loops::Turn& turn) {
    std::uint32_t channels = 0;
    std::uint32_t not_up = 0;
    std::uint64_t received = 0;
    supervisor_.for_each_instance([&](const Instance& instance) {
        if (instance.state() != ProtocolState::start && instance.state() != ProtocolState::up)
            return;
        const auto count = static_cast<std::uint32_t>(instance.channels().size());
        channels += count;
        if (instance.state() == ProtocolState::start) not_up += count;
        for (const auto& each : instance.channels())
            received += each->import().stats().updates.received;
    });
    const bool learning = received != received_;
    received_ = received;
    quiet_ = learning || not_up != 0 ? 0 : quiet_ + 1;
    waiting_ = not_up != 0 ? not_up : channels;
    if (quiet_ >= quiet_looks) {
        end(false);
    } else if (turn.now() >= deadline_) {
        end(true);
    }
}

void Recovery::end(bool timed_out) {
    active_ = false;
    waiting_ = 0;
    timer_.stop();
    if (timed_out) {
        log_.log(Severity::warning, {}, "Graceful restart timed out");
    } else {
        log_.log(Severity::info, {}, "Graceful restart done");
    }
    for (loops::Event* event : told_)
        event->send(loop_);
    told_.clear();
}

}  // namespace tern::engine
