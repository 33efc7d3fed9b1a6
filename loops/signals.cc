#include "loops/signals.h"

#include <utility>

#include <sys/signalfd.h>
#include <unistd.h>

namespace tern::loops {

std::unique_ptr<Signals> Signals::make(Loop& loop,
                                       std::initializer_list<int> signals,
                                       Handler handler,
                                       void* context) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : signals)
        sigaddset(&set, signal);
    FileDescriptor fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    if (!fd) return nullptr;
    sigset_t before;
    pthread_sigmask(SIG_BLOCK, &set, &before);
    return std::unique_ptr<Signals>(new Signals(loop, std::move(fd), before, handler, context));
}

Signals::Signals(
    Loop& loop, FileDescriptor fd, const sigset_t& before, Handler handler, void* context)
    : fd_(std::move(fd)),
      before_(before),
      handler_(handler),
      context_(context),
      watcher_(loop, fd_.get(), Interest::readable, readable, this) {}

Signals::~Signals() {
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Signals::readable(void* context, Turn& turn, Ready) {
    auto& self = *static_cast<Signals*>(context);
    signalfd_siginfo info;
    // One at a time: the handler may destroy us; the rest is reported again.
    if (::read(self.fd_.get(), &info, sizeof info) != sizeof info) return;
    self.handler_(self.context_, turn, static_cast<int>(info.ssi_signo));
}

}  // namespace tern::loops
