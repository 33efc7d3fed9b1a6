#pragma once

/// The Linux backend of Poller.
/// It keeps no books of its own, so add, change and remove are safe beside a waiting thread. The
/// kick is an edge-triggered eventfd that is never read. Owned by a loop or a thread.

#include "loops/file_descriptor.h"
#include "loops/poller.h"

struct epoll_event;

namespace tern::loops {

/// One epoll, and for a thread the eventfd that kicks it; both closed with it.
class EpollPoller final : public Poller {
  public:
    EpollPoller(FileDescriptor epoll, FileDescriptor kick);

    int add(int fd, Interest interest, void* token) override;
    int change(int fd, Interest interest, void* token) override;
    void remove(int fd) override;
    std::size_t wait(std::span<Report> reports, Duration timeout) override;
    void kick() override;

    int descriptor() const override { return epoll_.get(); }

  private:
    int wait_for(std::span<epoll_event> events, Duration timeout);

    FileDescriptor epoll_;
    FileDescriptor kick_;
    bool precise_ = true;  ///< the kernel knows waits of microseconds
};

/// Has no state of its own; any thread may call it.
class EpollFactory final : public PollerFactory {
  public:
    std::unique_ptr<Poller> make(PollerUse use) override;
};

}  // namespace tern::loops
