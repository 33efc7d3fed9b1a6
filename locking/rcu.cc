#include "locking/rcu.h"

#include <thread>

#if defined(__linux__)
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "locking/domain.h"
#include "locking/futex_mutex.h"

namespace tern::locking::rcu {

namespace detail {

constinit std::atomic<std::uint64_t> phase{1};
constinit std::atomic<std::uint32_t> grace_waiters{0};

}  // namespace detail

namespace {

/// All that RCU knows about the process.
struct State {
    FutexMutex registry;  ///< guards `readers` and the links of the threads
    ThreadState* readers = nullptr;
    std::atomic<ReaderMode> mode{ReaderMode::unregistered};

    std::atomic<std::uint64_t> fenced{0};    ///< newest phase followed by a barrier of all threads
    std::atomic<std::uint64_t> finished{0};  ///< newest phase known to have no older sections
    std::atomic<std::uint32_t> wake_count{0};

    std::atomic<Retired*> retired{nullptr};  ///< newest first, no ticket yet
    std::atomic<bool> batch_pending{false};  ///< something in the two lists below
    FutexMutex batches;                      ///< guards what follows
    Retired* waiting = nullptr;              ///< for `ticket`
    Ticket ticket;
    Retired* ready = nullptr;
};

constinit State state;

#if defined(__linux__)
int membarrier(int command) {
    return static_cast<int>(::syscall(SYS_membarrier, command, 0, 0));
}

bool register_membarrier() {
    return membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED) == 0;
}

void barrier_in_all_threads() {
    TERN_ASSERT(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED) == 0);
}
#else
bool register_membarrier() {
    return false;
}

void barrier_in_all_threads() {}
#endif

/// Raises `word` to `value` unless it is beyond already.
void raise(std::atomic<std::uint64_t>& word, std::uint64_t value) {
    std::uint64_t seen = word.load(std::memory_order_relaxed);
    while (seen < value && !word.compare_exchange_weak(seen, value, std::memory_order_acq_rel)) {
    }
}

/// How readers of this process keep their order, found out once.
ReaderMode process_mode() {
    ReaderMode mode = state.mode.load(std::memory_order_acquire);
    if (mode == ReaderMode::unregistered) {
        mode = register_membarrier() ? ReaderMode::light : ReaderMode::fenced;
        state.mode.store(mode, std::memory_order_release);
    }
    return mode;
}

/// Takes the thread out of the registry when it ends.
struct ReaderExit {
    ThreadState* thread = nullptr;

    ~ReaderExit() {
        if (thread == nullptr) return;
        TERN_ASSERT(!thread->in_read_section(), "thread ends inside an RCU read section");
        state.registry.lock();
        *thread->previous_reader = thread->next_reader;
        if (thread->next_reader != nullptr) {
            thread->next_reader->previous_reader = thread->previous_reader;
        }
        thread->reader_mode = ReaderMode::unregistered;
        state.registry.unlock();
    }
};

thread_local ReaderExit reader_exit;

/// The barrier that makes light readers' words visible, at most one per phase.
void fence_phase(Ticket ticket) {
    if (state.fenced.load(std::memory_order_acquire) >= ticket.phase) return;
    const std::uint64_t now = detail::phase.load(std::memory_order_seq_cst);
    if (process_mode() == ReaderMode::light) {
        barrier_in_all_threads();
    } else {
        detail::full_fence();
    }
    raise(state.fenced, now);
}

/// Phase of the oldest section in progress, or `limit`.
std::uint64_t oldest_section(std::uint64_t limit) {
    std::uint64_t oldest = limit;
    state.registry.lock();
    for (const ThreadState* reader = state.readers; reader; reader = reader->next_reader) {
        // Acquire: what the ended sections read happens before what the caller does next.
        const std::uint64_t word = reader->reader_word.load(std::memory_order_acquire);
        if ((word & ThreadState::reader_nesting_mask) == 0) continue;
        const std::uint64_t phase = word >> detail::phase_shift;
        if (phase < oldest) oldest = phase;
    }
    state.registry.unlock();
    return oldest;
}

void wait_for(Ticket ticket) {
    for (int i = 0; i < 64; ++i) {
        if (done(ticket)) return;
        cpu_pause();
    }
    for (int i = 0; i < 16; ++i) {
        if (done(ticket)) return;
        std::this_thread::yield();
    }
    // Announce the sleeper, then make sure that each reader either sees it or is seen.
    detail::grace_waiters.fetch_add(1, std::memory_order_seq_cst);
    if (process_mode() == ReaderMode::light) barrier_in_all_threads();
    for (;;) {
        const std::uint32_t wakes = state.wake_count.load(std::memory_order_acquire);
        if (done(ticket)) break;
        state.wake_count.wait(wakes, std::memory_order_acquire);
    }
    detail::grace_waiters.fetch_sub(1, std::memory_order_relaxed);
}

void check_may_wait(Here where) {
    if (in_read_section()) {
        fatal(where, {"waiting for readers inside an RCU read section would never end"});
    }
    if (held_count() != 0) {
        fatal(where, {"waiting for readers with a domain held; retire the object instead"});
    }
}

/// Moves batches on; batches mutex held.
void advance() {
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

void detail::register_reader(ThreadState& thread) noexcept {
    const ReaderMode mode = process_mode();
    reader_exit.thread = &thread;
    state.registry.lock();
    thread.next_reader = state.readers;
    thread.previous_reader = &state.readers;
    if (state.readers != nullptr) state.readers->previous_reader = &thread.next_reader;
    state.readers = &thread;
    thread.reader_mode = mode;
    state.registry.unlock();
}

// GCC warns that the thread sanitizer does not model fences; it does not need this one, since the
// words of the readers order everything it checks.
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
void detail::full_fence() noexcept {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#ifdef __SANITIZE_THREAD__
#pragma GCC diagnostic pop
#endif

void detail::wake_writers() noexcept {
    state.wake_count.fetch_add(1, std::memory_order_release);
    state.wake_count.notify_all();
}

Ticket begin() noexcept {
    return {detail::phase.fetch_add(1, std::memory_order_seq_cst) + 1};
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
    while (reclaim_due()) {
        synchronize(where);
        reclaim(~std::size_t{0});
    }
}

}  // namespace tern::locking::rcu
