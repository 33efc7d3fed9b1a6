#pragma once

/// Read-copy-update: readers follow pointers without locking, writers wait before they free.
/// A reader's section costs two plain stores; it never allocates, waits or fences (where the kernel
/// can fence all threads for the writer; elsewhere it fences). A writer unlinks an object, then
/// hands it to retire(), which calls it back once every section that could have seen it has ended.
/// Process-wide by nature: the threads are. No router state lives here. Inside a section only leaf
/// domains may be taken, and synchronize() aborts.

#include "locking/check.h"
#include "locking/thread_state.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace tern::locking::rcu {

namespace detail {

/// What all readers look at; written once per grace period.
struct alignas(64) ReaderView {
    std::atomic<std::uint64_t> phase;          ///< the word of a section that begins now
    std::atomic<std::uint32_t> grace_waiters;  ///< writers asleep in synchronize()
};

// Constant-initialised and lives as long as the process, as the readers' threads do.
extern constinit ReaderView reader_view;

void enter_slowly(ThreadState& thread) noexcept;
void leave_slowly(ThreadState& thread, Here where) noexcept;
void wake_writers() noexcept;

}  // namespace detail

/// The scope in which pointers published by writers may be followed. May be nested, to a depth of
/// 32767.
class [[nodiscard]] ReadSection {
  public:
    ReadSection() noexcept {
        ThreadState& thread = thread_state;
        if (thread.reader_word.load(std::memory_order_relaxed) != 0) [[unlikely]] {
            detail::enter_slowly(thread);
            return;
        }
        // Acquire, because who sees a phase must see what was unlinked before it. Release, because
        // a writer that reads this word concludes that older sections have ended.
        thread.reader_word.store(detail::reader_view.phase.load(std::memory_order_acquire),
                                 std::memory_order_release);
        keep_order();
    }

    ~ReadSection() {
        ThreadState& thread = thread_state;
        constexpr std::uint64_t low = ThreadState::nesting_mask | ThreadState::not_plain;
        if ((thread.reader_word.load(std::memory_order_relaxed) & low) != 1) [[unlikely]] {
            detail::leave_slowly(thread, Here::now());
            return;
        }
        thread.reader_word.store(0, std::memory_order_release);
        keep_order();
        if (detail::reader_view.grace_waiters.load(std::memory_order_relaxed) != 0) [[unlikely]] {
            detail::wake_writers();
        }
    }

    ReadSection(const ReadSection&) = delete;
    ReadSection& operator=(const ReadSection&) = delete;

  private:
    // The store of the word must reach memory before the loads that follow. The writer's barrier in
    // all threads makes it so; only the compiler has to be kept in order here.
    static void keep_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }
};

/// Whether this thread is inside a section.
inline bool in_read_section() noexcept {
    return thread_state.in_read_section();
}

/// A moment to wait for: all sections begun before begin() returned have ended. A value for any
/// thread; one of `{}` is done already.
struct Ticket {
    std::uint64_t phase = 0;
};

/// Call after the objects have been unlinked. Any thread, with anything held; one locked
/// instruction.
Ticket begin() noexcept;

/// Whether the sections of the ticket have all ended; never waits for them. Any thread, with
/// anything held. While the answer is no it looks at every thread, and the first to ask about a
/// ticket pays for a barrier in all of them.
bool done(Ticket ticket) noexcept;

/// begin() and waiting until done(). Aborts inside a section or with any domain held: a loop would
/// stand still for as long as the slowest reader does. Use retire() there.
void synchronize(Here where = Here::now());

/// The node that an object to be freed later embeds. From retire() until `reclaim` is called with
/// it nobody else touches it.
struct Retired {
    Retired* next = nullptr;
    void (*reclaim)(Retired&) noexcept = nullptr;
};

/// Calls `reclaim(node)` after a grace period, from some thread's reclaim(). The object must be
/// unreachable for new readers already. Takes no lock; allowed under any domain and in a section.
void retire(Retired& node, void (*reclaim)(Retired&) noexcept) noexcept;

/// Runs the callbacks whose grace period is over, at most `budget`; returns how many ran. Never
/// waits. Callbacks run in the calling thread with whatever domains it holds; they may retire more.
std::size_t reclaim(std::size_t budget) noexcept;

/// Whether there is anything for reclaim() to do, now or after a grace period.
bool reclaim_due() noexcept;

/// Waits and runs callbacks until none is left; for shutdown and tests. Same rules as
/// synchronize().
void drain(Here where = Here::now());

}  // namespace tern::locking::rcu
