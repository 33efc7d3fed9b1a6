#pragma once

/// Back-pressure between producers and one consumer, with two marks so that it does not flutter.
/// Producers take credits for what they hand over; from `high` outstanding ones on they are refused
/// and remembered, until the consumer has given back down to `low`; then each is sent its event.
/// Any thread may call, and waits for no more than another's call. Owned by the consumer.

#include "loops/event.h"

#include <cstdint>
#include <mutex>
#include <vector>

namespace tern::loops {

class Loop;

/// Counts in the unit of its user (items, bytes). Any thread may call; `low` < `high`, or it
/// aborts.
class Credits {
  public:
    /// Valid marks: 0 <= low < high; anything else aborts, so check configuration first.
    Credits(std::uint64_t low, std::uint64_t high);

    /// Whether `count` credits were taken. If not, `retry` is sent to `loop` once they are
    /// available again; ask again then. Both are borrowed until the event has come or is
    /// forgotten. One take may overshoot `high`. Being refused may allocate.
    [[nodiscard]] bool take(std::uint64_t count, Loop& loop, Event& retry);
    /// May send the events of all that were refused. Aborts if more comes back than was taken.
    void give(std::uint64_t count);
    /// The producer loses interest; its event will not be sent (but may be on its way).
    void forget(const Event& retry);
    /// As in the constructor; may send the events of all that were refused.
    void change_marks(std::uint64_t low, std::uint64_t high);

    std::uint64_t outstanding() const;
    bool corked() const;

  private:
    struct Waiter {
        Loop* loop;
        Event* retry;
    };

    void release();  ///< with the mutex held

    mutable std::mutex mutex_;
    std::uint64_t low_;
    std::uint64_t high_;
    std::uint64_t outstanding_ = 0;
    bool corked_ = false;
    std::vector<Waiter> waiting_;
};

}  // namespace tern::loops
