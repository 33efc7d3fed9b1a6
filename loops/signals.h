#pragma once

/// Signals of the process as handlers in a loop: no code ever runs in signal context.
/// Made by the main thread before other threads exist (they inherit the blocked mask); the signals
/// stay blocked until it is destroyed. Owned by the daemon, used under its loop's domain.

#include "loops/file_descriptor.h"
#include "loops/watcher.h"

#include <array>
#include <initializer_list>
#include <memory>
#include <optional>

#include <signal.h>

namespace tern::loops {

/// Owns a signalfd and its watcher; the handler gets the number of the signal, in its loop, and may
/// destroy it. Ends in the thread that made it, whose mask of signals it restores.
class Signals {
  public:
    using Handler = void (*)(void* context, Turn& turn, int signal);

    /// nullptr if the system refuses a descriptor.
    static std::unique_ptr<Signals> make(Loop& loop,
                                         std::initializer_list<int> signals,
                                         Handler handler,
                                         void* context);
    ~Signals();

    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

  private:
    Signals(Loop& loop, FileDescriptor fd, const sigset_t& before, Handler handler, void* context);
    static void readable(void* context, Turn& turn, Ready ready);

    FileDescriptor fd_;
    sigset_t before_;
    Handler handler_;
    void* context_;
    Watcher watcher_;
};

}  // namespace tern::loops
