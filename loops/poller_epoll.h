#pragma once

/// The Linux backend of Poller.
/// It keeps no books but a count, so add, change and remove are safe beside a waiting thread. Only
/// a kick can wake a thread that watches nothing: that one waits on a word of memory, which costs
/// two thirds of waiting in epoll. Otherwise the kick is an edge-triggered eventfd that is never
/// read. `poller_model_test.cc` walks all interleavings of that. Owned by a loop or a thread.

#include "loops/file_descriptor.h"
#include "loops/poller.h"

#include <atomic>
#include <cstdint>

struct epoll_event;

namespace tern::loops {

/// One epoll, and for a thread the eventfd that kicks it; both closed with it.
class EpollPoller final : public Poller {
  public:
    EpollPoller(FileDescriptor epoll, FileDescriptor kick);

    int add(int fd, Interest interest, Token token) override;
    int change(int fd, Interest interest, Token token) override;
    void remove(int fd) override;
    std::size_t wait(std::span<Report> reports, Duration timeout) override;
    void kick() override;

    int descriptor() const override { return epoll_.get(); }

  private:
    /// How the thread waits, which is what a kick has to know.
    enum State : std::uint32_t { awake, kicked, on_word, in_epoll };

    bool begin_wait(State how) noexcept;
    void wait_on_word(Duration timeout) noexcept;
    int wait_in_epoll(std::span<epoll_event> events, Duration timeout);

    FileDescriptor epoll_;
    FileDescriptor kick_;
    bool precise_ = true;  ///< the kernel knows waits of microseconds
    std::atomic<std::uint32_t> watched_{0};
    std::atomic<std::uint32_t> state_{awake};
};

/// Has no state of its own; any thread may call it.
class EpollFactory final : public PollerFactory {
  public:
    std::unique_ptr<Poller> make(PollerUse use) override;
};

}  // namespace tern::loops
