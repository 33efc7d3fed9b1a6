#include "locking/lock_report.h"

#include "locking/thread_list.h"

namespace tern::locking {

namespace {

// Process-wide, as the threads that are looked at.
constinit std::atomic<std::uint32_t> reports_running{0};
constinit std::atomic<std::uint64_t> long_wait_ns{0};
constinit std::atomic<LongWaitHandler> long_wait_handler{nullptr};

constexpr std::uint64_t ns_per_ms = 1'000'000;

/// While it lives, no lock that a thread holds or waits for is destroyed, and no thread ends.
class Looking {
  public:
    Looking() TERN_NO_THREAD_SAFETY_ANALYSIS {
        reports_running.fetch_add(1, std::memory_order_acq_rel);
        // The interrupted thread may be the one that has the mutex.
        constexpr int attempts = 10'000;
        for (int i = 0; i < attempts && !listed_; ++i) {
            listed_ = thread_list.mutex.try_lock();
            if (!listed_) cpu_pause();
        }
    }

    ~Looking() TERN_NO_THREAD_SAFETY_ANALYSIS {
        if (listed_) thread_list.mutex.unlock();
        reports_running.fetch_sub(1, std::memory_order_release);
    }

    Looking(const Looking&) = delete;
    Looking& operator=(const Looking&) = delete;

    explicit operator bool() const { return listed_; }

    const ThreadState* threads() const TERN_NO_THREAD_SAFETY_ANALYSIS {
        return listed_ ? thread_list.first : nullptr;
    }

