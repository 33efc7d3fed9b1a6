#include "locking/rcu.h"

#include "locking/backoff.h"
#include "locking/futex_mutex.h"
#include "locking/platform.h"
#include "locking/rcu_testing.h"
#include "locking/thread_list.h"

namespace tern::locking::rcu {

namespace detail {

constexpr std::uint64_t one_phase = std::uint64_t{1} << ThreadState::phase_shift;

// A phase is kept as the word of a section that begins in it, nesting 1.
constinit ReaderView reader_view{one_phase | 1, 0};

}  // namespace detail

namespace {

/// All that RCU knows about the process.
struct State {
    std::atomic<testing::Fault> fault{testing::Fault::none};

    std::atomic<std::uint64_t> fenced{0};    ///< newest phase followed by a barrier of all threads
    std::atomic<std::uint64_t> finished{0};  ///< newest phase known to have no older sections
    std::atomic<std::uint32_t> wake_count{0};

    std::atomic<Retired*> retired{nullptr};  ///< newest first, no ticket yet
    std::atomic<bool> batch_pending{false};  ///< something in the two lists below
    FutexMutex batches;
    Retired* waiting TERN_GUARDED_BY(batches) = nullptr;  ///< for `ticket`
    Ticket ticket TERN_GUARDED_BY(batches);
    Retired* ready TERN_GUARDED_BY(batches) = nullptr;
};

constinit State state;

/// Makes the words of all readers visible, and what was written before visible to all readers.
void fence_all() {
    if (state.fault.load(std::memory_order_relaxed) == testing::Fault::no_barrier) return;
    platform::full_fence();
    if (reader_mode() == ReaderMode::light) platform::barrier_in_all_threads();
}

/// Raises `word` to `value` unless it is beyond already.
void raise(std::atomic<std::uint64_t>& word, std::uint64_t value) {
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    while (seen < value && !word.compare_exchange_weak(seen, value, std::memory_order_acq_rel)) {
    }
}

/// The barrier that makes light readers' words visible, at most one per phase.
void fence_phase(Ticket ticket) {
    if (state.fenced.load(std::memory_order_acquire) >= ticket.phase) return;
    const std::uint64_t now = detail::reader_view.phase.load(std::memory_order_seq_cst);
    fence_all();
    raise(state.fenced, now);
}

/// The word of the phase in which a section began.
std::uint64_t phase_of(std::uint64_t word) {
    return (word & ~(ThreadState::nesting_mask | ThreadState::not_plain)) | 1;
}

/// Phase of the oldest section in progress, or `limit`.
std::uint64_t oldest_section(std::uint64_t limit) {
    std::uint64_t oldest = limit;
    thread_list.mutex.lock();
    for (const ThreadState* reader = thread_list.first; reader; reader = reader->next) {
        // Acquire: what the ended sections read happens before what the caller does next.
        const std::uint64_t word = reader->reader_word.load(std::memory_order_acquire);
        if ((word & ThreadState::nesting_mask) == 0) continue;
        const std::uint64_t phase = phase_of(word);
        if (phase < oldest) oldest = phase;
    }
    thread_list.mutex.unlock();
    return oldest;
}

void wait_for(Ticket ticket) {
    // No yielding: a reader that has the processor to itself is taken off it inside a section, most
    // likely. One that wakes us is interrupted by that, behind its section.
    for (Backoff backoff; !backoff.yielding(); backoff.once()) {
        if (done(ticket)) return;
    }
    // Announce the sleeper, then make sure that each reader either sees it or is seen.
    detail::reader_view.grace_waiters.fetch_add(1, std::memory_order_seq_cst);
    fence_all();
    for (;;) {
        const std::uint32_t wakes = state.wake_count.load(std::memory_order_acquire);
        if (done(ticket)) break;
        platform::sleep_on(state.wake_count, wakes, platform::all_channels, platform::no_limit);
    }
    detail::reader_view.grace_waiters.fetch_sub(1, std::memory_order_relaxed);
}

void check_may_wait(Here where) {
    if (in_read_section()) {
        fatal(where, {"waiting for readers inside an RCU read section would never end"});
    }
    const bool faulty =
        state.fault.load(std::memory_order_relaxed) == testing::Fault::wait_anywhere;
    if (!thread_state.held().empty() && !faulty) {
        fatal(where, {"waiting for readers with a domain held; retire the object instead"});
    }
}

/// Moves batches on.
void advance() TERN_REQUIRES(state.batches) {
    if (state.waiting == nullptr && state.retired.load(std::memory_order_relaxed) != nullptr) {
        // Pending first: whoever looks between the two must not think that nothing is left.
        state.batch_pending.store(true, std::memory_order_relaxed);
        state.waiting = state.retired.exchange(nullptr, std::memory_order_acq_rel);
        state.ticket = begin();
    }
    if (state.waiting != nullptr && state.ready == nullptr && done(state.ticket)) {
        state.ready = state.waiting;
        state.waiting = nullptr;
    }
    state.batch_pending.store(state.waiting != nullptr || state.ready != nullptr,
                              std::memory_order_relaxed);
}

}  // namespace

void detail::enter_slowly(ThreadState& thread) noexcept {
    if (!thread.introduced()) introduce(thread);
    const std::uint64_t word = thread.reader_word.load(std::memory_order_relaxed);
    if ((word & ThreadState::nesting_mask) != 0) {
        TERN_ASSERT((word & ThreadState::nesting_mask) != ThreadState::nesting_mask,
                    "RCU read sections nested too deep");
        thread.reader_word.store(word + 1, std::memory_order_relaxed);
        return;
    }
    thread.reader_word.store(
        reader_view.phase.load(std::memory_order_acquire) | (word & ThreadState::not_plain),
        std::memory_order_release);
    if (word != 0) {
        platform::full_fence();
    } else {
        std::atomic_signal_fence(std::memory_order_seq_cst);
    }
}

void detail::leave_slowly(ThreadState& thread, Here where) noexcept {
    const std::uint64_t word = thread.reader_word.load(std::memory_order_relaxed);
    const std::uint64_t nesting = word & ThreadState::nesting_mask;
    if (nesting == 0) fatal(where, {"RCU read section left by a thread that is in none"});
    if (nesting > 1) {
        thread.reader_word.store(word - 1, std::memory_order_relaxed);
        return;
    }
    thread.reader_word.store(ThreadState::not_plain, std::memory_order_release);
    platform::full_fence();
    if (reader_view.grace_waiters.load(std::memory_order_relaxed) != 0) wake_writers();
}

void detail::wake_writers() noexcept {
    state.wake_count.fetch_add(1, std::memory_order_acq_rel);
    platform::wake_all(state.wake_count);
}

void testing::set_fault(Fault fault) noexcept {
    state.fault.store(fault, std::memory_order_relaxed);
}

void testing::fence_in_readers() noexcept {
    if (reader_mode() == ReaderMode::fenced) return;
    thread_list.mutex.lock();
    TERN_ASSERT(thread_list.first == &thread_state && thread_state.next == nullptr,
                "there are other threads");
    TERN_ASSERT(!in_read_section());
    thread_list.mode = ReaderMode::fenced;
    thread_state.reader_word.store(ThreadState::not_plain, std::memory_order_relaxed);
    thread_list.mutex.unlock();
}

Ticket begin() noexcept {
    return {detail::reader_view.phase.fetch_add(detail::one_phase, std::memory_order_seq_cst) +
            detail::one_phase};
}

bool done(Ticket ticket) noexcept {
    if (state.finished.load(std::memory_order_acquire) >= ticket.phase) return true;
    fence_phase(ticket);
    // Sections that begin from now on are none of anybody's who has a ticket up to `newest`.
    const std::uint64_t newest = state.fenced.load(std::memory_order_acquire);
    const std::uint64_t oldest = oldest_section(newest);
    raise(state.finished, oldest);
    return oldest >= ticket.phase;
}

void synchronize(Here where) {
    check_may_wait(where);
    wait_for(begin());
}

void retire(Retired& node, void (*reclaim)(Retired&) noexcept) noexcept {
    node.reclaim = reclaim;
    node.next = state.retired.load(std::memory_order_relaxed);
    while (!state.retired.compare_exchange_weak(node.next, &node, std::memory_order_release,
                                                std::memory_order_relaxed)) {
    }
}

bool reclaim_due() noexcept {
    return state.retired.load(std::memory_order_acquire) != nullptr ||
           state.batch_pending.load(std::memory_order_relaxed);
}

std::size_t reclaim(std::size_t budget) noexcept {
    std::size_t count = 0;
    while (count < budget && reclaim_due()) {
        if (!state.batches.try_lock()) break;
        advance();
        Retired* node = state.ready;
        // Cut off a piece, so that several threads can work and callbacks run without a lock.
        Retired* last = node;
        std::size_t piece = node != nullptr ? 1 : 0;
        while (last != nullptr && last->next != nullptr && count + piece < budget) {
            last = last->next;
            ++piece;
        }
        if (last != nullptr) {
            state.ready = last->next;
            last->next = nullptr;
        }
        state.batches.unlock();
        if (node == nullptr) break;
        count += piece;
        while (node != nullptr) {
            Retired* next = node->next;
            node->reclaim(*node);
            node = next;
        }
    }
    return count;
}

void drain(Here where) {
    check_may_wait(where);
    while (reclaim_due()) {
        synchronize(where);
        reclaim(~std::size_t{0});
    }
}

}  // namespace tern::locking::rcu
