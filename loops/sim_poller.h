#pragma once

/// The simulated twin of the kernel's readiness: descriptors are numbers that a test makes
/// readable. One SimDescriptors holds all descriptors of a simulation and makes pollers over them.
/// It never waits: time belongs to SimClock. One thread only, like the simulation itself.

#include "loops/poller.h"

#include <map>
#include <memory>
#include <set>

namespace tern::loops {

class SimPoller;

/// Owns the numbers it gives out and outlives its pollers.
class SimDescriptors final : public PollerFactory {
  public:
    SimDescriptors() = default;
    ~SimDescriptors() override = default;

    /// A new descriptor, not ready for anything; no number of the system's.
    int open();
    void close(int fd);
    /// What the kernel would say about it from now on.
    void set_ready(int fd, Ready ready);
    Ready ready(int fd) const;

    std::unique_ptr<Poller> make(PollerUse use) override;

    /// The next `count` calls to add() fail with this errno.
    void fail_adds(unsigned count, int error);

  private:
    friend class SimPoller;

    struct Descriptor {
        Ready ready;
        std::set<SimPoller*> pollers;
    };

    std::map<int, Descriptor> descriptors_;
    int next_ = first_fd;
    unsigned failing_ = 0;
    int error_ = 0;
    static constexpr int first_fd = 1 << 20;
};

/// Over the descriptors of one SimDescriptors, which it borrows.
class SimPoller final : public Poller {
  public:
    explicit SimPoller(SimDescriptors& descriptors);
    ~SimPoller() override;

    int add(int fd, Interest interest, Token token) override;
    int change(int fd, Interest interest, Token token) override;
    void remove(int fd) override;
    std::size_t wait(std::span<Report> reports, Duration timeout) override;

    void kick() override {}

    int descriptor() const override { return fd_; }

  private:
    friend class SimDescriptors;

    struct Entry {
        Interest interest;
        Token token;
    };

    /// Recomputes whether this poller itself is readable.
    void update();
    Ready pending(int fd, const Entry& entry) const;

    SimDescriptors& descriptors_;
    int fd_;
    std::map<int, Entry> entries_;
    int reported_ = -1;  ///< the last one of a batch that was full; the next begins behind it
};

}  // namespace tern::loops
