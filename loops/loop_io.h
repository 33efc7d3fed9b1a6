#pragma once

/// What a loop has only once it watches a descriptor: its poller, the list of watchers, and the
/// reports of the present run. Internal to loops/; owned by the loop, made with its first watcher,
/// under its domain. It keeps loops without descriptors small.

#include "loops/callback.h"
#include "loops/poller.h"

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
};

}  // namespace tern::loops
