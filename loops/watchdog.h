#pragma once

/// Notices handlers that do not come back: looks at all threads now and then, from a loop of its
/// own choice, and reports each run that lasts longer than the limit, once per run. (Runs that were
/// long but ended are reported by Runtime::set_slow_report.) Owned by the daemon; needs its loop's
/// domain.

#include "loops/runtime.h"
#include "loops/timer.h"

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace tern::loops {

/// Owns its timer; runtime and loop are borrowed.
class Watchdog {
  public:
    /// `stuck` gets the thread's report; `running_since` says for how long already.
    using Sink = void (*)(void* context, const ThreadReport& stuck);

    Watchdog(Loop& loop, Sink sink, void* context);

    /// Looks every half limit; a limit of zero stops it.
    void set_limit(Duration limit);

  private:
    using ThreadKey = std::pair<std::string, unsigned>;

    void look(Turn& turn);

    Sink sink_;
    void* context_;
    Duration limit_;
    Timer timer_;
    std::map<ThreadKey, Instant> reported_;  ///< start of the run reported last
};

}  // namespace tern::loops