  private:
    bool listed_ = false;
};

struct Hold {
    const RankedLock* lock = nullptr;
    Here where;
    bool shared = false;
};

/// What another thread has at a place of its stack, read until it stands still.
Hold read_hold(const HeldEntry& entry) {
    Hold hold;
    for (int i = 0; i < 8; ++i) {
        hold = {entry.lock(), entry.where(), entry.shared()};
        const Here again = entry.where();
        if (entry.lock() == hold.lock && again.file == hold.where.file &&
            again.line == hold.where.line) {
            break;
        }
    }
    return hold;
}

/// Calls `visit(thread, hold)` for everything that anybody holds.
template <class F>
void for_each_hold(const Looking& looking, F&& visit) {
    for (const ThreadState* thread = looking.threads(); thread; thread = thread->next) {
        for (const HeldEntry& entry : thread->held())
            visit(*thread, read_hold(entry));
    }
}

void add_holders(TextBuffer& text, const Looking& looking, const RankedLock& lock) {
    bool first = true;
    for_each_hold(looking, [&](const ThreadState& thread, const Hold& hold) {
        if (hold.lock != &lock) return;
        text.add({first ? "held by " : "; by ", ThreadText(thread.id).text(),
                  hold.shared ? " for reading" : "", ", taken at ", hold.where.file, ":",
                  hold.where.line});
        first = false;
    });
    if (first) text.add({"nobody holds it"});
}

void add_thread(TextBuffer& text, const Looking& looking, const ThreadState& thread) {
    text.add({ThreadText(thread.id).text(), thread.in_read_section() ? ", in a read section" : "",
              "\n"});
    for (const HeldEntry& entry : thread.held()) {
        const Hold hold = read_hold(entry);
        text.add({"  holds ", hold.lock->name(), " (rank ", hold.lock->rank(), ")",
                  hold.shared ? " for reading" : "", ", taken at ", hold.where.file, ":",
                  hold.where.line, "\n"});
    }
    const RankedLock* awaited = thread.waits.lock.load(std::memory_order_acquire);
    if (awaited == nullptr) return;
    const std::uint64_t since = thread.waits.since_ns.load(std::memory_order_relaxed);
    text.add({"  waits for ", awaited->name(), " (rank ", awaited->rank(), ") since ",
              (platform::now_ns() - since) / ns_per_ms, " ms, at ",
              thread.waits.file.load(std::memory_order_relaxed), ":",
              thread.waits.line.load(std::memory_order_relaxed), ", "});
    add_holders(text, looking, *awaited);
    text.add({"\n"});
}

}  // namespace

ThreadText::ThreadText(std::uint32_t id) {
    TextBuffer text(text_);
    char name[32];
    const std::size_t length = platform::thread_name(id, name, sizeof(name));
    text.add({"thread ", id});
    if (length != 0) text.add({" (", std::string_view(name, length), ")"});
    length_ = text.text().size();
}

HolderText::HolderText(const RankedLock& lock) {
    TextBuffer text(text_);
    const Looking looking;
    if (looking) {
        add_holders(text, looking, lock);
    } else {
        text.add({"the list of threads is busy"});
    }
    length_ = text.text().size();
}

std::string_view report_locks(std::span<char> room) noexcept {
    TextBuffer text(room);
    const Looking looking;
    if (!looking) text.add({"the list of threads is busy\n"});
    for (const ThreadState* thread = looking.threads(); thread; thread = thread->next)
        add_thread(text, looking, *thread);
    return text.text();
}

void report_long_waits(std::chrono::nanoseconds patience, LongWaitHandler handler) noexcept {
    long_wait_ns.store(0, std::memory_order_relaxed);
    long_wait_handler.store(handler, std::memory_order_release);
    if (handler != nullptr && patience.count() > 0) {
        long_wait_ns.store(static_cast<std::uint64_t>(patience.count()), std::memory_order_release);
    }
}

void wait_for_reports() noexcept {
    // A report that begins after this reads from it, and so sees that nobody has the lock any more.
    Backoff backoff;
    while (reports_running.fetch_add(0, std::memory_order_acq_rel) != 0)
        backoff.once();
}

LockWait::LockWait(const RankedLock& lock, ThreadState& thread, Here where)
    : lock_(lock),
      thread_(thread),
      start_ns_(platform::now_ns()),
      acquisitions_(lock.acquisitions()),
      patience_ns_(long_wait_ns.load(std::memory_order_acquire)) {
    thread.waits.file.store(where.file, std::memory_order_relaxed);
    thread.waits.line.store(where.line, std::memory_order_relaxed);
    thread.waits.since_ns.store(start_ns_, std::memory_order_relaxed);
    thread.waits.lock.store(&lock, std::memory_order_release);
}

LockWait::~LockWait() {
    thread_.waits.lock.store(nullptr, std::memory_order_relaxed);
}

std::uint64_t LockWait::waited_ns() const {
    return platform::now_ns() - start_ns_;
}

void LockWait::sleep(std::atomic<std::uint32_t>& word, std::uint32_t seen, std::uint32_t channels) {
    if (patience_ns_ == 0) {
        platform::sleep_on(word, seen, channels, platform::no_limit);
        return;
    }
    const std::uint64_t waited = waited_ns();
    if (waited < patience_ns_) platform::sleep_on(word, seen, channels, patience_ns_ - waited);
    if (waited_ns() < patience_ns_) return;
    tell();
    while (patience_ns_ <= waited_ns())
        patience_ns_ *= 2;
}

void LockWait::tell() const {
    const LongWaitHandler handler = long_wait_handler.load(std::memory_order_acquire);
    if (handler == nullptr) return;
    char room[1024];
    TextBuffer text(room);
    text.add({ThreadText(thread_.id).text(), " has waited ", waited_ns() / ns_per_ms,
              " ms for domain ", lock_.name(), " (rank ", lock_.rank(), ") at ",
              thread_.waits.file.load(std::memory_order_relaxed), ":",
              thread_.waits.line.load(std::memory_order_relaxed), ", ", HolderText(lock_).text()});
    const std::uint64_t taken = lock_.acquisitions() - acquisitions_;
    if (taken == 0) {
        text.add({", the same all that time"});
    } else {
        text.add({", which others took ", taken, " times meanwhile"});
    }
    handler(text.text());
}

}  // namespace tern::locking
