#pragma once

/// "Wait until it is quiet, but not longer than": gathers a burst of news into one run.
/// The first kick starts a wait of `min`; each further kick starts it anew, but never beyond `max`
/// after the first one. Owned by whoever is kicked; all calls need the loop's domain.

#include "loops/timer.h"

#include <algorithm>

namespace tern::loops {

/// Embedded in its owner, bound to one loop, whose domain every call needs.
class Settle {
  public:
    Settle(Loop& loop, Function function, void* context)
        : function_(function), context_(context), timer_(loop, fired, this) {}

    Settle(Loop& loop, Callback callback) : Settle(loop, callback.function, callback.context) {}

    /// `max` below `min` counts as `min`.
    void kick(Duration min, Duration max);

    void cancel() { timer_.stop(); }

    bool active() const { return timer_.active(); }

    Instant expiry() const { return timer_.expiry(); }

  private:
    static void fired(void* context, Turn& turn) {
        const auto& self = *static_cast<Settle*>(context);
        self.function_(self.context_, turn);
    }

    Function function_;
    void* context_;
    Instant first_;
    Timer timer_;
};

}  // namespace tern::loops
