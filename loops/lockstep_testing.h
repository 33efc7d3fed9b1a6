#pragma once

/// Real workers on virtual time: every thread of a runtime has a clock of its own, one thread moves
/// at a time, always the one that is furthest behind, and waiting or working costs virtual time
/// only. So the very code that balances loops can be tested for seconds of many threads in
/// milliseconds of one, and gives the same run each time. For tests; the test owns it and its
/// threads belong to the runtime. Handlers say what they cost with work().
///
///   wait(timeout) of a thread's poller: it rests until its time has come or somebody kicks it
///   work(span): its clock goes on by `span`, then whoever is behind may go on

#include "loops/poller.h"
#include "loops/runtime.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace tern::loops::test {

class Lockstep final : public Clock, public PollerFactory {
  public:
    /// Nobody moves before so many threads have come to wait for the first time.
    explicit Lockstep(std::size_t threads) : threads_(threads) {}

    ~Lockstep() override = default;

    Instant now() const override;

    WallTime wall_now() const override { return WallTime::from_microseconds(now().microseconds()); }

    std::unique_ptr<Poller> make(PollerUse use) override;

    /// In a handler: it takes that long.
    void work(Duration span);

    /// In a handler, before quit(): from now on nobody waits for anybody.
    void finish();

    RuntimeOptions options(locking::DomainBase& main_domain) {
        RuntimeOptions result;
        result.main_domain = &main_domain;
        result.clock = this;
        result.pollers = this;
        return result;
    }

  private:
    class ThreadPoller;

    /// Where one thread stands in time.
    struct Track {
        Instant now = start;
        Instant wakes_at = Instant::never();
        bool resting = false;  ///< in wait()
        bool kicked = false;

        Instant next() const { return resting ? wakes_at : now; }
    };

    Track* mine() const;
    bool first(const Track& track) const;
    void pass(std::unique_lock<std::mutex>& lock, Track& track);
    void rest(Track& track, Duration timeout);
    void kick(Track& track);

    static constexpr Instant start = Instant::from_microseconds(1'000'000);
    static constexpr Duration poll_cost = Duration::from_microseconds(1);
    static constexpr Duration kick_cost = Duration::from_microseconds(20);

    const std::size_t threads_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::unique_ptr<Track>> tracks_;  ///< in the order in which pollers were made
    std::map<std::thread::id, Track*> of_threads_;
    bool finished_ = false;
};

}  // namespace tern::loops::test
