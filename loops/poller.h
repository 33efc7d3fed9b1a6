#pragma once

/// Readiness of file descriptors, behind an interface so that simulation has its own.
/// Each thread owns one, in which the descriptors of its loops stand. A loop that has moved with
/// many of them owns one too, which stands in the thread's: then moving on is one remove and one
/// add, whatever it watches. Level triggered. add, change and remove may be called while another
/// thread waits. It never calls its user.

#include "loops/time.h"

#include <cstdint>
#include <memory>
#include <span>

namespace tern::loops {

/// What to watch a descriptor for: a set of two. Errors and hang-ups come in any case.
enum class Interest : std::uint8_t { none = 0, readable = 1, writable = 2, both = 3 };

constexpr Interest operator|(Interest a, Interest b) {
    return static_cast<Interest>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

constexpr Interest operator&(Interest a, Interest b) {
    return static_cast<Interest>(static_cast<unsigned>(a) & static_cast<unsigned>(b));
}

/// What a descriptor has to say.
struct Ready {
    bool readable = false;
    bool writable = false;
    bool error = false;   ///< SO_ERROR is set, or the kernel refused to watch the descriptor
    bool hangup = false;  ///< both directions are closed

    bool any() const { return readable || writable || error || hangup; }
};

/// Descriptors are borrowed, tokens are handed back as they came. add() and change() give an errno
/// value, zero for success; nothing else fails. wait() is for the owner alone.
class Poller {
  public:
    /// A number of its user's, not zero.
    using Token = std::uint64_t;

    /// One descriptor that is ready; `token` is what add() or change() was given.
    struct Report {
        Token token = 0;
        Ready ready;
    };

    virtual ~Poller() = default;

    /// Zero or an errno value. Errors and hang-ups are reported whatever the interest.
    [[nodiscard]] virtual int add(int fd, Interest interest, Token token) = 0;
    [[nodiscard]] virtual int change(int fd, Interest interest, Token token) = 0;
    virtual void remove(int fd) = 0;

    /// Waits up to `timeout` (zero: looks only), fills `reports`, returns how many.
    virtual std::size_t wait(std::span<Report> reports, Duration timeout) = 0;

    /// Ends a wait() of another thread, or the next one. For PollerUse::thread only.
    virtual void kick() = 0;

    /// The descriptor that is readable while this poller has something to report.
    virtual int descriptor() const = 0;
};

/// What a poller is for: only a thread's one needs to be woken by kick().
enum class PollerUse : std::uint8_t { loop, thread };

/// Makes pollers; it outlives what it made.
class PollerFactory {
  public:
    virtual ~PollerFactory() = default;
    /// nullptr if the system refuses (out of descriptors).
    virtual std::unique_ptr<Poller> make(PollerUse use) = 0;
};

}  // namespace tern::loops
