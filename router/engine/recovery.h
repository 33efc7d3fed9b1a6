#pragma once
/// The time after a graceful restart (`-R`) in which the forwarding of the daemon's earlier life is
/// left alone: until all protocols have come up and nothing new has been learnt for a moment, at
/// most for the configured wait. Lives in the main loop, one per router. It stops nobody: protocols
/// that defer something (kernel) ask `active()` and are told of the end. Once over, it never comes
/// back.

#include "loops/event.h"
#include "loops/timer.h"
#include "router/base/log.h"

#include <cstdint>
#include <vector>

namespace tern::engine {

class Supervisor;

class Recovery {
  public:
    Recovery(loops::Loop& main_loop, const Supervisor& supervisor, Logger& log);
    Recovery(const Recovery&) = delete;
    Recovery& operator=(const Recovery&) = delete;

    /// Before the first commit.
    void begin(loops::Duration wait);

    [[nodiscard]] bool active() const { return active_; }

    /// Channels of protocols that are not up yet, or are still learning.
    [[nodiscard]] std::uint32_t waiting() const { return waiting_; }

    [[nodiscard]] loops::Duration wait() const { return wait_; }

    [[nodiscard]] loops::Duration left() const;

    /// Sends the event to the main loop at the end; `forget` it before it goes.
    void tell(loops::Event& ended) { told_.push_back(&ended); }

    void forget(const loops::Event& ended);

  private:
    void look(loops::Turn& turn);
    void end(bool timed_out);

    loops::Loop& loop_;
    const Supervisor& supervisor_;
    Logger& log_;
    bool active_ = false;
    loops::Duration wait_;
    loops::Instant deadline_;
    std::uint32_t waiting_ = 0;
    std::uint64_t received_ = 0;  // by all channels, at the last look
    unsigned quiet_ = 0;          // looks without anything new
    std::vector<loops::Event*> told_;
    loops::Timer timer_;
};

}  // namespace tern::engine
