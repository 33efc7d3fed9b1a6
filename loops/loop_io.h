#pragma once

/// What a loop has only once it watches a descriptor: its poller, the list of watchers, and the
/// reports of the present run. Internal to loops/; owned by the loop, made with its first watcher,
/// under its domain. It keeps loops without descriptors small.

#include "loops/callback.h"
#include "loops/poller.h"
#include "loops/time.h"

#include <cstddef>
#include <memory>
#include <span>

namespace tern::loops {

class Worker;

struct LoopIo {
    std::unique_ptr<Poller> poller;  ///< nullptr: the system refused, or the loop has stopped
    Worker* watched_by = nullptr;    ///< whose poller ours stands in
    Links watchers{&watchers, &watchers};
    std::span<Poller::Report> batch;  ///< reports not yet delivered in the present run
    bool failures = false;            ///< some watcher is to be told that it is not watched
    unsigned looks = 0;               ///< in a row without going by way of the thread's poller
    Instant last_report;

    /// Something was ready. If it was little and came soon after the last, the poller is asked
    /// again at once: the way by the thread's poller would cost a second call to the kernel, an
    /// answer of nothing a hundredth of the gap. That way is gone nevertheless from time to time,
    /// for the sake of the other loops' descriptors.
    bool asks_again(Instant now, std::size_t reports) {
        const bool quick =
            now - last_report < quick_gap && reports <= quick_reports && ++looks < looks_max;
        last_report = now;
        if (!quick) looks = 0;
        return quick;
    }

    static constexpr Duration quick_gap = Duration::from_microseconds(30);
    static constexpr std::size_t quick_reports = 2;
    static constexpr unsigned looks_max = 16;
};

}  // namespace tern::loops
