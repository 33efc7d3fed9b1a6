#pragma once

/// Calls a handler in a loop when a descriptor is ready.
/// It borrows the descriptor: the owner destroys the watcher before closing it. Every call needs
/// the domain of the watcher's loop. Delivery is level triggered: what the handler leaves is
/// reported again. A watcher always has a loop; when that loop stops it falls silent until moved or
/// destroyed. Pausing is immediate (no readable call after pause_rx returns), counts per reason,
/// and leaves writing, errors and hang-ups alive; with reading paused these two are reported once.
/// A descriptor the kernel refuses to watch is reported to the handler as `error`.

#include "locking/check.h"
#include "loops/callback.h"
#include "loops/poller.h"

#include <array>
#include <cstdint>
#include <string_view>

namespace tern::loops {

class Loop;
class LoopIo;
class WatchSlot;

/// Called with something that is ready and wanted, or an error or hang-up. It may destroy the
/// watcher.
using WatchFunction = void (*)(void* context, Turn& turn, Ready ready);

/// Who wants reading to pause. Each counts on its own, to 255 at most; reading goes on when all are
/// back at zero. One more, or one less than zero, aborts.
enum class PauseReason : std::uint8_t { cork, user, buffer, protocol };

/// Embedded in its owner, immovable; borrows the descriptor and the loop. Every call needs the
/// domain of its loop, moving those of both, and aborts without it.
class Watcher : private Links {
  public:
    Watcher(Loop& loop,
            int fd,
            Interest interest,
            WatchFunction function,
            void* context,
            locking::Here where = locking::Here::now());
    ~Watcher();

    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    Loop& loop() const { return *loop_; }

    int fd() const { return fd_; }

    Interest interest() const { return interest_; }

    void set_interest(Interest interest, locking::Here where = locking::Here::now());
    /// For owners that change what stands behind the descriptor (accepted, connected).
    void set_handler(WatchFunction function,
                     void* context,
                     locking::Here where = locking::Here::now());

    void pause_rx(PauseReason reason, locking::Here where = locking::Here::now());
    /// The pair of one earlier pause_rx(reason). Data that waits is delivered without new bytes.
    void resume_rx(PauseReason reason, locking::Here where = locking::Here::now());

    bool rx_paused() const { return paused_; }

    /// Complete when it returns; both domains must be held (PairLock within one level). Whatever
    /// was ready is reported by the new loop, nothing twice.
    void move_to(Loop& loop, locking::Here where = locking::Here::now());

  private:
    friend class Loop;
    friend class LoopIo;
    friend class WatchSlot;

    Interest effective() const { return paused_ ? (interest_ & Interest::writable) : interest_; }

    void require(const Loop& loop, std::string_view what, locking::Here where) const;
    void attach();
    void detach();
    void update();
    void deliver(Turn& turn, Ready ready);

    Loop* loop_;
    WatchSlot* slot_ = nullptr;  ///< while it stands in a poller
    int fd_;
    WatchFunction function_;
    void* context_;
    Interest interest_;
    Interest registered_ = Interest::none;
    bool failed_ = false;    ///< the poller refused; to be reported
    bool silenced_ = false;  ///< hang-up reported while nothing was wanted; out of the poller
    bool paused_ = false;
    std::array<std::uint8_t, 4> pauses_{};
};

/// watch<&Session::on_ready>(): a WatchFunction from a method taking (Turn&, Ready).
template <auto Method, class T>
constexpr WatchFunction watch_function() {
    return [](void* context, Turn& turn, Ready ready) {
        (static_cast<T*>(context)->*Method)(turn, ready);
    };
}

}  // namespace tern::loops
