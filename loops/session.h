#pragma once

/// The life of something with a peer and work elsewhere, such as a command connection whose long
/// answer is made by events in other loops. When the peer goes, its descriptor is closed at once,
/// but the session stays until the last operation has ended:
///   OPEN --peer_closed()--> ORPHANED --last operation ends--> FREED (event to the owner)
/// Owned by the one who gets the final event. Operations may end in any thread; the rest belongs to
/// the session's loop.

#include "loops/latch.h"

#include <atomic>

namespace tern::loops {

/// Embedded in what it keeps alive; `home` and `freed` are borrowed. begin() and peer_closed()
/// belong to its loop, operations end anywhere.
class Session {
  public:
    /// Token of one pending operation; the session outlives it.
    class Operation {
      public:
        Operation() = default;

        /// The peer is gone: stop working, output goes nowhere.
        bool cancelled() const { return session_ != nullptr && session_->orphaned(); }

        bool active() const { return hold_.held(); }

        /// The last one lets the session go, and what is in it may be gone when this returns: the
        /// caller, and this token, too.
        void end() {
            session_ = nullptr;
            hold_.release();
        }

      private:
        friend class Session;

        Operation(Session& session, Latch& latch) : session_(&session), hold_(latch) {}

        Session* session_ = nullptr;
        Latch::Hold hold_;
    };

    /// `freed` is sent to `home` when the peer is gone and no operation is left.
    Session(Loop& home, Event& freed) : latch_(home, freed) {}

    /// Starts an operation; not after peer_closed().
    Operation begin() {
        TERN_ASSERT(!orphaned(), "operation begun on an orphaned session");
        return Operation(*this, latch_);
    }

    /// The caller closes the descriptor itself, now. Once.
    void peer_closed() {
        orphaned_.store(true, std::memory_order_release);
        latch_.close();
    }

    bool orphaned() const { return orphaned_.load(std::memory_order_acquire); }

    std::uint32_t operations() const { return latch_.holds(); }

  private:
    std::atomic<bool> orphaned_{false};
    Latch latch_;
};

}  // namespace tern::loops
